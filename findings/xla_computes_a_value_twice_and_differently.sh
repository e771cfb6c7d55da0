#!/usr/bin/env bash
# XLA on CPUs computes an intermediate value anew in each loop that reads it, and may round it differently there: a
# quotient is fused with a subtraction in one loop and rounded first in another (jaxlib 0.10.2, float64). So the usual
# guard of a square root, where(s > 0, sqrt(where(s > 0, s, 1)), 0), can see s = 0 in the inner test and s > 0 in the
# outer, and gives sqrt(1) for a distance of zero. Here that happens only in the program that computes the gradient as
# well: the value that jax.value_and_grad returns is not that of the function.
#
# Who is hurt: whoever differentiates a kernel of distances between scaled points, such as a Matern kernel with a
# lengthscale for each coordinate: each point correlates with itself by 0.37 or 0.52 instead of 1, and a fit goes on.
# What to do: take differences before scaling, so that equal points have distance zero however they are rounded, and
# test against a small threshold rather than zero, as spatial_prediction.gaussian_process.kernels does.
#
# Seen (Linux, x86-64, Python 3.11):
#   value: 60.0   value with gradient: 22.1
#
# Ends with 0 while this is so, with 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "jax==0.10.2" "jaxlib==0.10.2"
JAX_PLATFORMS=cpu JAX_ENABLE_X64=1 "$folder/venv/bin/python" - <<'PYTHON'
import sys

import jax
import jax.numpy as jnp
import numpy as np


def root(squared):
    apart = squared > 0.0
    return jnp.where(apart, jnp.sqrt(jnp.where(apart, squared, 1.0)), 0.0)


def trace(lengths, points):
    scaled = points / lengths
    squared = sum((scaled[:, None, axis] - scaled[None, :, axis]) ** 2 for axis in range(2))
    return jnp.sum(jnp.exp(-root(squared)) * jnp.eye(60))


points, lengths = np.pi * np.random.default_rng(0).uniform(0, 40, (60, 2)), np.full(2, 3.7)
value = jax.jit(trace)(lengths, points)
with_gradient, _ = jax.jit(jax.value_and_grad(trace))(lengths, points)
seen = f"value: {value:.1f}   value with gradient: {with_gradient:.1f}"
print(seen)
sys.exit(0 if seen == "value: 60.0   value with gradient: 22.1" else "changed: what is printed above is not what was seen")
PYTHON
