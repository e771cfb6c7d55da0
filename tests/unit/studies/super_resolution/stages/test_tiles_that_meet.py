"""Tiles and windows of real networks, untrained: where they must agree, and where the border reaches."""

import functools
import json

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.named_arrays import save_arrays
from spatial_prediction.studies.super_resolution.config import ModelSettings, Preset
from spatial_prediction.studies.super_resolution.crossings import Crossings
from spatial_prediction.studies.super_resolution.stages.crossings import SHOWN, evaluate_crossings
from spatial_prediction.studies.super_resolution.task import network, pair, upscaled

pytestmark = pytest.mark.slow

SETTINGS = ModelSettings(hidden_channels=4)
PRESETS = {"repl": Preset("repl", "repl", 0), "zero_oc5": Preset("zero", "repl", 5)}
PRESETS |= {"repl_oc10": Preset("repl", "repl", 10)}
LOST = Preset("repl", "repl", 0)


@functools.cache
def _model(preset):
    """A network of small random weights, the same for all presets; initialising one would take long."""
    shapes = eqx.filter_eval_shape(lambda: network(PRESETS[preset], SETTINGS, seed=0))
    rng = np.random.default_rng(0)

    def filled(leaf):
        return jnp.asarray(0.2 * rng.standard_normal(leaf.shape), leaf.dtype)

    return jax.tree.map(filled, shapes)


def _write_model(path, preset, status="completed"):
    header = {"preset": preset, "seed": 0, **vars(PRESETS.get(preset, LOST)), "model": vars(SETTINGS)}
    header["run"] = {"status": status}
    save_arrays(path, _model(preset).to_named_arrays() if status == "completed" else {}, header)
    return path


def _scenes(folder, size):
    path = folder / f"test_{size}.npy"
    rng = np.random.default_rng(0)
    np.save(path, rng.integers(200, 3000, (2, size, size, 3)).astype(np.int16))
    (folder / "summary.json").write_text(json.dumps({"test": {"sha256": "of test"}}))
    return path


def _evaluate(folder, test, models, scenes=(1,)):
    output = folder / "crossings.safetensors"
    evaluate_crossings(
        models,
        test=test,
        summary=folder / "summary.json",
        scenes=list(scenes),
        low_res_size=48,
        output=output,
    )
    return Crossings.read(output)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("crossings")


@pytest.fixture(scope="module")
def scenes(folder):
    return _scenes(folder, 403)


@pytest.fixture(scope="module")
def found(scenes, folder):
    models = [_write_model(folder / f"{preset}.safetensors", preset) for preset in PRESETS]
    models.append(_write_model(folder / "lost.safetensors", "lost", "diverged"))
    return _evaluate(folder, scenes, models, scenes=[1, 0])


def test_diverged_presets_are_left_out_and_images_have_one_size(found):
    assert dict(found.presets) == {"repl": 0, "zero_oc5": 5, "repl_oc10": 10}
    assert found.scenes == [1, 0]
    for images in (found.target, *found.stitched.values(), *found.untiled.values()):
        assert images.shape == (2, 4 * SHOWN, 4 * SHOWN, 3)
        assert images.dtype == np.float32


def test_one_window_shows_what_the_network_makes_of_the_whole_scene(scenes, found):
    scene = np.load(scenes)[1]
    side = len(scene) // 8 * 8  # an even number of input pixels
    top = (len(scene) - side) // 2
    low_res, high_res = pair(scene[None, top : top + side, top : top + side], 4)
    whole = np.asarray(upscaled(_model("repl"), low_res))[0]
    cut = (whole.shape[0] - 4 * SHOWN) // 2
    middle = (slice(cut, cut + 4 * SHOWN),) * 2
    for preset in found.presets:
        np.testing.assert_allclose(found.untiled[preset][0], (whole[middle] + 1) / 2, atol=2e-5)
    np.testing.assert_allclose(found.target[0], (np.asarray(high_res)[0][middle] + 1) / 2, atol=1e-6)


def _assert_as_wide_as_the_border_reaches(found):
    """Ten convolutions see ten input pixels; an output crop takes as many of them away."""
    distance = np.abs(np.arange(4 * SHOWN) - 2 * SHOWN + 0.5) // 4  # input pixels from where tiles meet
    nearest = np.minimum(distance[:, None], distance[None])
    for preset, deviation in found.deviations().items():
        reach = 10 - found.presets[preset]
        assert deviation[:, nearest >= reach].max(initial=0) < 2e-5
        if reach:
            assert deviation[:, nearest < 1].max() > 1e-4


def test_tiles_deviate_as_far_as_their_border_reaches(found):
    _assert_as_wide_as_the_border_reaches(found)


def test_the_smallest_scenes_have_room_for_smaller_tiles(folder, tmp_path):
    found = _evaluate(folder, _scenes(folder, 200), [_write_model(tmp_path / "m.safetensors", "repl")])
    assert found.stitched["repl"].shape == (1, 4 * SHOWN, 4 * SHOWN, 3)
    _assert_as_wide_as_the_border_reaches(found)


def test_a_scene_that_is_not_there_is_named(folder, scenes):
    with pytest.raises(ConfigurationError, match=r"there is no scene 2, counted from 0; ask for one of 0 to"):
        _evaluate(folder, scenes, [], scenes=[2])


def test_where_all_diverged_there_is_the_target(folder, scenes, tmp_path):
    lost = _write_model(tmp_path / "lost.safetensors", "lost", "diverged")
    found = _evaluate(folder, scenes, [lost])
    assert found.presets == {}
    assert found.target.shape[0] == 1
