"""The convolution that never makes the padded map equals the one that does, and is taken where it can be."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spatial_prediction import native
from spatial_prediction.convolution import PaddedConv2d, convolve
from spatial_prediction.padding import padding_from_name

pytestmark = pytest.mark.usefixtures("quick_compilation")

NAMES = ["zero", "repl", "refl", "circ", "extr2", "lp1x1cs", "lp2x3"]
CASES = [
    # map, kernel, pad width, settings
    ((2, 9, 8, 3), (3, 3, 3, 4), 1, {}),
    ((1, 7, 6, 4), (5, 3, 4, 4), ((2, 2), (1, 1)), {}),
    ((2, 2, 8, 9, 2), (3, 5, 2, 1), ((1, 2), (3, 0)), {}),
    ((6, 6, 4), (3, 3, 2, 6), 1, {}),  # two groups, no batch
    ((1, 5, 5, 2), (1, 1, 2, 3), 1, {}),
    ((1, 5, 6, 2), (3, 3, 2, 2), 0, {}),
    ((2, 9, 8, 3), (3, 3, 3, 4), 1, {"stride": (2, 1)}),
    ((2, 9, 8, 4), (3, 3, 2, 4), ((2, 1), (2, 2)), {"stride": 2, "dilation": (1, 2)}),
]
LARGER_KERNELS = [
    # the results of strips would reach beyond the few there are
    ((1, 3, 4, 2), (5, 3, 2, 3), ((0, 2), (1, 1)), {}),
    ((2, 2, 2, 2), (5, 5, 2, 3), 2, {}),
    ((1, 3, 2, 2), (3, 5, 2, 3), ((1, 1), (0, 1)), {}),  # no result at all
]


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


def normal(shape, seed):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape))


def check_against_the_padded_map(name, shape, kernel_shape, pad_width, settings):
    padding = padding_from_name(name, pad_width)
    x, kernel, bias = normal(shape, 0), normal(kernel_shape, 1), normal(kernel_shape[-1:], 2)

    def fused(x, kernel, bias):
        return convolve(x, kernel, bias, padding=padding, **settings)

    def plain(x, kernel, bias):
        return convolve(padding.extend(x), kernel, bias, **settings)

    expected, pullback = jax.vjp(plain, x, kernel, bias)
    actual, fused_pullback = jax.vjp(fused, x, kernel, bias)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-9 * np.abs(expected).max(initial=0))
    cotangent = normal(expected.shape, 3)
    for one, other in zip(fused_pullback(cotangent), pullback(cotangent), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-9 * np.abs(other).max())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_values_and_gradients_are_those_of_the_padded_map(name, case):
    check_against_the_padded_map(name, *case)


@pytest.mark.parametrize("kernels", ["0", "1"])
@pytest.mark.parametrize("case", LARGER_KERNELS, ids=str)
def test_a_kernel_may_be_larger_than_the_map(case, kernels, monkeypatch):
    monkeypatch.setenv(native.DISABLING_VARIABLE, kernels)
    check_against_the_padded_map("repl", *case)


@pytest.mark.parametrize("settings", [{}, {"stride": 2}], ids=str)
def test_a_pad_width_stands_for_zeros_and_crops_where_it_is_negative(settings):
    x, kernel = normal((2, 7, 6, 3), 0), normal((3, 3, 3, 4), 1)
    for padding, widths in ((2, ((2, 2), (2, 2))), (((1, 0), (0, 3)),) * 2):
        padded = jnp.pad(x, [(0, 0), *widths, (0, 0)])
        expected = convolve(padded, kernel, **settings)
        np.testing.assert_allclose(convolve(x, kernel, padding=padding, **settings), expected, atol=1e-12)
    cropped = convolve(x, kernel, padding=((-1, 0), (0, -2)), **settings)
    np.testing.assert_allclose(cropped, convolve(x[:, 1:, :-2], kernel, **settings), atol=1e-12)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"padding": (1, 1)}, "padding must be a number"),
        ({"padding": "SAME"}, "padding must be a number"),
        ({"stride": (1, 1, 1)}, "stride must be one number, or two"),
        ({"dilation": (2,)}, "dilation must be one number, or two"),
    ],
)
def test_what_is_wrong_is_named(wrong, message):
    with pytest.raises((ValueError, TypeError), match=f"{message}|Type-check"):
        convolve(jnp.ones((5, 5, 2)), jnp.ones((3, 3, 2, 1)), **wrong)


@pytest.mark.parametrize(
    ("name", "height", "width"),
    [("zero", 9, 8), ("lp2x3", 9, 8), ("repl", 11, 10)],  # XLA pads by repetition while it transposes
)
def test_a_mapped_layer_calls_the_kernel_once(name, height, width):
    if not native.available():
        pytest.skip("kernels are not compiled (python -m spatial_prediction.native)")
    layer = PaddedConv2d(3, 4, 3, padding_mode=name, key=jax.random.key(0))
    program = jax.jit(jax.vmap(layer)).lower(jnp.zeros((5, 3, 9, 8))).as_text()
    calls = [line for line in program.splitlines() if "@convolution_float" in line]
    assert len(calls) == 1
    assert f"(tensor<5x{height}x{width}x3xf64>" in calls[0]
