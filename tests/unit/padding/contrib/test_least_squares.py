"""Least squares over the map or near the border, against solutions by NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spatial_prediction.padding.contrib import LeastSquaresPrediction

pytestmark = pytest.mark.usefixtures("quick_compilation")

BELOW = ((0, 1), (0, 0))


def rough(shape, seed=0):
    """Noise smoothed a little, so that neighbours tell of each other."""
    x = np.random.default_rng(seed).normal(size=shape)
    return x + 0.7 * np.roll(x, 1, -2) + 0.5 * np.roll(x, 1, -1)


def bottom_row(padding, x):
    with jax.enable_x64(True):
        return np.asarray(jax.jit(padding.__call__)(jnp.asarray(x)))[:, -1]


def below_by_least_squares(z, length, width, weights):
    """Predict the row below ``z`` with weighted least squares over places, ``weights`` by their row."""
    height, breadth = z.shape
    places = [(y, x) for y in range(height - length) for x in range(breadth - width + 1)]
    known = np.array([z[y : y + length, x : x + width].ravel() for y, x in places])
    targets = np.array([z[y + length, x : x + width] for y, x in places])
    root = np.sqrt(np.repeat(weights, breadth - width + 1))[:, None]
    solution, *_ = np.linalg.lstsq(root * known, root * targets, rcond=None)
    row = []
    for x in range(breadth):
        first = min(max(x - width // 2, 0), breadth - width)
        row.append(z[height - length :, first : first + width].ravel() @ solution[:, x - first])
    return np.array(row)


@pytest.mark.parametrize(("length", "width"), [(1, 1), (2, 1), (2, 3)])
@pytest.mark.parametrize("option", [{}, {"band": 6}, {"decay": 3.0}, {"band": 7, "decay": 2.0}], ids=str)
def test_coefficients_are_those_of_weighted_least_squares(length, width, option):
    x = rough((2, 12, 11))
    padding = LeastSquaresPrediction(BELOW, length, width, ridge=0.0, **option)
    band = option.get("band", 12)
    distance = np.arange(band - length)[::-1]
    weights = np.exp(-distance / option["decay"]) if "decay" in option else np.ones(band - length)
    for channel, found in zip(x, bottom_row(padding, x), strict=True):
        z = channel - channel.mean()
        expected = below_by_least_squares(z[12 - band :], length, width, weights) + channel.mean()
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


def test_pixels_outside_the_band_only_shift_the_mean():
    x = rough((1, 12, 9))
    other = x.copy()
    other[0, :5] = rough((1, 5, 9), seed=1)[0]
    other[0, :5] += x[0, :5].mean() - other[0, :5].mean()
    padding = LeastSquaresPrediction(BELOW, 2, 3, band=6)
    np.testing.assert_allclose(bottom_row(padding, other), bottom_row(padding, x), rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"band": 2}, "a band of 2 pixels holds no complete neighbourhood of length 2"),
        ({"decay": 0.0}, "decay must be positive, in pixels, got 0.0"),
    ],
)
def test_options_without_meaning_are_refused(option, message):
    with pytest.raises(ValueError, match=message):
        LeastSquaresPrediction(1, 2, 3, **option)
