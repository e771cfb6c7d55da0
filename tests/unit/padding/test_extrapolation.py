import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spatial_prediction.padding import LagrangeExtrapolation, ReplicatePadding
from spatial_prediction.padding._extrapolation import extrapolation_weights


@pytest.mark.parametrize("order", range(1, 7))
def test_weights_are_those_of_a_polynomial_fit(order):
    steps = 4
    samples = np.eye(order)  # one at a time, so that the fitted value is its weight
    fit = np.polynomial.polynomial.polyfit(np.arange(order), samples, order - 1)
    expected = np.polynomial.polynomial.polyval(-np.arange(1.0, steps + 1), fit).T
    # A fit of degree 5 by least squares loses a few digits; the weights go up to 1260.
    np.testing.assert_allclose(extrapolation_weights(order, steps), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("order", [1, 2, 3, 5, 9, 12])
def test_weights_are_integers_that_sum_to_one(order):
    weights = extrapolation_weights(order, 5)
    np.testing.assert_array_equal(weights, np.round(weights))
    np.testing.assert_array_equal(weights.sum(axis=1), 1)


@pytest.mark.parametrize(
    ("order", "step", "weights"),
    [
        (1, 0, [1]),
        (2, 0, [2, -1]),
        (2, 1, [3, -2]),
        (3, 0, [3, -3, 1]),
        (3, 1, [6, -8, 3]),
        (5, 0, [5, -10, 10, -5, 1]),
    ],
)
def test_weights_are_the_known_ones(order, step, weights):
    np.testing.assert_array_equal(extrapolation_weights(order, step + 1)[step], weights)


def test_no_steps_need_no_weights():
    assert extrapolation_weights(3, 0).shape == (0, 3)


def test_first_order_is_replication():
    x = jnp.asarray(np.random.default_rng(0).normal(size=(2, 4, 5)), jnp.float32)
    pad_width = ((3, 1), (0, 2))
    np.testing.assert_array_equal(LagrangeExtrapolation(pad_width, 1)(x), ReplicatePadding(pad_width)(x))


def test_a_map_smaller_than_the_order_lowers_it():
    x = jnp.array([[[1.0, 3.0]]])  # one row: replicated; two columns: the slope
    y = LagrangeExtrapolation(((1, 1), (1, 1)), 5)(x)
    np.testing.assert_array_equal(y[0], [[-1, 1, 3, 5]] * 3)


def test_a_recursion_of_single_steps_is_the_extrapolation_of_many():
    x = jnp.array([[[0.0, 1.0, 8.0, 27.0]]])
    at_once = LagrangeExtrapolation(((0, 0), (0, 3)), 3)(x)
    one_by_one = x
    for _ in range(3):
        one_by_one = LagrangeExtrapolation(((0, 0), (0, 1)), 3)(one_by_one)
    np.testing.assert_array_equal(at_once, one_by_one)


def test_its_transpose_distributes_the_weights():
    gradient = jax.grad(lambda x: LagrangeExtrapolation(((0, 0), (1, 0)), 3)(x)[0, 0, 0])(jnp.ones((1, 1, 4)))
    np.testing.assert_array_equal(gradient, [[[3, -3, 1, 0]]])


def test_order_zero_is_refused():
    with pytest.raises(ValueError, match="order must be at least 1"):
        LagrangeExtrapolation(1, 0)
