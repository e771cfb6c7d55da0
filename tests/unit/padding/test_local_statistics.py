"""Statistics across channels and over the batch, against solutions by NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spatial_prediction.padding import (
    AcrossChannelsPrediction,
    AutocorrelationPrediction,
)

pytestmark = pytest.mark.usefixtures("quick_compilation")

BELOW = ((0, 1), (0, 0))


def rough(shape, seed=0):
    """Noise smoothed a little, so that neighbours tell of each other."""
    x = np.random.default_rng(seed).normal(size=shape)
    return x + 0.7 * np.roll(x, 1, -2) + 0.5 * np.roll(x, 1, -1)


def bottom_row(padding, x):
    with jax.enable_x64(True):
        return np.asarray(jax.jit(padding.__call__)(jnp.asarray(x)))[:, -1]


def windows(z, length, width):
    """Rows of known pixels and of the pixels below them, for every place in ``z`` (height, breadth)."""
    height, breadth = z.shape
    places = [(y, x) for y in range(height - length) for x in range(breadth - width + 1)]
    known = np.array([z[y : y + length, x : x + width].ravel() for y, x in places])
    return known, np.array([z[y + length, x : x + width] for y, x in places])


@pytest.mark.parametrize(("length", "width"), [(1, 1), (2, 3)])
def test_prediction_across_channels_is_ridge_regression_about_replication(length, width):
    shrinkage = 0.05
    x = rough((3, 9, 8))
    z = x - x.mean(axis=(1, 2), keepdims=True)
    per_channel = [windows(channel, length, width) for channel in z]
    known = np.stack([each[0] for each in per_channel], axis=-1)  # places, pixels, channels
    known = known.reshape(len(known), -1)
    ridge = shrinkage * np.trace(known.T @ known) / known.shape[1] * np.eye(known.shape[1])
    found = bottom_row(AcrossChannelsPrediction(BELOW, length, width, shrinkage=shrinkage), x)
    for channel in range(3):
        for column in range(8):
            first = min(max(column - width // 2, 0), 8 - width)
            nearest = ((length - 1) * width + column - first) * 3 + channel
            target = per_channel[channel][1][:, column - first]
            residual = target - known[:, nearest]
            coefficients = np.linalg.solve(known.T @ known + ridge, known.T @ residual)
            coefficients[nearest] += 1
            here = np.moveaxis(z[:, 9 - length :, first : first + width], 0, -1).ravel()
            expected = here @ coefficients + x[channel].mean()
            np.testing.assert_allclose(found[channel, column], expected, rtol=0, atol=1e-9)


def test_a_channel_that_shows_another_ahead_predicts_it():
    x = rough((1, 16, 12))
    ahead = np.roll(x, -1, axis=1)  # its last row is the first of x: what follows x around the circle
    ahead[:, -1] = rough((1, 1, 12), seed=3)[:, 0]
    ahead[:, -1] += 16 * (x.mean() - ahead.mean())  # the means are taken off
    both = np.concatenate([x, ahead])
    predicted = bottom_row(AcrossChannelsPrediction(BELOW, 1, 1, shrinkage=1e-6), both)[0]
    np.testing.assert_allclose(predicted, ahead[0, -1], rtol=0, atol=1e-3)


def test_statistics_over_the_batch_are_the_mean_of_those_of_the_maps():
    with jax.enable_x64(True):
        x = jnp.asarray(np.moveaxis(rough((4, 2, 10, 9)), 1, -1))
        same = jnp.repeat(x[:1], 3, axis=0)
        alone = AutocorrelationPrediction(1, 2, 3)
        batch = AutocorrelationPrediction(1, 2, 3, over_batch=True)
        np.testing.assert_allclose(batch.extend(same), alone.extend(same), rtol=0, atol=1e-9)
        np.testing.assert_allclose(batch.extend(x[:1]), alone.extend(x[:1]), rtol=0, atol=1e-9)
        pooled = batch.extend(x)
        assert np.abs(pooled - alone.extend(x)).max() > 1e-3
        np.testing.assert_allclose(batch.extend(x[::-1]), pooled[::-1], rtol=0, atol=1e-9)


def test_a_ridge_of_the_variance_does_not_know_the_scale_of_the_map():
    with jax.enable_x64(True):
        x = jnp.asarray(rough((1, 10, 9)))
        padding = AutocorrelationPrediction(1, 2, 3, ridge=1e-2, ridge_of_variance=True)
        np.testing.assert_allclose(padding(1e-4 * x), 1e-4 * padding(x), rtol=0, atol=1e-12)
        absolute = AutocorrelationPrediction(1, 2, 3, ridge=1e-2)
        assert np.abs(absolute(1e-4 * x) - 1e-4 * absolute(x)).max() > 1e-5
        variance = jnp.mean((x - x.mean()) ** 2)
        unwindowed = AutocorrelationPrediction(1, 2, 3, window=None, ridge=float(1e-2 * variance))
        relative = AutocorrelationPrediction(1, 2, 3, window=None, ridge=1e-2, ridge_of_variance=True)
        np.testing.assert_allclose(relative(x), unwindowed(x), rtol=0, atol=1e-9)
