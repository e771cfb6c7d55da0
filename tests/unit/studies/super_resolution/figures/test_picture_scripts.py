"""The scripts that draw pictures and theory, on the smallest scenes that a study may have."""

import runpy

import numpy as np
import pytest
from PIL import Image
from tests.helpers import REPOSITORY

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.studies.super_resolution.crossings import Crossings


def _draw(name, folder, *arguments):
    target = folder / "figures" / name
    words = [*arguments, "--figure", target, "--formats", "png"]
    script = REPOSITORY / "scripts" / "super_resolution" / f"plot_{name}.py"
    runpy.run_path(str(script))["main"]([str(word) for word in words])
    with Image.open(f"{target}.png") as picture:
        picture.verify()
        assert min(picture.size) > 100


@pytest.fixture(scope="module")
def test_array(tmp_path_factory):
    path = tmp_path_factory.mktemp("arrays") / "test.npy"
    rng = np.random.default_rng(0)
    np.save(path, rng.integers(200, 1500, (2, 200, 200, 3)).astype(np.int16))
    return path


@pytest.fixture(scope="module")
def crossings(tmp_path_factory):
    path = tmp_path_factory.mktemp("crossings") / "crossings.safetensors"
    images = np.random.default_rng(0).random((2, 8, 8, 3)).astype(np.float32)
    presets = {"repl": 0, "lp2x3_oc5": 5}
    stitched, untiled = dict.fromkeys(presets, images), dict.fromkeys(presets, images / 2)
    Crossings([1, 0], presets, images, stitched, untiled).write(path, {})
    return path


def test_scenes_of_the_least_size_are_drawn(test_array, tmp_path):
    scenes = ("--test", test_array, "--scenes", 1, 0)
    _draw("lp6x7_samples", tmp_path, *scenes)
    _draw("inputs_and_targets", tmp_path, *scenes, "--low-res-size", 48)


@pytest.mark.parametrize("output_crop", [0, 1, 5])
def test_crossings_are_drawn_for_every_output_crop_networks_or_not(crossings, output_crop, tmp_path):
    for name in ("stitched_corners", "shift_deviation"):
        _draw(name, tmp_path, "--crossings", crossings, "--output-crop", output_crop)


def test_expected_errors_need_nothing(tmp_path):
    _draw("blur_theory", tmp_path)
    with pytest.raises(ConfigurationError, match="no expected error is known of 'circ'"):
        _draw("blur_theory", tmp_path, "--paddings", "circ")
