"""Small LineRWKV networks with random weights, made without compiling anything, and cubes for them."""

import equinox as eqx
import jax
import numpy as np

from spatial_prediction.compression.linerwkv import LineRWKV, Size

TINY = Size(features=8, encoder_layers=2, line_blocks=2, band_blocks=1, decoder_layers=2)


def random_arrays(size=TINY, *, seed=0, spread=1.0):
    """Named arrays of a network; norms scale by about one, other weights by ``spread`` over their fan-in."""
    rng = np.random.default_rng(seed)
    structure = eqx.filter_eval_shape(LineRWKV.initialised, size, key=jax.random.key(0))
    arrays = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(structure):
        name = jax.tree_util.keystr(path, simple=True, separator=".")
        values = rng.normal(size=leaf.shape)
        if "norm" in name or ".ln" in name:
            values = 0.2 * values + (1 if name.endswith("weight") else 0)
        elif name.endswith("weight"):
            values *= spread / np.sqrt(np.prod(leaf.shape[1:]))
        elif "time_mix" in name:
            values = 0.5 + 0.5 * values
        arrays[name] = values.astype(np.float32)
    return arrays


def random_network(size=TINY, *, seed=0, spread=1.0):
    """A network of :func:`random_arrays`."""
    return LineRWKV.from_named_arrays(random_arrays(size, seed=seed, spread=spread))


def smooth_cube(rows, columns, bands, *, seed=0, noise=5):
    """Samples (rows, columns, bands) uint16 that neighbours predict, with noise."""
    rng = np.random.default_rng(seed)
    row, column, band = np.meshgrid(*(np.arange(n) for n in (rows, columns, bands)), indexing="ij")
    smooth = 2000 + 800 * np.sin(row / 7 + column / 11) * np.cos(band / 5)
    return np.rint(smooth + noise * rng.normal(size=smooth.shape)).astype(np.uint16)
