"""A map handed on with its frame: the same frame, and the gradient of both ways together."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spatial_prediction.convolution import convolve
from spatial_prediction.padding import AbstractPadding, Sides, padding_from_name

pytestmark = pytest.mark.usefixtures("quick_compilation")

NAMES = ["zero", "repl", "refl", "circ", "rand", "extr3", "lp2x1cs", "lp2x3c", "lp2x3"]
WIDTHS = [1, ((3, 0), (1, 2))]


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


def normal(*shape):
    return jnp.asarray(np.random.default_rng(0).normal(size=shape))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("pad_width", WIDTHS, ids=str)
@pytest.mark.parametrize("shape", [(2, 9, 8, 3), (4, 5, 2)], ids=str)
def test_frame_and_gradient(name, pad_width, shape):
    padding, x = padding_from_name(name, pad_width), normal(*shape)

    def combined(framed):
        def total(x):
            again, frame = framed(x)
            return jnp.sum(jnp.sin(again)) + sum(jnp.sum(jnp.cos(strip)) for strip in frame)

        return jax.jit(lambda x: (framed(x), jax.grad(total)(x)))(x)

    actual, expected = combined(padding.with_frame), combined(lambda x: (x, padding.frame(x)))
    for one, other in zip(jax.tree.leaves(actual), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-9 * np.abs(other).max(initial=1))


@pytest.mark.parametrize("name", ["repl", "refl", "circ", "extr2"])
def test_simple_paddings_keep_forward_mode(name):
    padding, x = padding_from_name(name, 2), normal(5, 6, 2)
    _, tangent = jax.jvp(padding.extend, (x,), (x,))
    np.testing.assert_allclose(tangent, padding.extend(x), atol=1e-12)  # they are linear


class _MeanPadding(AbstractPadding):
    """A padding as others may write them, with nothing but a frame."""

    pad_width: tuple = eqx.field(static=True, default=((1, 1), (1, 1)))

    def frame(self, x):
        mean = x.mean((-3, -2), keepdims=True)
        height, width = x.shape[-3:-1]
        row = jnp.broadcast_to(mean, (*x.shape[:-3], 1, width + 2, x.shape[-1]))
        column = jnp.broadcast_to(mean, (*x.shape[:-3], height, 1, x.shape[-1]))
        return Sides(row, row, column, column)


def test_a_padding_that_defines_its_frame_alone_can_be_convolved_with():
    padding, x, kernel = _MeanPadding(), normal(2, 6, 5, 3), normal(3, 3, 3, 4)

    def gradients(convolution):
        return jax.jit(jax.grad(lambda x, kernel: jnp.sum(jnp.sin(convolution(x, kernel))), (0, 1)))(
            x, kernel
        )

    actual = gradients(lambda x, kernel: convolve(x, kernel, padding=padding))
    expected = gradients(lambda x, kernel: convolve(padding.extend(x), kernel))
    for one, other in zip(actual, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-10)
