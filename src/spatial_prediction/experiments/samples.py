"""Stages: images that show what a padding or a network does."""

from pathlib import Path

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from spatial_prediction.data.colour import linear_to_srgb
from spatial_prediction.data.degradation import tile_size
from spatial_prediction.data.tiles import centre_tiles, open_scene_array
from spatial_prediction.experiments.super_resolution import pair
from spatial_prediction.models import merge_branches, network_and_header
from spatial_prediction.padding import padding_from_name

BRIGHTEST_SHOWN = 99
"""Percentile of a scene's reflectance that is shown as full brightness."""


def padded_images(
    test_path: Path, *, scene: int, paddings: list[str], known_size: int, pad: int
) -> dict[str, np.ndarray]:
    """Pad the centre of a test scene, at low resolution, by each padding.

    Returns:
        ``{"truth" or padding name: sRGB in [0, 1] of shape (known_size + 2 pad,) * 2 + (3,)}``.
    """
    size = known_size + 2 * pad
    scenes = open_scene_array(test_path, smallest_size=tile_size(size, 4))
    low_res, _ = pair(centre_tiles(scenes[scene : scene + 1], tile_size(size, 4)), 4)
    known = low_res[:, pad:-pad, pad:-pad]
    images = {"truth": low_res} | {name: padding_from_name(name, pad).extend(known) for name in paddings}
    white = _white(low_res)
    return {name: _visible(image, white)[0] for name, image in images.items()}


def upscaled_images(
    test_path: Path, models: dict[str, Path], *, scenes: list[int], low_res_size: int
) -> dict[str, np.ndarray]:
    """Upscale central tiles of test scenes by each network that has not diverged.

    Returns:
        ``{"input", preset ..., "target": sRGB in [0, 1] of shape (scenes, rows, columns, 3)}``.
    """
    size = tile_size(low_res_size, 4)
    array = open_scene_array(test_path, smallest_size=size)
    low_res, high_res = pair(np.concatenate([centre_tiles(array[s : s + 1], size) for s in scenes]), 4)
    white = _white(high_res)
    columns = {"input": _visible(jnp.repeat(jnp.repeat(low_res, 4, axis=1), 4, axis=2), white)}
    for preset, path in models.items():
        model, _ = network_and_header(path, output_crop=0)
        if model is not None:
            columns[preset] = _visible(merge_branches(model).apply(low_res), white)
    columns["target"] = _visible(high_res, white)
    return columns


def _white(scaled: Array) -> np.ndarray:
    """Reflectance to show as full brightness, of each image by itself: (images, 1, 1, 1)."""
    return np.maximum(
        np.percentile(_reflectance(scaled), BRIGHTEST_SHOWN, axis=(1, 2, 3), keepdims=True), 1e-3
    )


def _visible(scaled: Array, white: np.ndarray) -> np.ndarray:
    return linear_to_srgb(_reflectance(scaled) / white)


def _reflectance(scaled: Array) -> np.ndarray:
    return (np.asarray(scaled, np.float64) + 1) / 2
