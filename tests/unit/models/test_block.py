"""A convolution and the feed-forward part behind it: their kernels compute what XLA computes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.arrays import assert_close, by_kernels_and_xla

from spatial_prediction import native
from spatial_prediction.models._block import convolve_and_feed_forward
from spatial_prediction.models._convolution import Convolution
from spatial_prediction.models._feed_forward import FeedForward
from spatial_prediction.padding import padding_from_name

pytestmark = [
    pytest.mark.usefixtures("quick_compilation"),
    pytest.mark.skipif(
        not native.available(), reason="kernels are not compiled (python -m spatial_prediction.native)"
    ),
]

SHAPES = [(2, 9, 8, 16), (1, 4, 70, 16), (1, 103, 6, 17), (3, 5, 4, 3)]
"""Few rows, several groups of tiles, several parts of a map, and channels that fill no vector."""


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


def example(shape, dtype, size=3):
    channels = shape[-1]
    keys = jax.random.split(jax.random.key(0), 2)
    layers = (
        Convolution.initialised(channels, channels, size, key=keys[0]),
        FeedForward.initialised(channels, key=keys[1]),
    )
    x = 3 * np.random.default_rng(0).normal(size=shape)
    return jax.tree.map(lambda leaf: leaf.astype(dtype), (*layers, jnp.asarray(x)))


def with_gradients(padding):
    def function(convolution, feed_forward, x):
        def block(*arguments):
            convolution, feed_forward, x = arguments
            return convolve_and_feed_forward(x, convolution, feed_forward, padding=padding)

        y, pullback = jax.vjp(block, convolution, feed_forward, x)
        return y, pullback(jnp.cos(y))

    return function


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("padding", ["none", "zero", "repl"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 2e-5)])
def test_values_and_gradients(padding, shape, dtype, tolerance, monkeypatch):
    padding = None if padding == "none" else padding_from_name(padding, 1)
    assert_close(*by_kernels_and_xla(monkeypatch, with_gradients(padding), *example(shape, dtype)), tolerance)


@pytest.mark.parametrize("pad_width", [((2, 0), (1, 3)), ((4, 5), (5, 4))], ids=str)
@pytest.mark.parametrize("padding", ["zero", "repl"])
@pytest.mark.parametrize("size", [3, 5])
def test_other_widths_and_kernels(size, padding, pad_width, monkeypatch):
    arguments = example((2, 8, 7, 16), np.float32, size)
    function = with_gradients(padding_from_name(padding, pad_width))
    assert_close(*by_kernels_and_xla(monkeypatch, function, *arguments), 2e-5)


def test_a_kernel_that_is_taller_than_a_part_of_a_map(monkeypatch):
    _, feed_forward, _ = example((1, 1, 1, 4), np.float64)
    kernel = np.random.default_rng(1).normal(size=(53, 1, 4, 4)) / 15
    x = jnp.asarray(np.random.default_rng(2).normal(size=(1, 110, 2, 4)))
    layer = Convolution(jnp.asarray(kernel), jnp.zeros(4))
    assert_close(*by_kernels_and_xla(monkeypatch, with_gradients(None), layer, feed_forward, x), 1e-11)


@pytest.mark.parametrize("value", [1e20, np.nan, np.inf])
def test_a_pixel_that_is_no_usual_number_reaches_no_further_than_its_windows(value):
    convolution, feed_forward, x = example((1, 16, 15, 16), np.float32)
    function = with_gradients(padding_from_name("zero", 1))
    y, (_, _, of_x) = function(convolution, feed_forward, x)
    wild, (_, _, of_wild) = function(convolution, feed_forward, x.at[0, 4, 5, 6].set(value))
    # y sees its window, the gradient with respect to x all windows that a pixel is in
    for usual, found, reach in ((y, wild, 1), (of_x, of_wild, 2)):
        far = np.ones((16, 15), bool)
        far[4 - reach : 5 + reach, 5 - reach : 6 + reach] = False
        np.testing.assert_allclose(found[0][far], usual[0][far], rtol=1e-4, atol=1e-4)


def test_second_derivatives(monkeypatch):
    def gradient_of_gradients(*arguments):
        function = with_gradients(padding_from_name("repl", 1))
        return jax.grad(
            lambda *a: sum(jnp.sum(jnp.sin(v)) for v in jax.tree.leaves(function(*a))), argnums=(0, 1, 2)
        )(*arguments)

    assert_close(
        *by_kernels_and_xla(monkeypatch, gradient_of_gradients, *example((2, 4, 3, 5), np.float64)), 1e-11
    )


def test_forward_mode(monkeypatch):
    def changed(convolution, feed_forward, x):
        def block(x):
            return convolve_and_feed_forward(
                x, convolution, feed_forward, padding=padding_from_name("zero", 1)
            )

        return jax.jvp(block, (x,), (jnp.cos(x),))

    assert_close(*by_kernels_and_xla(monkeypatch, changed, *example((2, 4, 5, 16), np.float64)), 1e-12)


@pytest.mark.parametrize("mapped", ["maps", "weights", "both"])
def test_a_mapped_axis(mapped, monkeypatch):
    convolution, feed_forward, x = example((3, 2, 5, 4, 16), np.float64)
    layers = (convolution, feed_forward)
    stacked = jax.tree.map(lambda leaf: jnp.stack([leaf, 2 * leaf, -leaf]), layers)
    arguments = (*(layers if mapped == "maps" else stacked), x[0] if mapped == "weights" else x)
    axes = (*(2 * [None if mapped == "maps" else 0]), None if mapped == "weights" else 0)
    function = jax.vmap(with_gradients(padding_from_name("repl", 1)), axes)
    assert_close(*by_kernels_and_xla(monkeypatch, function, *arguments), 1e-12)
