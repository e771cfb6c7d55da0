"""What a network of the padding study is trained by, and what it is tested by meanwhile."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from spatial_prediction import native
from spatial_prediction.models import RVSR, merge_branches, pixel_unshuffle
from spatial_prediction.studies.super_resolution.data.tiles import forget_pages
from spatial_prediction.studies.super_resolution.task import kept, pair
from spatial_prediction.training import mean_over_parts

LARGEST_PART = 16
"""Tiles whose gradients are taken together: of 48 x 48 pixels, a processor's cache holds what they need."""


def training_loss(
    static: RVSR, *, compute_dtype: str = "float32"
) -> Callable[[RVSR, Array], tuple[Array, RVSR | None]]:
    """Make the loss of (parameters, int16 tiles), with branches merged inside.

    Merging is exact, so loss and gradient are those of the branches, for a tenth of the arithmetic. The
    merged network computes in ``compute_dtype``; parameters, merging and the error itself stay float32.
    Where compiled kernels compute, gradients are taken in parts of the batch, unless the network couples its
    examples; XLA's convolutions would be slow in a loop.

    Returns:
        Function that returns the mean squared error over the part of the target that the network predicts,
        and the network's memory of the batch.
    """

    def error_and_maps(model: RVSR, tiles: Array) -> tuple[Array, list[Array]]:
        low_res, high_res = pair(tiles, model.upscale_factor)
        low_res = low_res.astype(compute_dtype)
        phases, features = model.phases_with_features(low_res)
        target = pixel_unshuffle(kept(high_res, model), model.upscale_factor)
        return jnp.mean((phases.astype(high_res.dtype) - target) ** 2), [low_res, *features]

    in_parts = mean_over_parts(lambda model, tiles: (error_and_maps(model, tiles)[0], None), LARGEST_PART)

    def loss(parameters: RVSR, tiles: Array) -> tuple[Array, RVSR | None]:
        model = merge_branches(eqx.combine(parameters, static))
        model = jax.tree.map(
            lambda leaf: leaf.astype(compute_dtype) if eqx.is_inexact_array(leaf) else leaf, model
        )
        if native.available(*jax.tree.leaves(model)) and not model.couples_batch:
            return in_parts(model, tiles)
        error, maps = error_and_maps(model, tiles)
        return error, parameters.remembered(maps)

    return loss


def held_out_loss(static: RVSR, tiles: np.ndarray, *, batch_size: int) -> Callable[[RVSR], float]:
    """Make the mean loss of parameters over fixed ``tiles``, read and computed in batches."""
    count = len(tiles)
    # equal batches, so that one program serves all; the tiles that fill up the last are not counted
    size = -(-count // -(-count // batch_size))

    @jax.jit
    def errors(parameters: RVSR, batch: Array) -> Array:
        model = merge_branches(eqx.combine(parameters, static))
        low_res, high_res = pair(batch, model.upscale_factor)
        return jnp.mean((model.apply(low_res) - kept(high_res, model)) ** 2, axis=(1, 2, 3))

    def errors_from(first: int, parameters: RVSR) -> np.ndarray:
        batch = tiles[np.arange(first, first + size) % count]
        forget_pages(tiles)
        return np.asarray(errors(parameters, batch))

    def mean_loss(parameters: RVSR) -> float:
        of_tiles = np.concatenate([errors_from(first, parameters) for first in range(0, count, size)])[:count]
        return float(of_tiles.mean(dtype=np.float64))

    return mean_loss
