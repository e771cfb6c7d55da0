"""Stage: upscale what lies around the point in which four tiles meet, tile by tile and as one window."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Array

from spatial_prediction.files import read_object
from spatial_prediction.models import RVSR, network_and_header
from spatial_prediction.provenance import provenance
from spatial_prediction.reflectance import reflectance_from_scaled
from spatial_prediction.studies.super_resolution.config import LARGEST_OUTPUT_CROP, UPSCALE_FACTOR, tile_size
from spatial_prediction.studies.super_resolution.crossings import Crossings, stitched_tiles
from spatial_prediction.studies.super_resolution.data.tiles import (
    centre_tiles,
    check_scenes,
    corner_tiles,
    open_scene_array,
)
from spatial_prediction.studies.super_resolution.task import pair, upscaled

SHOWN = 28
"""Input pixels around the crossing that are kept: all that the border of a tile reaches, and a few more."""

WINDOW = SHOWN + 2 * LARGEST_OUTPUT_CROP
"""Input pixels of the window whose borders none of them sees; not more than the smallest scenes give."""


def evaluate_crossings(
    models: Sequence[Path],
    *,
    test: Path,
    summary: Path,
    scenes: Sequence[int],
    low_res_size: int,
    output: Path,
) -> None:
    """Upscale the middle of test scenes in four tiles and in one window, with each preset's output crop.

    Tiles have ``low_res_size`` rows and columns, or what the scenes give, and what is kept of them meets in
    the middle. A preset whose run diverged is left out.

    Args:
        models: exported weights, one file for each preset.
        test: array of test scenes.
        summary: summary of the arrays.
        scenes: which test scenes.
        low_res_size: rows and columns of a tile, input pixels.
        output: file to write (.safetensors), as :class:`Crossings` describes it.

    Raises:
        ConfigurationError: there is no such scene.
        SceneError: the array cannot be used.
    """
    record = provenance(data=read_object(summary, ["test.sha256"])["test"]["sha256"], scenes=list(scenes))
    array = open_scene_array(test, smallest_size=tile_size(WINDOW, UPSCALE_FACTOR))
    check_scenes(test, len(array), scenes)
    chosen = np.stack([array[scene] for scene in scenes])
    low_res, high_res = _middle(chosen, WINDOW)
    crops: dict[str, int] = {}
    stitched: dict[str, np.ndarray] = {}
    untiled: dict[str, np.ndarray] = {}
    for path in models:
        model, header = network_and_header(path, output_crop=0)
        if model is None:
            continue
        preset, crop = header["preset"], header["output_crop"]
        crops[preset] = crop
        stitched[preset] = _shown(_in_tiles(model, chosen, low_res_size, crop))
        untiled[preset] = _shown(upscaled(model, low_res))
    Crossings(scenes, crops, _shown(high_res), stitched, untiled).write(output, record)


def _in_tiles(model: RVSR, scenes: np.ndarray, low_res_size: int, crop: int) -> np.ndarray:
    """Upscale the middle of scenes in four tiles that meet there."""
    most = min(scenes.shape[1:3]) // UPSCALE_FACTOR - 2
    size = min(low_res_size, most // 2 + crop)
    low_res, _ = _middle(scenes, 2 * (size - crop))
    tiles = np.stack([corner_tiles(np.asarray(image), size) for image in low_res], axis=1)
    predictions = np.stack([np.asarray(upscaled(model, tile)) for tile in tiles])
    return stitched_tiles(predictions, crop * UPSCALE_FACTOR)


def _middle(scenes: np.ndarray, low_res_size: int) -> tuple[Array, Array]:
    """Make input and target from the middle of scenes."""
    return pair(centre_tiles(scenes, tile_size(low_res_size, UPSCALE_FACTOR)), UPSCALE_FACTOR)


def _shown(high_res: Array | np.ndarray) -> np.ndarray:
    """Cut out what is kept, as reflectance."""
    return reflectance_from_scaled(centre_tiles(np.asarray(high_res), SHOWN * UPSCALE_FACTOR))
