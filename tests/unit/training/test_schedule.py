"""The learning rate is the published one."""

import jax
import numpy as np
import optax
import pytest

from spatial_prediction.training import learning_rate, optimizer
from spatial_prediction.training_settings import TrainingSettings

PUBLISHED = TrainingSettings()


@pytest.fixture(scope="module", autouse=True)
def _dtypes_promoted_as_optax_needs():
    with jax.numpy_dtype_promotion("standard"):
        yield


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (0, 5e-6),
        (1, 5e-6 + (0.014 - 5e-6) / 100),
        (50, (5e-6 + 0.014) / 2),
        (100, 0.014),
        (101, 0.014),
        (999_999, 0.014),
        (1_000_000, 0.014),
        (1_250_000, 0.007),
        (1_499_999, 0.014 / 500_000),
        (1_500_000, 0.0),
    ],
)
def test_the_published_rate_rises_stays_and_falls_to_zero(step, expected):
    # single precision resolves 1 part in 2^24 of the full rate
    assert float(learning_rate(PUBLISHED)(step)) == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_the_published_rate_is_a_piecewise_linear_interpolation():
    steps = np.concatenate([np.arange(0, 200), np.arange(200, 1_500_001, 9973), [1_499_999, 1_500_000]])
    scales = {100: 0.014 / 5e-6, 1_000_000: 1.0, 1_500_000: 0.0}
    expected = jax.vmap(optax.piecewise_interpolate_schedule("linear", 5e-6, scales))(steps)
    found = jax.vmap(learning_rate(PUBLISHED))(steps)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8)


def test_a_warmup_that_ends_where_the_fall_begins_reaches_the_full_rate():
    settings = TrainingSettings(steps=30, warmup_steps=10, decay_start=10, learning_rate=2.0)
    rates = [float(learning_rate(settings)(step)) for step in (9, 10, 11, 30)]
    assert rates == pytest.approx([1.8000005, 2.0, 1.9, 0.0], rel=1e-6)


def test_the_first_update_is_adams_with_the_first_rate():
    settings = TrainingSettings(initial_learning_rate=0.5, adam_epsilon=0.25)
    optimise = optimizer(settings)
    gradient = np.array([3.0, -0.5], np.float32)
    change, _ = optimise.update(gradient, optimise.init(gradient))
    # bias-corrected moments of a single gradient are itself and its square
    np.testing.assert_allclose(change, -0.5 * gradient / (np.abs(gradient) + 0.25), rtol=1e-5)
