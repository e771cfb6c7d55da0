#!/usr/bin/env bash
# On a CPU, jax.numpy.max of jaxlib 0.10.2 loses NaN once an array has 4096 elements (float32), and may return minus
# infinity for an array of ones that holds a single NaN. Smaller arrays give NaN, as NumPy does at any size and as
# jax.numpy documents. The same goes for maxima over windows (jax.lax.reduce_window), and so for max pooling.
#
# Who is hurt: whoever looks for NaN by a maximum, or pools maps that may hold NaN.
# What to do: jnp.isnan(x).any(). Where it matters which outputs an input reaches, change it by a great number as well
# as by NaN, as spatial_prediction.tiling.measured_receptive_field does.
#
# Seen (Linux, x86-64, Python 3.11):
#   4095 elements: nan nan   4096 elements: 1.0 -inf
#
# Ends with 0 while this is so, with 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "jax==0.10.2" "jaxlib==0.10.2"
JAX_PLATFORMS=cpu "$folder/venv/bin/python" - <<'PYTHON'
import sys

import jax.numpy as jnp
import numpy as np


def maximum(size, place):
    x = np.ones(size, np.float32)
    x[place] = np.nan
    return str(float(jnp.max(x)))


seen = [f"{size} elements: {maximum(size, 0)} {maximum(size, -1)}" for size in (4095, 4096)]
print("   ".join(seen))
expected = ["4095 elements: nan nan", "4096 elements: 1.0 -inf"]
sys.exit(0 if seen == expected else "changed: what is printed above is not what was seen")
PYTHON
