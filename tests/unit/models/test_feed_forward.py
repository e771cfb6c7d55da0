"""The feed-forward part: its kernel computes what XLA computes, derivatives included."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.arrays import assert_close, by_kernels_and_xla

from spatial_prediction import native
from spatial_prediction.models._convolution import Convolution
from spatial_prediction.models._feed_forward import FeedForward

pytestmark = [
    pytest.mark.usefixtures("quick_compilation"),
    pytest.mark.skipif(
        not native.available(), reason="kernels are not compiled (python -m spatial_prediction.native)"
    ),
]

SHAPES = [(1, 1, 1, 16), (2, 9, 8, 16), (1, 40, 31, 3), (2, 3, 5, 17), (0, 4, 4, 16)]


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


def example(shape, dtype, scale=3.0):
    block = FeedForward.initialised(shape[-1], key=jax.random.key(0))
    x = scale * np.random.default_rng(0).normal(size=shape)
    return jax.tree.map(lambda leaf: leaf.astype(dtype), (block, jnp.asarray(x)))


def with_gradients(block, x):
    y, pullback = jax.vjp(lambda block, x: block(x), block, x)
    return y, pullback(jnp.cos(y))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-13), (np.float32, 2e-6)])
def test_values_and_gradients(shape, dtype, tolerance, monkeypatch):
    assert_close(*by_kernels_and_xla(monkeypatch, with_gradients, *example(shape, dtype)), tolerance)


def test_second_derivatives(monkeypatch):
    def slope(block, x):
        return jax.grad(lambda b, x: sum(jnp.sum(jnp.sin(v)) for v in jax.tree.leaves(with_gradients(b, x))))(
            block, x
        )

    assert_close(*by_kernels_and_xla(monkeypatch, slope, *example((2, 3, 4, 5), np.float64)), 1e-12)


@pytest.mark.parametrize("axes", [(None, 0), (0, None), (0, 0)], ids=str)
def test_a_mapped_axis_of_maps_or_of_weights(axes, monkeypatch):
    block, x = example((3, 2, 4, 5, 16), np.float64)
    blocks = jax.tree.map(lambda leaf: jnp.stack([leaf, 2 * leaf, -leaf]), block)
    arguments = (blocks if axes[0] == 0 else block), (x if axes[1] == 0 else x[0])
    assert_close(*by_kernels_and_xla(monkeypatch, jax.vmap(with_gradients, axes), *arguments), 1e-13)


def gelu_and_slope(x):
    """GELU by the hyperbolic tangent, and its derivative, in numbers longer than any under test."""
    x = np.asarray(x, np.longdouble)
    scale, cubic = np.sqrt(2 / np.pi, dtype=np.longdouble), np.longdouble("0.044715")
    with np.errstate(over="ignore"):
        inner = scale * (x + cubic * x**3)
        steepness = np.where(np.abs(inner) < 50, np.cosh(np.clip(inner, -50, 50)) ** -2, 0)
    share = (1 + np.tanh(inner)) / 2
    return x * share, share + x / 2 * steepness * scale * (1 + 3 * cubic * x**2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gelu_of_numbers_of_any_size(dtype):
    """Expansion and reduction hand on what they get: the block adds GELU itself."""
    expand, reduce = (
        Convolution(matrix[None, None].astype(dtype), jnp.zeros(matrix.shape[-1], dtype))
        for matrix in (jnp.eye(8, 16), jnp.eye(16, 8))
    )
    steps = np.concatenate([np.linspace(-12, 12, 961), [-1e12, -1e3, -100, 100, 1e3, 1e12, -0.0]])
    x = jnp.asarray(steps.reshape(1, 11, 11, 8), dtype)
    y, pullback = jax.vjp(FeedForward(expand, reduce), x)
    expected, slope = gelu_and_slope(x)
    tolerance = 4 * float(np.finfo(dtype).eps)
    np.testing.assert_allclose(y, np.asarray(np.asarray(x) + expected, dtype), rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(
        pullback(jnp.ones_like(y))[0], np.asarray(1 + slope, dtype), rtol=tolerance, atol=tolerance
    )


def test_what_is_no_number_stays_none(monkeypatch):
    block, x = example((1, 4, 4, 16), np.float32)
    y = block(x.at[0, 1, 2, 3].set(jnp.nan))
    assert np.isnan(y[0, 1, 2]).all()
    assert np.isfinite(np.delete(np.asarray(y).reshape(16, 16), 6, axis=0)).all()
