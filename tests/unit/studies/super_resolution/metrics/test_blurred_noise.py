"""Expected errors of paddings, against sums over covariances and against noise that is really blurred."""

import functools

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.padding import padding_from_name
from spatial_prediction.studies.super_resolution.metrics.blurred_noise import expected_nmse

BLURS = np.array([0.3, 0.7, 1.2, 2.5])
FINE = 4
"""Samples of the noise per pixel: the sampled Gaussian must be a Gaussian."""


def _covariance(places, others, blur):
    squares = ((places[:, None] - others[None]) ** 2).sum(axis=2)
    return np.exp(-squares / (4 * blur**2))


def _error_of(weights, places, blur):
    """Variance of the pixel at (0, 0) less a weighted sum of those at places."""
    cross = _covariance(places, np.zeros((1, 2)), blur)[:, 0]
    return 1 - 2 * weights @ cross + weights @ _covariance(places, places, blur) @ weights


def _neighbourhood(length, width):
    return np.array([(row, column - width // 2) for row in range(1, length + 1) for column in range(width)])


@pytest.mark.parametrize(
    ("padding", "weights"),
    [
        ("zero", [0.0]),
        ("repl", [1.0]),
        ("refl", [0.0, 1.0]),
        ("extr1", [1.0]),
        ("extr2", [2.0, -1.0]),
        ("extr3", [3.0, -3.0, 1.0]),
        ("extr4", [4.0, -6.0, 4.0, -1.0]),
    ],
)
def test_error_of_fixed_weights_is_a_sum_over_covariances(padding, weights):
    places = _neighbourhood(len(weights), 1)
    wanted = [_error_of(np.array(weights), places, blur) for blur in BLURS]
    np.testing.assert_allclose(expected_nmse(padding, BLURS), wanted, rtol=1e-9)


@pytest.mark.parametrize(
    ("padding", "length", "width"),
    [("lp1x1cs", 1, 1), ("lp2x1", 2, 1), ("lp2x3", 2, 3), ("lp3x5_batch", 3, 5)],
)
def test_error_of_linear_prediction_is_that_of_the_best_weights_of_the_whole_neighbourhood(
    padding, length, width
):
    places = _neighbourhood(length, width)
    for blur, found in zip(BLURS[:3], expected_nmse(padding, BLURS[:3]), strict=True):
        cross = _covariance(places, np.zeros((1, 2)), blur)[:, 0]
        best = np.linalg.solve(_covariance(places, places, blur), cross)
        assert found == pytest.approx(_error_of(best, places, blur), rel=1e-6)


@functools.cache
def _blurred_noise(blur, size=128, maps=12):
    noise = np.random.default_rng(3).standard_normal((maps, size * FINE, size * FINE))
    return ndimage.gaussian_filter(noise, blur * FINE, axes=(1, 2), mode="wrap")[:, ::FINE, ::FINE]


@pytest.mark.parametrize("blur", [0.5, 1.0])
@pytest.mark.parametrize("padding", ["zero", "repl", "refl", "extr2", "extr3", "lp1x1cs", "lp2x3"])
def test_paddings_of_the_library_have_the_expected_error_on_blurred_noise(padding, blur):
    truth = _blurred_noise(blur)
    padded = padding_from_name(padding, 1)(jnp.asarray(truth[:, 1:-1, 1:-1], jnp.float32))
    ring = np.ones(truth.shape[1:], bool)
    ring[1:-1, 1:-1] = ring[[0, 0, -1, -1], [0, -1, 0, -1]] = False
    error = np.mean((np.asarray(padded) - truth)[:, ring] ** 2) / truth.var()
    assert error == pytest.approx(expected_nmse(padding, np.array([blur]))[0], rel=0.12)


def test_linear_prediction_beats_the_mean_and_replication_everywhere():
    blurs = np.linspace(0.2, 4, 40)
    best = expected_nmse("lp1x1cs", blurs)
    assert (best < 1).all()
    assert (best < expected_nmse("repl", blurs)).all()
    assert (expected_nmse("lp2x1", blurs) < best).all()
    assert expected_nmse("lp6x7", np.array([0.01])) == 1


@pytest.mark.parametrize(
    ("padding", "blur", "named"),
    [
        ("rand", 1.0, "no expected error is known of 'rand'"),
        ("reflect", 1.0, "did you mean 'refl'"),
        ("part", 1.0, "'part' is not a padding"),
        ("repl", 0.0, "blur: 0.0 is not above 0"),
        ("repl", np.nan, "blur: nan is not above 0"),
    ],
)
def test_what_has_no_expected_error_is_named(padding, blur, named):
    with pytest.raises(ConfigurationError, match=named):
        expected_nmse(padding, np.array([blur]))
