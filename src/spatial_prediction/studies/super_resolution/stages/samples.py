"""Stages: images that show what a padding or a network does."""

from collections.abc import Mapping
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.models import network_and_header
from spatial_prediction.plotting.colour import display_range, displayed
from spatial_prediction.reflectance import reflectance_from_scaled
from spatial_prediction.studies.super_resolution.config import UPSCALE_FACTOR, tile_size
from spatial_prediction.studies.super_resolution.data.tiles import (
    centre_tiles,
    check_scenes,
    open_scene_array,
)
from spatial_prediction.studies.super_resolution.task import (
    configured_padding,
    pair,
    replicated_bilinear,
    upscaled,
)


def padded_images(
    test_path: Path, *, scenes: list[int], paddings: list[str], known_size: int, pad: int
) -> dict[str, np.ndarray]:
    """Pad the centre of test scenes, at low resolution, with each padding.

    Args:
        test_path: array of test scenes.
        scenes: which of them.
        paddings: names of paddings.
        known_size: rows and columns that the paddings are given; fewer if the scenes are smaller.
        pad: pixels to predict on each side.

    Returns:
        ``{"truth" or padding name: sRGB in [0, 1] of shape (scenes, size, size, 3)}``, where ``size``
        is ``known_size + 2 pad``, or less if the scenes are smaller.

    Raises:
        ConfigurationError: there is no such scene or padding, or ``known_size`` or ``pad`` is below 1.
        SceneError: the array cannot be used.
    """
    if min(known_size, pad) < 1:
        raise ConfigurationError(
            f"known_size is {known_size} and pad {pad}; give at least 1 pixel of each (--known-size, --pad)"
        )
    by_name = {name: configured_padding(name, pad) for name in paddings}
    array = open_scene_array(test_path, smallest_size=tile_size(2 * pad + 1, UPSCALE_FACTOR))
    size = min(known_size + 2 * pad, min(array.shape[1:3]) // UPSCALE_FACTOR - 2)
    low_res, _ = _centre(test_path, array, scenes, size)
    known = low_res[:, pad:-pad, pad:-pad]
    images = {"truth": low_res} | {name: padding.extend(known) for name, padding in by_name.items()}
    return _visible(images, low_res)


def upscaled_images(
    test_path: Path, models: dict[str, Path], *, scenes: list[int], low_res_size: int
) -> dict[str, np.ndarray]:
    """Upscale central tiles of test scenes by each network that has not diverged.

    Returns:
        ``{"(input)", "(bilinear)", preset ..., "(target)": sRGB in [0, 1]}``, each (scenes, rows, columns,
        3); names of presets have no parentheses.

    Raises:
        ConfigurationError: there is no such scene.
        SceneError: the array cannot be used.
    """
    array = open_scene_array(test_path, smallest_size=tile_size(low_res_size, UPSCALE_FACTOR))
    low_res, high_res = _centre(test_path, array, scenes, low_res_size)
    columns = {
        "(input)": jnp.repeat(jnp.repeat(low_res, UPSCALE_FACTOR, axis=1), UPSCALE_FACTOR, axis=2),
        "(bilinear)": replicated_bilinear(low_res, UPSCALE_FACTOR),
    }
    for preset, path in models.items():
        model, _ = network_and_header(path, output_crop=0)
        if model is not None:
            columns[preset] = upscaled(model, low_res)
    return _visible(columns | {"(target)": high_res}, high_res)


def _centre(path: Path, array: np.ndarray, scenes: list[int], low_res_size: int) -> tuple[Array, Array]:
    """Make input and target from the centre of some scenes."""
    check_scenes(path, len(array), scenes)
    size = tile_size(low_res_size, UPSCALE_FACTOR)
    return pair(np.concatenate([centre_tiles(array[s : s + 1], size) for s in scenes]), UPSCALE_FACTOR)


def _visible(images: Mapping[str, Array], reference: Array) -> dict[str, np.ndarray]:
    """Show images on the scale of [-1, 1] in the range that the reference has in each scene."""
    shown = display_range(reflectance_from_scaled(np.asarray(reference)))
    return {
        name: displayed(reflectance_from_scaled(np.asarray(image)), shown) for name, image in images.items()
    }
