"""The choice among extrapolations, for maps whose best one is known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spatial_prediction.padding.contrib import ChosenExtrapolation

pytestmark = pytest.mark.usefixtures("quick_compilation")


@pytest.mark.parametrize(
    ("rows", "weights"),
    [
        ("noise", [0]),
        ("a walk", [1]),
        ("a cotangent that changes now and then", [2, -1]),
        ("a parabola", [3, -3, 1]),
    ],
)
def test_the_order_is_chosen_that_errs_the_least(rows, weights):
    noise = np.random.default_rng(0).normal(size=(1, 40, 6))
    x = {
        "noise": noise,
        "a walk": noise.cumsum(1),
        "a cotangent that changes now and then": (noise.cumsum(1)).cumsum(1),
        "a parabola": np.arange(40.0)[None, :, None] ** 2 * [1, 2, 3, 4, 5, 6],
    }[rows]
    nearest_first = x[:, ::-1][:, : len(weights)] - x.mean()
    expected = np.tensordot(weights, nearest_first, axes=(0, 1)) + x.mean()
    with jax.enable_x64(True):
        found = ChosenExtrapolation(((0, 1), (0, 0)))(jnp.asarray(x))[:, -1]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-8)
