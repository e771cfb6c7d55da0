"""The task of the padding study: 4x super-resolution of Sentinel-2 tiles."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.models import (
    RVSR,
    bilinear_upscaling,
    border_from_name,
    merge_branches,
)
from spatial_prediction.padding import AbstractPadding, padding_from_name
from spatial_prediction.studies.super_resolution.config import ModelSettings, Preset
from spatial_prediction.studies.super_resolution.data.degradation import (
    scaled_reflectance,
    super_resolution_pair,
)


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
