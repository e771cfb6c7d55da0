from fractions import Fraction
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spatial_prediction.convolution import DifferentialConv2d, differential_convolution
from spatial_prediction.padding import LagrangeExtrapolation

pytestmark = pytest.mark.usefixtures("quick_compilation")
KEY = jax.random.key(0)
SHAPES = [(1, 1), (1, 4), (2, 3), (3, 3), (5, 2), (6, 9)]


def noise(shape, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def integers(shape, seed=0):
    return np.random.default_rng(seed).integers(-9, 10, size=shape)


def transformation(window, taps, shift):
    """T of K' = T K: row j has the Lagrange basis polynomial of sample j at the taps' places."""

    def basis(j, t):
        product = Fraction(1)
        for m in range(window):
            if m != j:
                product *= Fraction(t - m, j - m)
        return product

    return [[basis(j, t + shift) for t in range(taps)] for j in range(window)]


def window_and_transformation(position, length, taps):
    """First pixel of the nearest complete window (or the whole axis), and how to transform the kernel."""
    window = min(taps, length)
    first = min(max(position - taps // 2, 0), length - window)
    return first, window, transformation(window, taps, position - taps // 2 - first)


def by_transformed_kernels(x, kernel):
    """The published definition in exact arithmetic: one map, one channel, stride and dilation 1."""
    y = np.zeros(x.shape)
    for i, j in np.ndindex(y.shape):
        row, rows, row_t = window_and_transformation(i, x.shape[0], kernel.shape[0])
        column, columns, column_t = window_and_transformation(j, x.shape[1], kernel.shape[1])
        transformed = np.array(row_t) @ kernel.astype(object) @ np.array(column_t).T
        y[i, j] = (transformed * x[row : row + rows, column : column + columns]).sum()
    return y


def convolved(x, kernel, bias=None, **options):
    """One map and one kernel without channels, in float64."""

    def add_channels(values):
        return jnp.asarray(values, jnp.float64)[..., None, None]

    options = {name: add_channels(v) if name == "edge_kernel" else v for name, v in options.items()}
    function = partial(differential_convolution, **options)
    return jax.jit(function)(add_channels(x)[..., 0], add_channels(kernel), bias)[..., 0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_worked_example(dtype):
    with jax.enable_x64(dtype == np.float64):
        x = jnp.asarray([[[1], [4], [9], [16]]], dtype)
        y = differential_convolution(x, jnp.ones((1, 3, 1, 1), dtype))
    assert y.dtype == dtype
    np.testing.assert_array_equal(y[0, :, 0], [5, 14, 29, 50])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [(1, 1), (3, 3), (5, 5), (3, 7)])
def test_it_applies_transformed_kernels_to_the_nearest_complete_windows(shape, size):
    x, kernel = integers(shape), integers(size, 1)
    with jax.enable_x64(True):
        y = convolved(x, kernel)
    np.testing.assert_array_equal(y, by_transformed_kernels(x, kernel))  # integers: not a bit may differ


@pytest.mark.parametrize(("size", "dilation"), [((3, 3), (2, 2)), ((3, 5), (1, 3)), ((5, 3), (3, 2))])
@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (5, 2), (6, 9)])
def test_dilated_it_does_so_on_each_phase_of_the_map(size, dilation, shape):
    x, kernel = integers(shape), integers(size, 1)
    with jax.enable_x64(True):
        y = convolved(x, kernel, dilation=dilation)
    for phase in np.ndindex(*dilation):
        take = tuple(slice(first, None, step) for first, step in zip(phase, dilation, strict=True))
        np.testing.assert_array_equal(y[take], by_transformed_kernels(x[take], kernel))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [1, 3, 5])
def test_it_is_lagrange_extrapolation_then_a_valid_convolution(shape, size):
    x = noise((3, *shape))
    with jax.enable_x64(True):
        layer = DifferentialConv2d(3, 2, size, key=KEY)
        plain = eqx.nn.Conv2d(3, 2, size, key=KEY)
        y, expected = (
            eqx.filter_jit(layer)(jnp.asarray(x)),
            plain(LagrangeExtrapolation(size // 2, size)(jnp.asarray(x))),
        )
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-13 * np.abs(expected).max())


@pytest.mark.parametrize(("stride", "dilation"), [((2, 2), 1), ((1, 3), 2), ((4, 2), 1)])
@pytest.mark.parametrize("options", [{}, {"keep_border_gradient": False}, {"edge_kernel": True}], ids=str)
@pytest.mark.parametrize("shape", [(1, 1), (4, 5), (12, 11)])
def test_with_a_stride_it_leaves_results_out(stride, dilation, options, shape):
    x = jnp.asarray(noise((2, *shape), dtype=np.float32))
    layer = DifferentialConv2d(2, 2, 3, stride, dilation, **options, key=KEY)
    every = DifferentialConv2d(2, 2, 3, 1, dilation, **options, key=KEY)
    if options.get("edge_kernel"):
        layer, every = (eqx.tree_at(lambda m: m.edge_weight, m, 2 * m.edge_weight) for m in (layer, every))
    expected = eqx.filter_jit(every)(x)[:, :: stride[0], :: stride[1]]
    np.testing.assert_allclose(eqx.filter_jit(layer)(x), expected, rtol=1e-4, atol=1e-5)


def incomplete(shape, size, dilation):
    missing = [
        np.minimum(np.arange(n), n - 1 - np.arange(n)) < k // 2 * d
        for n, k, d in zip(shape, size, dilation, strict=True)
    ]
    return jnp.asarray(missing[0][:, None] | missing[1])


BORDERS = [
    ((6, 9), (3, 5), (1, 1)),
    ((9, 8), (3, 3), (2, 1)),
    ((7, 5), (1, 3), (1, 1)),
    ((7, 5), (5, 1), (1, 1)),
    ((2, 9), (3, 3), (1, 1)),
    ((1, 1), (3, 3), (1, 1)),
    ((4, 5), (1, 1), (1, 1)),
]


@pytest.mark.parametrize(("shape", "size", "dilation"), BORDERS)
@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("edge", [True, False])
def test_border_windows_take_the_edge_kernel_and_may_hold_back_their_gradient(
    shape, size, dilation, keep, edge
):
    with jax.enable_x64(True):
        x, kernel, edge_kernel = (jnp.asarray(noise(s, i)) for i, s in enumerate((shape, size, size)))
        bias, edge_bias = jnp.asarray([0.5]), jnp.asarray([-2.0])
        border = incomplete(shape, size, dilation)
        weights = jnp.cos(jnp.arange(x.size, dtype=x.dtype)).reshape(shape)

        def expected(x, kernel, edge_kernel):
            inside = convolved(x, kernel, bias, dilation=dilation)
            source = x if keep else jax.lax.stop_gradient(x)
            parameters = (edge_kernel, edge_bias) if edge else (kernel, bias)
            return jnp.where(border, convolved(source, *parameters, dilation=dilation), inside)

        def actual(x, kernel, edge_kernel):
            options = {"edge_kernel": edge_kernel, "edge_bias": edge_bias} if edge else {}
            return convolved(x, kernel, bias, dilation=dilation, keep_border_gradient=keep, **options)

        def evaluated(function):
            def loss(*arguments):
                y = function(*arguments)
                return jnp.sum(weights * y), y

            return jax.jit(jax.grad(loss, (0, 1, 2), has_aux=True))(x, kernel, edge_kernel)

        for value, wanted in zip(
            jax.tree.leaves(evaluated(actual)), jax.tree.leaves(evaluated(expected)), strict=True
        ):
            np.testing.assert_allclose(value, wanted, rtol=0, atol=1e-11)


def test_an_untrained_edge_kernel_changes_nothing():
    x = jnp.asarray(noise((3, 6, 7), dtype=np.float32))
    layer = DifferentialConv2d(3, 2, 5, key=KEY)
    with_edge = DifferentialConv2d(3, 2, 5, edge_kernel=True, key=KEY)
    np.testing.assert_allclose(with_edge(x), layer(x), rtol=1e-4, atol=1e-4)
    without_bias = DifferentialConv2d(3, 2, 5, use_bias=False, edge_kernel=True, key=KEY)
    assert without_bias.edge_bias is None
    assert with_edge.edge_weight is not with_edge.weight


@pytest.mark.parametrize("options", [{}, {"keep_border_gradient": False}, {"edge_kernel": True}], ids=str)
def test_the_function_is_the_layer_on_channels_last_batches(options):
    layer = DifferentialConv2d(2, 4, (3, 5), groups=2, **options, key=KEY)
    x = jnp.asarray(noise((2, 3, 2, 4, 7), dtype=np.float32))
    kernel, bias = jnp.transpose(layer.weight, (2, 3, 1, 0)), layer.bias[:, 0, 0]
    if options.get("edge_kernel"):
        options = {"edge_kernel": kernel, "edge_bias": bias}
    y = differential_convolution(jnp.moveaxis(x, 2, -1), kernel, bias, **options)
    expected = eqx.filter_jit(eqx.filter_vmap(eqx.filter_vmap(layer)))(x)
    np.testing.assert_allclose(jnp.moveaxis(y, -1, 2), expected, rtol=1e-4, atol=1e-4)


def test_half_precision_keeps_constants_though_weights_are_large():
    y = differential_convolution(jnp.ones((9, 9, 1), jnp.bfloat16), jnp.ones((7, 7, 1, 1), jnp.bfloat16))
    assert y.dtype == jnp.bfloat16
    np.testing.assert_array_equal(y, 49)


def test_arguments_that_cannot_be_used_are_refused():
    with pytest.raises(ValueError, match=r"kernel_size must be odd .* got \(2, 3\)"):
        DifferentialConv2d(1, 1, (2, 3), key=KEY)
    with pytest.raises(ValueError, match="kernel_size must be odd"):
        differential_convolution(jnp.zeros((4, 4, 1)), jnp.zeros((3, 4, 1, 1)))
    with pytest.raises(ValueError, match="edge_bias was given without edge_kernel"):
        differential_convolution(jnp.zeros((4, 4, 1)), jnp.zeros((3, 3, 1, 1)), edge_bias=jnp.zeros(1))
    with pytest.raises(ValueError, match=r"x must have shape \(1, height, width\).*jax.vmap"):
        DifferentialConv2d(1, 1, 3, key=KEY)(jnp.zeros((3, 4, 4)))
