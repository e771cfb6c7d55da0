"""From stored scenes to pairs of low- and high-resolution tiles; runs on the device."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Num

from spatial_prediction.reflectance import scaled_from_dn


def scaled_reflectance(
    dn: Num[Array, "*tiles height width bands"],
) -> Float[Array, "*tiles height width bands"]:
    """Scale digital numbers so that reflectance 0..1 becomes -1..1 (float32)."""
    return scaled_from_dn(dn.astype(jnp.float32))


def super_resolution_pair(
    tiles: Float[Array, "*tiles height width bands"], upscale_factor: int
) -> tuple[Array, Array]:
    """Make network input and target from high-resolution tiles.

    The input is the tile, anti-aliased and sampled bilinearly on a grid ``upscale_factor`` times
    coarser. One coarse pixel on each side serves only the anti-aliasing and is cropped from both, so that
    the operation is equivariant to shifts by whole coarse pixels.

    Returns:
        (low_res, high_res) of shapes (*tiles, h, w, bands) and (*tiles, f h, f w, bands), where
        ``h = height / f - 2`` and ``f`` is ``upscale_factor``.

    Source: arXiv 2502.12300, sec. 3; equal to ``jax.image.resize(..., "bilinear", antialias=True)``.
    """
    f = upscale_factor
    *batch, height, width, bands = tiles.shape
    # Rows first: with the bands of a row contiguous in memory, whole rows are added.
    rows = _sampled(tiles.reshape(*batch, height, width * bands), -2, f)
    low_res = _sampled(rows.reshape(*batch, -1, width, bands), -2, f)
    return low_res, tiles[..., f:-f, f:-f, :]


def _sampled(x: Array, axis: int, factor: int) -> Array:
    """Sample an axis at its inner coarse pixels, each with a triangular kernel two coarse pixels wide.

    All samples have the same few weights, so a sum of strided slices takes a fraction of a matrix product's
    time.
    """
    distance = np.abs(np.arange(3 * factor) - (3 * factor - 1) / 2) / factor
    weights = np.maximum(0, 1 - distance)
    last_begins = (x.shape[axis] // factor - 3) * factor
    seen = (
        weight * jax.lax.slice_in_dim(x, tap, last_begins + tap + 1, factor, axis)
        for tap, weight in enumerate((weights / weights.sum()).tolist())
        if weight
    )
    return sum(seen, jnp.zeros((), x.dtype))
