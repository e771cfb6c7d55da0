"""Where four tiles meet: predictions put together and compared, against loops over pixels."""

import math

import numpy as np
import pytest

from spatial_prediction.errors import CheckpointError
from spatial_prediction.named_arrays import save_arrays
from spatial_prediction.studies.super_resolution.crossings import (
    Crossings,
    root_mean_square,
    shift_deviation,
    stitched_tiles,
)


def _images(*shape):
    return np.random.default_rng(sum(shape)).random(shape).astype(np.float32)


@pytest.mark.parametrize("margin", [0, 1, 2])
def test_tiles_are_put_side_by_side_without_their_margins(margin):
    tiles = _images(4, 2, 6, 7, 3)
    found = stitched_tiles(tiles, margin)
    height, width = 6 - 2 * margin, 7 - 2 * margin
    assert found.shape == (2, 2 * height, 2 * width, 3)
    for scene, row, column, band in np.ndindex(found.shape):
        below, right = row // height, column // width
        pixel = (row % height + margin, column % width + margin)
        assert found[scene, row, column, band] == tiles[2 * below + right, scene, *pixel, band]


def test_overlapping_tiles_of_an_image_make_the_image():
    image = _images(1, 12, 12, 3)
    tiles = np.stack([image[:, y : y + 8, x : x + 8] for y in (0, 4) for x in (0, 4)])
    np.testing.assert_array_equal(stitched_tiles(tiles, 2), image[:, 2:-2, 2:-2])


def test_deviation_is_the_root_of_the_mean_square_over_bands():
    one, other = _images(2, 4, 5, 3), _images(2, 4, 5, 4)[..., :3]
    found = shift_deviation(one, other)
    assert found.shape == (2, 4, 5)
    squares = 0.0
    for place in np.ndindex(found.shape):
        of_bands = [(float(one[place][band]) - float(other[place][band])) ** 2 for band in range(3)]
        assert found[place] == pytest.approx(math.sqrt(sum(of_bands) / 3), rel=1e-5)
        squares += sum(of_bands) / 3
    assert root_mean_square(found) == pytest.approx(math.sqrt(squares / found.size), rel=1e-6)
    assert root_mean_square(shift_deviation(one, one)) == 0


def _crossings():
    presets = {"repl": 0, "zero_oc5": 5, "repl_oc5": 5}
    stitched = {preset: _images(2, 4, 4, 3) + crop for preset, crop in presets.items()}
    untiled = {preset: _images(2, 4, 4, 3) for preset in presets}
    return Crossings([3, 1], presets, _images(2, 4, 4, 3), stitched, untiled)


def test_crossings_come_back_from_their_file(tmp_path):
    written = _crossings()
    written.write(tmp_path / "crossings.safetensors", {"commit": "abc"})
    found = Crossings.read(tmp_path / "crossings.safetensors")
    assert (found.scenes, found.presets) == (written.scenes, written.presets)
    np.testing.assert_array_equal(found.target, written.target)
    for preset in written.presets:
        np.testing.assert_array_equal(found.stitched[preset], written.stitched[preset])
        np.testing.assert_array_equal(found.untiled[preset], written.untiled[preset])


def test_presets_of_an_output_crop_are_selected():
    found = _crossings().with_crop(5)
    assert list(found.presets) == list(found.stitched) == list(found.untiled) == ["zero_oc5", "repl_oc5"]
    deviations = found.deviations()
    assert set(deviations) == set(found.presets)
    np.testing.assert_allclose(deviations["zero_oc5"], 5, rtol=1e-6)
    assert _crossings().with_crop(1).deviations() == {}


def test_a_file_of_something_else_is_named(tmp_path):
    save_arrays(tmp_path / "other.safetensors", {"target": np.zeros(1)}, {"scenes": [0], "presets": {"a": 0}})
    with pytest.raises(CheckpointError, match=r"other.safetensors: lacks 'stitched/a'.*evaluate_crossings"):
        Crossings.read(tmp_path / "other.safetensors")
