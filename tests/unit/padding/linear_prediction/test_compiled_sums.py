"""The change of sums of products, which kernels give as the difference of two of them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spatial_prediction import native
from spatial_prediction.padding.linear_prediction.lagged_products import lagged_products

LAGS = [(0, 0), (0, 1), (1, -1)]


def changed(x, change):
    return jax.jvp(lambda x: lagged_products(x, LAGS, "tukey")[1], (x,), (change,))[1]


@pytest.mark.skipif(not native.available(), reason="the kernels are not compiled here")
@pytest.mark.parametrize("size", [1e-12, 1, 1e12])
def test_a_change_far_smaller_or_larger_than_the_map_is_not_rounded_away(size):
    rng = np.random.default_rng(0)
    x = (100 + rng.normal(size=(8, 8, 3))).astype(np.float32)
    change = (size * rng.normal(size=x.shape)).astype(np.float32)
    found = np.asarray(changed(jnp.asarray(x), jnp.asarray(change)), np.float64)
    with jax.enable_x64(True):
        expected = np.asarray(changed(jnp.asarray(x, jnp.float64), jnp.asarray(change, jnp.float64)))
    np.testing.assert_allclose(found / size, expected / size, atol=2e-3)  # of sums of some 10 to 100


def test_where_nothing_changes_the_change_is_zero():
    x = jnp.asarray(np.random.default_rng(0).normal(size=(8, 8, 3)), jnp.float32)
    zero = jnp.zeros_like(x)
    for primal, change in ((x, zero), (zero, x), (zero, zero)):
        np.testing.assert_array_equal(changed(primal, change), 0)
