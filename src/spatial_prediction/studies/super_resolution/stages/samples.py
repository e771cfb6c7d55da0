"""Stages: images that show what a padding or a network does."""

from pathlib import Path

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.models import merge_branches, network_and_header
from spatial_prediction.plotting.colour import linear_to_srgb
from spatial_prediction.studies.super_resolution.config import UPSCALE_FACTOR, tile_size
from spatial_prediction.studies.super_resolution.data.tiles import centre_tiles, open_scene_array
from spatial_prediction.studies.super_resolution.task import configured_padding, pair, replicated_bilinear

SHOWN = (1, 99)
"""Percentiles of a scene's reflectance that are shown as black and as full brightness."""


def padded_images(
    test_path: Path, *, scene: int, paddings: list[str], known_size: int, pad: int
) -> dict[str, np.ndarray]:
    """Pad the centre of a test scene, at low resolution, with each padding.

    Args:
        test_path: array of test scenes.
        scene: index of the scene in it.
        paddings: names of paddings.
        known_size: rows and columns that the paddings are given; fewer if the scene is smaller.
        pad: pixels to predict on each side.

    Returns:
        ``{"truth" or padding name: sRGB in [0, 1] of shape (size, size, 3)}``, where ``size`` is
        ``known_size + 2 pad``, or less if the scene is smaller.

    Raises:
        ConfigurationError: there is no such scene or padding, or ``known_size`` or ``pad`` is below 1.
        SceneError: the array cannot be used.
    """
    if min(known_size, pad) < 1:
        raise ConfigurationError(
            f"known_size is {known_size} and pad {pad}; give at least 1 pixel of each (--known-size, --pad)"
        )
    by_name = {name: configured_padding(name, pad) for name in paddings}
    scenes = open_scene_array(test_path, smallest_size=tile_size(2 * pad + 1, UPSCALE_FACTOR))
    _check_scenes(test_path, len(scenes), [scene])
    size = min(known_size + 2 * pad, min(scenes.shape[1:3]) // UPSCALE_FACTOR - 2)
    tiles = centre_tiles(scenes[scene : scene + 1], tile_size(size, UPSCALE_FACTOR))
    low_res, _ = pair(tiles, UPSCALE_FACTOR)
    known = low_res[:, pad:-pad, pad:-pad]
    images = {"truth": low_res} | {name: padding.extend(known) for name, padding in by_name.items()}
    shown = _shown(low_res)
    return {name: _visible(image, shown)[0] for name, image in images.items()}


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
    size = tile_size(low_res_size, UPSCALE_FACTOR)
    array = open_scene_array(test_path, smallest_size=size)
    _check_scenes(test_path, len(array), scenes)
    tiles = np.concatenate([centre_tiles(array[s : s + 1], size) for s in scenes])
    low_res, high_res = pair(tiles, UPSCALE_FACTOR)
    shown = _shown(high_res)
    blocks = jnp.repeat(jnp.repeat(low_res, UPSCALE_FACTOR, axis=1), UPSCALE_FACTOR, axis=2)
    columns = {
        "(input)": _visible(blocks, shown),
        "(bilinear)": _visible(replicated_bilinear(low_res, UPSCALE_FACTOR), shown),
    }
    for preset, path in models.items():
        model, _ = network_and_header(path, output_crop=0)
        if model is not None:
            columns[preset] = _visible(merge_branches(model).apply(low_res), shown)
    columns["(target)"] = _visible(high_res, shown)
    return columns


def _check_scenes(path: Path, count: int, scenes: list[int]) -> None:
    for scene in scenes:
        if not 0 <= scene < count:
            raise ConfigurationError(
                f"{path}: there is no scene {scene}, counted from 0; ask for one of 0 to {count - 1}"
            )


def _shown(scaled: Array) -> tuple[np.ndarray, np.ndarray]:
    """Return, for each image, the reflectance shown as black and the range up to white: (images, 1, 1, 1)."""
    black, white = np.percentile(_reflectance(scaled), SHOWN, axis=(1, 2, 3), keepdims=True)
    return black, np.maximum(white - black, 1e-3)


def _visible(scaled: Array, shown: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    black, span = shown
    return linear_to_srgb((_reflectance(scaled) - black) / span)


def _reflectance(scaled: Array) -> np.ndarray:
    return (np.asarray(scaled, np.float64) + 1) / 2
