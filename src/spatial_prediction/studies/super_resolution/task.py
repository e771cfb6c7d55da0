"""The task of the padding study: 4x super-resolution of Sentinel-2 tiles."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from spatial_prediction import native
from spatial_prediction.errors import ConfigurationError
from spatial_prediction.models import (
    RVSR,
    bilinear_upscaling,
    border_from_name,
    merge_branches,
    pixel_unshuffle,
)
from spatial_prediction.padding import AbstractPadding, padding_from_name
from spatial_prediction.studies.super_resolution.config import ModelSettings, Preset
from spatial_prediction.studies.super_resolution.data.degradation import (
    scaled_reflectance,
    super_resolution_pair,
)
from spatial_prediction.studies.super_resolution.data.tiles import forget_pages
from spatial_prediction.training import mean_over_parts

LARGEST_PART = 16
"""Tiles whose gradients are taken together: of 48 x 48 pixels, a processor's cache holds what they need."""


@contextlib.contextmanager
def values_are_configured() -> Iterator[None]:
    """Turn ValueErrors of the library into errors of the configuration or the command line.

    Raises:
        ConfigurationError: instead of ValueError, with its message.
    """
    try:
        yield
    except ValueError as error:
        raise ConfigurationError(str(error)) from None


def network(preset: Preset, settings: ModelSettings, *, seed: int) -> RVSR:
    """Make an untrained network. The same seed gives the same weights whatever the preset.

    Raises:
        ConfigurationError: the border handling is unknown, or the network has no such output crop.
    """
    with values_are_configured():
        return RVSR.initialised(
            **_objects_of(preset),
            hidden_channels=settings.hidden_channels,
            blocks=settings.blocks,
            upscale_factor=settings.upscale_factor,
            key=jax.random.key(seed),
        )


def network_of_arrays(preset: Preset, arrays: Mapping[str, np.ndarray]) -> RVSR:
    """Make a network of ``preset`` with arrays that may be those of another preset.

    Raises:
        ConfigurationError: the border handling is unknown, or the arrays do not belong to such a network.
    """
    with values_are_configured():
        return RVSR.from_named_arrays(arrays, **_objects_of(preset))


def _objects_of(preset: Preset) -> dict[str, Any]:
    """Make the objects that a preset names, as arguments of a network."""
    return {
        "padding": border_from_name(preset.padding),
        "upscale_padding": padding_from_name(preset.upscale_padding, 1),
        "output_crop": preset.output_crop,
    }


def configured_padding(name: str, pad_width: int) -> AbstractPadding:
    """Make the padding called ``name``, of ``pad_width`` pixels on all sides.

    Raises:
        ConfigurationError: no padding has that name.
    """
    with values_are_configured():
        return padding_from_name(name, pad_width)


def pair(tiles: Array | np.ndarray, upscale_factor: int) -> tuple[Array, Array]:
    """Make (low_res, high_res) in [-1, 1] from int16 tiles (batch, size, size, 3)."""
    return super_resolution_pair(scaled_reflectance(jnp.asarray(tiles)), upscale_factor)


def replicated_bilinear(low_res: Array, upscale_factor: int) -> Array:
    """Upscale (batch, h, w, 3) bilinearly with the border replicated; every network must beat this."""
    return bilinear_upscaling(padding_from_name("repl", 1).extend(low_res), upscale_factor)


@eqx.filter_jit
def upscaled(model: RVSR, low_res: Array) -> Array:
    """Upscale (batch, h, w, 3) by a network whose branches are not yet merged."""
    return merge_branches(model).apply(low_res)


def kept(high_res: Array, model: RVSR) -> Array:
    """Crop the target (batch, height, width, 3) to the part that ``model`` predicts."""
    margin = model.output_crop * model.upscale_factor
    return high_res[:, margin : high_res.shape[1] - margin, margin : high_res.shape[2] - margin]


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
