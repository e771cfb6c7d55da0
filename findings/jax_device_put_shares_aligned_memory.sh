#!/usr/bin/env bash
# On a CPU, jax.device_put of jax 0.10.2 shares the memory of a NumPy array if that begins at a multiple of 64 bytes, and
# copies it otherwise: whether a later change of the NumPy array changes the array of JAX depends on where it lies.
# may_alias=False does not prevent it. jax.numpy.asarray always copies; it compiles a program for each new shape instead.
#
# Who is hurt: whoever puts a buffer on the device and fills it again, as for batches or weights read in turn. A test
# with small arrays, which lie anywhere, may pass for long.
# What to do: give device_put a copy that nobody else holds, as spatial_prediction.models does, or take jnp.array.
#
# Seen (Linux, x86-64, Python 3.11):
#   at 64 bytes: device_put shares, may_alias=False shares, asarray copies
#   at 16 bytes: device_put copies, may_alias=False copies, asarray copies
#
# Ends with 0 while this is so, with 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "jax==0.10.2" "jaxlib==0.10.2"
JAX_PLATFORMS=cpu "$folder/venv/bin/python" - <<'PYTHON'
import sys

import jax
import jax.numpy as jnp
import numpy as np

WAYS = {
    "device_put": jax.device_put,
    "may_alias=False": lambda array: jax.device_put(array, may_alias=False),
    "asarray": jnp.asarray,
}


def array_at(offset, size=1000):
    memory = np.zeros(size * 4 + 128, np.uint8)
    first = -memory.ctypes.data % 64 + offset
    return memory[first : first + size * 4].view(np.float32)


def fate(convert, offset):
    given = array_at(offset)
    converted = jax.block_until_ready(convert(given))
    given[:] = 7
    return "shares" if converted[0] == 7 else "copies"


expected = {64: ["shares", "shares", "copies"], 16: ["copies", "copies", "copies"]}
seen = {at: [fate(convert, at % 64) for convert in WAYS.values()] for at in expected}
for at, fates in seen.items():
    print(f"at {at} bytes: " + ", ".join(f"{way} {each}" for way, each in zip(WAYS, fates)))
sys.exit(0 if seen == expected else "changed: what is printed above is not what was seen")
PYTHON
