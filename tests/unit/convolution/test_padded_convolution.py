"""The convolution that never makes the padded map equals the one that does."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spatial_prediction.convolution import convolve, padded_convolution
from spatial_prediction.padding import padding_from_name

pytestmark = pytest.mark.usefixtures("quick_compilation")

NAMES = ["zero", "repl", "refl", "circ", "extr2", "lp1x1cs", "lp2x3"]
CASES = [
    # map, kernel, pad width
    ((2, 9, 8, 3), (3, 3, 3, 4), 1),
    ((1, 7, 6, 4), (5, 3, 4, 4), ((2, 2), (1, 1))),
    ((2, 2, 8, 9, 2), (3, 5, 2, 1), ((1, 2), (3, 0))),
    ((6, 6, 4), (3, 3, 2, 6), 1),  # two groups, no batch
    ((1, 5, 5, 2), (1, 1, 2, 3), 1),
    ((1, 5, 6, 2), (3, 3, 2, 2), 0),
]


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


def normal(shape, seed):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("shape", "kernel_shape", "pad_width"), CASES, ids=str)
def test_values_and_gradients_are_those_of_the_padded_map(name, shape, kernel_shape, pad_width):
    padding = padding_from_name(name, pad_width)
    x, kernel, bias = normal(shape, 0), normal(kernel_shape, 1), normal(kernel_shape[-1:], 2)

    def fused(x, kernel, bias):
        return padded_convolution(x, kernel, bias, padding=padding)

    def plain(x, kernel, bias):
        return convolve(padding.extend(x), kernel, bias)

    expected, pullback = jax.vjp(plain, x, kernel, bias)
    actual, fused_pullback = jax.vjp(fused, x, kernel, bias)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-9 * np.abs(expected).max())
    slope = normal(expected.shape, 3)
    for one, other in zip(fused_pullback(slope), pullback(slope), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-9 * np.abs(other).max())
