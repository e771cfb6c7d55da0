"""Decodes in this environment what another one encoded: ``python -m tests.decoded_elsewhere FOLDER``.

``encode_all`` fills the folder. LineRWKV is decoded twice, by the compiled loops and by the definition in
JAX, in batches of another number of columns. Prints versions and one line for each stream.
"""

import platform
import sys
from importlib.metadata import version
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from spatial_prediction.compression.integer_linerwkv import load_network, save_network
from spatial_prediction.compression.linerwkv import quantised
from spatial_prediction.compression.predictors import LineRWKVPredictor, from_residuals, to_residuals
from tests.defined_linerwkv import DefinedPredictor
from tests.every_coder import coders
from tests.line_networks import random_network, smooth_cube

DELTAS = (0, 2)
SIZE = {"columns": 19, "bands": 4}


def encode_all(folder: Path) -> int:
    """Write a cube, a network, and the cube as every coder codes it; return the number of streams."""
    cube, network = smooth_cube(18, **SIZE), quantised(random_network(spread=2.0))
    np.save(folder / "cube.npy", cube)
    save_network(folder / "network.safetensors", network)
    count = 0
    for name, coder in coders({"of tests": network}).items():
        for delta in DELTAS:
            (folder / f"{name}.{delta}.stream").write_bytes(coder.encode(cube, delta))
            count += 1
    residuals = to_residuals(cube, LineRWKVPredictor(network, **SIZE))
    np.save(folder / "residuals.npy", residuals)
    return count + 1


def decode_all(folder: Path) -> list[str]:
    """Decode all that is in the folder, and return what came back as it was meant to."""
    cube = np.load(folder / "cube.npy")
    network = load_network(folder / "network.safetensors")
    right = []
    for name, coder in coders({"of tests": network}, threads=3).items():
        for delta in DELTAS:
            stream = (folder / f"{name}.{delta}.stream").read_bytes()
            decoded = coder.decode(stream, cube.shape, cube.dtype, delta)
            if np.abs(decoded.astype(int) - cube).max() <= delta and coder.encode(cube, delta) == stream:
                right.append(f"{name}, delta {delta}")
    predictor = DefinedPredictor(network, **SIZE, batch=7, xp=jnp, compiled=jax.jit)
    decoded = from_residuals(np.load(folder / "residuals.npy"), predictor, dtype=cube.dtype)
    if (decoded == cube).all():
        right.append(f"linerwkv in JAX on {jax.devices()[0].platform}")
    return right


if __name__ == "__main__":
    packages = ", ".join(f"{name} {version(name)}" for name in ("jax", "jaxlib", "numba", "numpy"))
    print(f"Python {platform.python_version()}, {packages}")
    print("\n".join(decode_all(Path(sys.argv[1]))))
