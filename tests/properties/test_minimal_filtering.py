"""Convolutions of 3 x 3 that take fewer products: exact as promised, and without a farther reach."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spatial_prediction import native
from spatial_prediction.convolution import convolve
from spatial_prediction.padding import padding_from_name

pytestmark = [
    pytest.mark.usefixtures("quick_compilation"),
    pytest.mark.skipif(
        not native.available(), reason="kernels are not compiled (python -m spatial_prediction.native)"
    ),
]

EPSILON = float(np.finfo(np.float32).eps)


def made(shape, outputs, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=shape).astype(np.float32)
    kernel = (rng.normal(size=(3, 3, shape[-1], outputs)) / np.sqrt(9 * shape[-1])).astype(np.float32)
    return x, kernel, rng.normal(size=outputs).astype(np.float32)


def convolved(*arrays):
    return convolve(*map(jnp.asarray, arrays))


def exact(x, kernel, bias):
    """In double precision, window by window."""
    windows = np.lib.stride_tricks.sliding_window_view(x.astype(np.float64), (3, 3), axis=(1, 2))
    return np.einsum("nhwiab,abio->nhwo", windows, kernel.astype(np.float64)) + bias


@settings(max_examples=25)
@given(
    st.integers(1, 2), st.integers(3, 15), st.integers(3, 75), st.integers(5, 20), st.integers(7, 33),
    st.integers(0, 100),
)  # fmt: skip
def test_any_size_is_near_the_exact_value(maps, height, width, inputs, outputs, seed):
    x, kernel, bias = made((maps, height, width, inputs), outputs, seed)
    error = np.abs(np.asarray(convolved(x, kernel, bias)) - exact(x, kernel, bias))
    assert error.max() < 60 * EPSILON


@pytest.mark.parametrize("pad", ["zero", "repl", "lp2x3"])
def test_gradients_are_near_those_in_double_precision(pad):
    x, kernel, bias = made((2, 13, 22, 16), 16)
    weights = np.random.default_rng(1).normal(size=(2, 13, 22, 16))

    def gradients(dtype):
        def total(x, kernel, bias):
            y = convolve(x, kernel, bias, padding=padding_from_name(pad, 1))
            return jnp.sum(y * jnp.asarray(weights, dtype))

        return jax.jit(jax.grad(total, (0, 1, 2)))(*(jnp.asarray(each, dtype) for each in (x, kernel, bias)))

    found = gradients("float32")
    with jax.enable_x64(True):
        wanted = gradients("float64")
    for one, other in zip(map(np.asarray, found), map(np.asarray, wanted), strict=True):
        assert np.abs(one - other).max() < 60 * EPSILON * np.sqrt(np.mean(np.square(other)))


@pytest.mark.parametrize("value", [1e5, -1e20, 9.97e36, 3e38, np.inf, np.nan])
@pytest.mark.parametrize("place", ["pixel", "column", "row", "wedge"])
def test_fill_values_reach_no_farther_than_the_kernel(value, place):
    x, kernel, bias = made((1, 21, 37, 16), 16)
    where = np.zeros((21, 37), bool)
    if place == "wedge":
        where |= np.add.outer(np.arange(21), np.arange(37)) > 40
    else:
        where[{"pixel": (9, 17), "column": np.s_[:, 17], "row": np.s_[9]}[place]] = True
    ordinary, filled = exact(x, kernel, bias), np.where(where[None, ..., None], np.float32(value), x)
    found = np.asarray(convolved(filled, kernel, bias))
    touched = np.lib.stride_tricks.sliding_window_view(where, (3, 3)).any((-1, -2))
    assert np.abs(found - ordinary)[0, ~touched].max() < 60 * EPSILON
    if np.isfinite(value) and abs(value) < 1e38:
        error = np.abs(found - exact(filled, kernel, bias))[0, touched]
        assert error.max() < 60 * EPSILON * abs(value)

    def total(x, kernel):
        return jnp.sum(jnp.where(touched[..., None], 0, convolve(x, kernel, jnp.asarray(bias))[0]))

    found = jax.grad(total, (0, 1))(jnp.asarray(filled), jnp.asarray(kernel))
    of_x, of_kernel = map(np.asarray, found)
    assert np.isfinite(of_x).all()
    if np.isfinite(value) and abs(value) < 1e30:
        assert np.isfinite(of_kernel).all()


@pytest.mark.parametrize("scale", [1e-30, 1e-18, 1e3, 1e18])
def test_any_scale(scale):
    x, kernel, bias = made((1, 16, 16, 16), 16)
    x, bias = x * np.float32(scale), bias * np.float32(scale)
    error = np.abs(np.asarray(convolved(x, kernel, bias)) - exact(x, kernel, bias))
    assert error.max() < 60 * EPSILON * scale


def test_results_do_not_depend_on_the_batch():
    x, kernel, bias = made((3, 18, 50, 16), 16)
    together = convolved(x, kernel, bias)
    np.testing.assert_array_equal(
        together, np.concatenate([convolved(each[None], kernel, bias) for each in x])
    )


def test_a_kernel_of_groups_does_not_mix_them():
    x, kernel, bias = made((1, 9, 9, 3), 48)
    kernel = kernel * np.repeat(np.eye(3), 16, axis=1)[None, None].astype(np.float32)
    x[..., 1] = np.nan
    y = np.asarray(convolved(x, kernel, bias))
    assert np.isnan(y[..., 16:32]).all()
    assert np.isfinite(y[..., :16]).all()
    assert np.isfinite(y[..., 32:]).all()
