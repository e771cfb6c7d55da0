from itertools import pairwise

import numpy as np
import pytest

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.studies.super_resolution.data.synthetic import synthetic_scene

SIZE = 256
SEED = 3
INDICES = range(8)


@pytest.fixture(scope="module")
def scenes():
    return [synthetic_scene(seed=SEED, index=index, size=SIZE) for index in INDICES]


def spectral_slope(band, low, high):
    """Exponent of the power law that fits the radially averaged spectrum between two frequencies."""
    window = np.hanning(len(band))
    power = np.abs(np.fft.fft2((band - band.mean()) * window[:, None] * window)) ** 2
    frequency = np.fft.fftfreq(len(band))
    radius = np.hypot(frequency[:, None], frequency)
    edges = np.geomspace(low, high, 9)
    rings = [power[(radius >= a) & (radius < b)].mean() for a, b in pairwise(edges)]
    return np.polyfit(np.log(edges[:-1] * edges[1:]) / 2, np.log(rings), 1)[0]


def test_same_arguments_give_same_scene(scenes):
    np.testing.assert_array_equal(synthetic_scene(seed=SEED, index=5, size=SIZE), scenes[5])


def test_global_random_state_is_neither_used_nor_changed():
    before = np.random.get_state()[1].copy()
    synthetic_scene(seed=0, index=0, size=32)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_indices_and_seeds_give_different_scenes(scenes):
    others = [*scenes[1:], synthetic_scene(seed=SEED + 1, index=0, size=SIZE)]
    for other in others:
        assert np.mean(other != scenes[0]) > 0.9
    means = [scene.mean() for scene in scenes]
    assert max(means) > 1.3 * min(means), "scenes should differ in brightness"


def test_default_size_leaves_room_for_a_crop_of_512():
    assert synthetic_scene(seed=0, index=1).shape == (520, 520, 3)


@pytest.mark.parametrize("size", [16, 33, 100])
def test_shape_and_type(size):
    scene = synthetic_scene(seed=0, index=2, size=size)
    assert scene.shape == (size, size, 3)
    assert scene.dtype == np.int16


def test_dn_stay_in_the_range_of_real_scenes(scenes):
    for scene in scenes:
        assert scene.min() >= 1  # 0 marks no data in Level-1C products
        assert scene.max() <= 20_000
        assert 300 < np.median(scene) < 9_000


def test_dark_surfaces_are_blue_from_path_radiance(scenes):
    red, green, blue = np.percentile(np.concatenate([scene.reshape(-1, 3) for scene in scenes]), 1, axis=0)
    assert red < green < blue


def test_spectra_fall_like_those_of_real_scenes(scenes):
    # Eight real scenes on the native 10 m grid have slopes from -3.2 to -2.0, median -2.6;
    # synthetic scenes of 512 pixels from -3.2 to -1.4, median -2.5. A quarter of the area scatters more.
    slopes = [spectral_slope(scene[..., 1].astype(float), 0.03, 0.2) for scene in scenes]
    assert all(-3.6 < slope < -1.2 for slope in slopes), slopes
    assert -3.0 < np.median(slopes) < -2.1, slopes


def test_bands_are_as_correlated_as_those_of_real_scenes(scenes):
    # Real scenes: 0.93 to 0.99 for red and green, 0.93 to 0.98 for red and blue.
    correlations = np.array([np.corrcoef(scene.reshape(-1, 3).T) for scene in scenes])
    assert np.all(correlations > 0.75)
    assert np.median(correlations[:, 0, 1]) > 0.9
    assert np.median(correlations[:, 0, 2]) > 0.9


def test_edges_make_gradients_heavy_tailed(scenes):
    # A Gaussian field has kurtosis 3; real scenes have 11 and more.
    gradients = [np.diff(scene[..., 1].astype(float), axis=1) for scene in scenes]
    kurtosis = [np.mean(gradient**4) / np.mean(gradient**2) ** 2 for gradient in gradients]
    assert min(kurtosis) > 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seed": -1, "index": 0}, "seed is -1"),
        ({"seed": 0, "index": -2}, "index is -2"),
        ({"seed": 0, "index": 0, "size": 15}, "size is 15.*size >= 16"),
    ],
)
def test_unusable_arguments_are_named(arguments, message):
    with pytest.raises(ConfigurationError, match=message):
        synthetic_scene(**arguments)
