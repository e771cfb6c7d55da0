"""From stored scenes to pairs of low- and high-resolution tiles; runs on the device."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Num

from spatial_prediction.data.tiles import DN_PER_REFLECTANCE


def scaled_reflectance(
    dn: Num[Array, "*tiles height width bands"],
) -> Float[Array, "*tiles height width bands"]:
    """Scale digital numbers so that reflectance 0..1 becomes -1..1 (float32)."""
    return dn.astype(jnp.float32) * (2 / DN_PER_REFLECTANCE) - 1


def tile_size(low_res_size: int, upscale_factor: int) -> int:
    """Return the pixels a high-resolution tile needs: one low-resolution pixel more on each side."""
    return (low_res_size + 2) * upscale_factor


def super_resolution_pair(
    tiles: Float[Array, "*tiles height width bands"], upscale_factor: int
) -> tuple[Array, Array]:
    """Make network input and target from high-resolution tiles.

    The input is the tile, anti-aliased and sampled bilinearly on a grid ``upscale_factor`` times
    coarser. One coarse pixel on each side serves the anti-aliasing alone and is cut off both, so that
    the operation is equivariant to shifts by whole coarse pixels.

    Returns:
        (low_res, high_res) of shapes (*tiles, h, w, bands) and (*tiles, f h, f w, bands), where
        ``h = height / f - 2`` and ``f`` is ``upscale_factor``.

    Source: arXiv 2502.12300, sec. 3; equal to ``jax.image.resize(..., "bilinear", antialias=True)``.
    """
    f = upscale_factor
    *batch, height, width, bands = tiles.shape
    # Two small matrix products instead of a general resampling. The bands of a row stay where they are, each
    # with its own copy of the weights: cheaper than products whose results have three columns.
    down = jnp.asarray(_downsampling(height, f), tiles.dtype)
    across = jnp.asarray(np.kron(_downsampling(width, f), np.eye(bands)).T, tiles.dtype)
    rows = tiles.reshape(*batch, height, width * bands)
    low_res = jnp.matmul(jnp.matmul(down, rows, precision="highest"), across, precision="highest")
    return low_res.reshape(*batch, len(down), -1, bands), tiles[..., f:-f, f:-f, :]


def _downsampling(size: int, factor: int) -> np.ndarray:
    """Weights (size / factor - 2, size) of each inner coarse pixel: a triangle two coarse pixels wide."""
    centres = (np.arange(1, size // factor - 1) + 0.5) * factor - 0.5
    weights = np.maximum(0, 1 - np.abs(np.arange(size) - centres[:, None]) / factor)
    return weights / weights.sum(axis=1, keepdims=True)
