import numpy as np
import pytest

from spatial_prediction.errors import ConfigurationError, SceneError
from spatial_prediction.studies.super_resolution.stages.samples import padded_images, upscaled_images


def _scenes(folder, size):
    path = folder / "test.npy"
    rng = np.random.default_rng(0)
    np.save(path, rng.integers(200, 1500, (1, size, size, 3)).astype(np.int16))
    return path


@pytest.mark.parametrize(("size", "shown"), [(200, 48), (231, 55), (232, 56), (512, 56)])
def test_small_scenes_show_the_paddings_less(tmp_path, size, shown):
    images = padded_images(
        _scenes(tmp_path, size), scenes=[0], paddings=["zero", "lp6x7"], known_size=32, pad=12
    )
    assert list(images) == ["truth", "zero", "lp6x7"]
    assert {image.shape for image in images.values()} == {(1, shown, shown, 3)}
    known = slice(12, shown - 12)
    np.testing.assert_allclose(images["zero"][:, known, known], images["truth"][:, known, known])
    assert (images["zero"][:, :12] == 1).all(), "a reflectance of 0.5 is brighter than such a scene"


def test_darkest_and_brightest_use_the_whole_scale(tmp_path):
    truth = padded_images(_scenes(tmp_path, 240), scenes=[0], paddings=["zero"], known_size=32, pad=12)[
        "truth"
    ]
    assert truth.min() == 0
    assert truth.max() == 1
    assert 0.4 < np.median(truth) < 0.9


def test_bilinear_upscaling_stands_beside_the_input_under_names_no_preset_can_have(tmp_path):
    waves = 800 + 600 * np.sin(np.arange(200) / 6)
    path = tmp_path / "smooth.npy"
    np.save(path, np.broadcast_to(waves[:, None, None], (1, 200, 200, 3)).astype(np.int16))
    columns = upscaled_images(path, {}, scenes=[0], low_res_size=48)
    assert list(columns) == ["(input)", "(bilinear)", "(target)"]
    assert {images.shape for images in columns.values()} == {(1, 192, 192, 3)}
    errors = {name: np.mean((columns[name] - columns["(target)"]) ** 2) for name in columns}
    assert 0 < errors["(bilinear)"] < errors["(input)"]


@pytest.mark.parametrize("scene", [1, -1])
def test_a_scene_that_is_not_there_is_told(tmp_path, scene):
    path = _scenes(tmp_path, 240)
    message = rf"test.npy: there is no scene {scene}, counted from 0; ask for one of 0 to 0"
    with pytest.raises(ConfigurationError, match=message):
        padded_images(path, scenes=[scene], paddings=["zero"], known_size=32, pad=12)
    with pytest.raises(ConfigurationError, match=message):
        upscaled_images(path, {}, scenes=[0, scene], low_res_size=48)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"paddings": ["zero", "nope"]}, "no padding is called 'nope'; known: zero, repl"),
        ({"pad": 0}, r"known_size is 32 and pad 0; give at least 1 pixel of each \(--known-size, --pad\)"),
        ({"pad": -3}, "known_size is 32 and pad -3"),
        ({"known_size": 0}, "known_size is 0 and pad 12"),
    ],
)
def test_what_cannot_be_drawn_is_told(tmp_path, wrong, message):
    with pytest.raises(ConfigurationError, match=f"^{message}"):
        padded_images(
            _scenes(tmp_path, 240),
            **{"scenes": [0], "paddings": ["zero"], "known_size": 32, "pad": 12, **wrong},
        )


def test_an_array_without_scenes_is_refused(tmp_path):
    np.save(tmp_path / "test.npy", np.zeros((0, 240, 240, 3), np.int16))
    with pytest.raises(SceneError, match=r"test.npy: holds int16 of shape \(0, 240, 240, 3\), expected"):
        padded_images(tmp_path / "test.npy", scenes=[0], paddings=["zero"], known_size=32, pad=12)
