"""Laws that every padding obeys, or that all but a named few obey."""

from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spatial_prediction.padding import (
    PADDING_NAMES,
    AutocorrelationPrediction,
    CovariancePrediction,
    LagrangeExtrapolation,
    padding_from_name,
)

PADDINGS = {name: partial(padding_from_name, name) for name in (*PADDING_NAMES, "extr5")} | {
    "covariance 1x1, not stabilised": partial(CovariancePrediction, length=1, stabilised=False),
    "covariance 2x1, not stabilised": partial(CovariancePrediction, length=2, stabilised=False),
    "covariance 2x1, shared sides": partial(CovariancePrediction, length=2, shared_sides=True),
    "autocorrelation 1x3": partial(AutocorrelationPrediction, length=1, width=3),
    "autocorrelation 2x1, no window": partial(AutocorrelationPrediction, length=2, width=1, window=None),
    "autocorrelation 2x3, ridge of variance": partial(
        AutocorrelationPrediction, length=2, width=3, ridge_of_variance=True
    ),
    "autocorrelation 2x1, transforms": partial(AutocorrelationPrediction, length=2, width=1, sums="fft"),
}
ONE_OF_EACH_KIND = ("zero", "circ", "extr3", "lp2x1cs", "autocorrelation 1x3", "lp3x3", "lp2x3_across")

# Nearly all of the time goes into compiling, so every law that can do with it shares one program a padding:
# float32, TOP_AND_RIGHT, with its gradient. The others run on ONE_OF_EACH_KIND. On an 8x8 map the transforms
# of the "fft" sums have even widths; for odd ones their (published) estimate lacks transposition symmetry.
SHAPE = (2, 8, 8)
VERTICALLY = ((2, 2), (0, 0))
HORIZONTALLY = ((0, 0), (2, 2))
TOP_AND_RIGHT = ((1, 0), (0, 1))
UNEQUAL = ((2, 1), (0, 3))

every_padding = pytest.mark.parametrize("name", PADDINGS)
each_kind = pytest.mark.parametrize("name", ONE_OF_EACH_KIND)
sizes = st.integers(1, 6)
seeds = st.integers(0, 2**32 - 1)
pad_widths = st.tuples(*[st.tuples(st.integers(0, 4), st.integers(0, 4))] * 2)


law = settings(max_examples=15)


pytestmark = pytest.mark.usefixtures("quick_compilation")


@cache
def program(name, pad_width):
    return jax.jit(PADDINGS[name](pad_width).__call__)


@cache
def program_with_gradient(name, pad_width):
    padding = PADDINGS[name](pad_width)

    def weighted_sum(x):
        y = padding(x)
        return jnp.sum(y * jnp.cos(jnp.arange(y.size, dtype=y.dtype)).reshape(y.shape)), y

    return jax.jit(jax.value_and_grad(weighted_sum, has_aux=True))


def padded(name, pad_width, x):
    """Pad in the precision of ``x``."""
    with jax.enable_x64(x.dtype == np.float64):
        return np.asarray(program(name, pad_width)(jnp.asarray(x)))


def padded_with_gradient(name, x):
    (_, y), gradient = program_with_gradient(name, TOP_AND_RIGHT)(jnp.asarray(x, jnp.float32))
    return np.asarray(y), np.asarray(gradient)


def noise(seed, shape=SHAPE):
    return np.random.default_rng(seed).normal(size=shape)


def cropped(y, pad_width):
    (top, bottom), (left, right) = pad_width
    return y[..., top : y.shape[-2] - bottom, left : y.shape[-1] - right]


def assert_equal_to_rounding(actual, expected):
    """Float64 to 1e-8 of the largest value: normal equations of noise lose far less than half the digits."""
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-8 * np.abs(expected).max())


# Shape, dtype, interior


@every_padding
@settings(max_examples=3)  # each traces anew
@given(pad_widths, sizes, sizes, st.sampled_from(["float16", "bfloat16", "float32", "float64"]))
def test_shape_grows_by_the_pad_width_and_the_dtype_is_kept(name, pad_width, height, width, dtype):
    (top, bottom), (left, right) = pad_width
    with jax.enable_x64(dtype == "float64"):
        x = jax.ShapeDtypeStruct((2, height, width), jnp.dtype(dtype))
        y = jax.eval_shape(PADDINGS[name](pad_width), x)
    assert y.shape == (2, top + height + bottom, left + width + right)
    assert y.dtype == dtype


@every_padding
@law
@given(seeds)
def test_interior_is_unchanged(name, seed):
    x = noise(seed).astype(np.float32)
    y, _ = padded_with_gradient(name, x)
    np.testing.assert_array_equal(cropped(y, TOP_AND_RIGHT), x)


@pytest.mark.parametrize(
    ("name", "dtype"),
    [*((name, jnp.bfloat16) for name in ONE_OF_EACH_KIND), ("extr3", jnp.float16), ("lp2x1cs", jnp.float16)],
)
def test_low_precision_input_keeps_its_interior_and_gets_the_prediction_of_float32(name, dtype):
    x = noise(1).astype(dtype)
    y = padded(name, TOP_AND_RIGHT, x)
    np.testing.assert_array_equal(cropped(y, TOP_AND_RIGHT), x)
    expected = padded_with_gradient(name, x)[0]
    # One rounding of the result; extrapolation also rounds the rows before it continues the columns, and
    # adds rounded values of both signs: the absolute weights of order 3 sum to 7.
    np.testing.assert_allclose(
        y.astype(np.float32), expected, rtol=0, atol=7 * 7 * float(jnp.finfo(dtype).eps)
    )


@each_kind
@pytest.mark.parametrize("pad_width", [((0, 0), (0, 0)), ((0, 3), (0, 0)), UNEQUAL], ids=str)
def test_padding_then_cropping_is_the_identity_where_some_sides_are_not_padded(name, pad_width):
    x = noise(2)
    np.testing.assert_array_equal(cropped(padded(name, pad_width, x), pad_width), x)


# Equivariance


@each_kind
@law
@given(seeds)
def test_padding_the_columns_is_padding_the_rows_of_the_transposed_map(name, seed):
    x = noise(seed)
    expected = padded(name, VERTICALLY, x)
    assert_equal_to_rounding(padded(name, HORIZONTALLY, x.swapaxes(1, 2)).swapaxes(1, 2), expected)


@pytest.mark.parametrize("name", [*ONE_OF_EACH_KIND, "refl", "covariance 2x1, shared sides", "lp6x7"])
@law
@given(seeds, st.sampled_from([1, 2, (1, 2)]))
def test_a_flipped_map_is_padded_to_the_flipped_result(name, seed, axis):
    x = noise(seed)
    expected = np.flip(padded(name, VERTICALLY, x), axis)
    assert_equal_to_rounding(padded(name, VERTICALLY, np.flip(x, axis)), expected)


@each_kind
def test_turning_the_map_upside_down_swaps_unequal_pad_widths(name):
    x = noise(3)
    turned = padded(name, ((1, 2), (3, 0)), np.flip(x, (1, 2)))
    assert_equal_to_rounding(turned, np.flip(padded(name, UNEQUAL, x), (1, 2)))


@pytest.mark.parametrize("name", [name for name in PADDINGS if not name.endswith("_across")])
@law
@given(seeds)
def test_channels_know_nothing_of_each_other(name, seed):
    x = noise(seed)
    expected, _ = padded_with_gradient(name, x)
    swapped, _ = padded_with_gradient(name, x[::-1])
    np.testing.assert_allclose(swapped[::-1], expected, rtol=1e-6, atol=1e-6)  # the same float32 operations
    for channel in (0, 1):
        alone = np.full_like(x, np.nan)
        alone[channel] = x[channel]
        y, _ = padded_with_gradient(name, alone)
        np.testing.assert_allclose(y[channel], expected[channel], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", [name for name in PADDINGS if name != "rand"])  # other maps, other noise
@law
@given(seeds, st.floats(0.5, 2) | st.floats(-2, -0.5), st.floats(-10, 10))
def test_scaling_and_shifting_the_map_scales_and_shifts_the_padding(name, seed, scale, offset):
    if name == "zero":
        offset = 0.0
    x = noise(seed)
    expected = scale * padded_with_gradient(name, x)[0] + offset
    actual, _ = padded_with_gradient(name, scale * x + offset)
    # Float32: up to 5e-6 was seen in 150 trials a padding. The autocorrelation method's ridge is absolute,
    # but 1e-7 weighs little against the eigenvalues of noise.
    np.testing.assert_allclose(actual, expected, rtol=0, atol=2e-5 * (1 + np.abs(expected).max()))


# Reproduction


@every_padding
@law
@given(st.just(0.0) | st.floats(1, 1e4, width=32) | st.floats(-1e4, -1, width=32))
def test_a_constant_is_continued_with_finite_gradients(name, constant):
    y, gradient = padded_with_gradient(name, np.full(SHAPE, constant))
    assert np.isfinite(gradient).all()
    if name == "zero":
        np.testing.assert_array_equal(y, np.pad(np.full(SHAPE, constant), ((0, 0), *TOP_AND_RIGHT)))
    else:
        # Extrapolation of order 5 magnifies rounding by its absolute weights, 31 in sum, in corners twice.
        rounding = 31 * 31 * 1e-7 if name == "extr5" else 2e-6
        np.testing.assert_allclose(y, constant, rtol=rounding, atol=1e-37)


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
@law
@given(st.data())
def test_extrapolation_continues_polynomials_below_its_order(order, data):
    coefficients = data.draw(
        st.lists(st.integers(-9, 9), min_size=order**2, max_size=order**2).map(
            lambda values: np.array(values, dtype=np.float64).reshape(order, order)
        )
    )
    rows, columns = np.arange(-2.0, 9), np.arange(-1.0, 10)
    field = np.polynomial.polynomial.polygrid2d(rows, columns, coefficients)[None]
    pad_width = ((2, 3), (1, 2))
    with jax.enable_x64(True):
        y = LagrangeExtrapolation(pad_width, order)(jnp.asarray(cropped(field, pad_width)))
    np.testing.assert_array_equal(y, field)  # integers below 2^53: not a bit may differ


# Transformations of JAX


@pytest.mark.parametrize("name", ["circ", "extr3", "lp2x1cs"])
def test_compiled_and_eager_results_agree(name):
    x = noise(4).astype(np.float32)
    eager = PADDINGS[name](TOP_AND_RIGHT)(jnp.asarray(x))
    np.testing.assert_allclose(padded_with_gradient(name, x)[0], eager, rtol=1e-5, atol=1e-5)  # float32


@each_kind
def test_vmap_a_loop_and_a_channels_last_batch_agree(name):
    x = noise(5, (3, *SHAPE))
    with jax.enable_x64(True):
        padding = PADDINGS[name](VERTICALLY)
        mapped = jax.jit(jax.vmap(padding))(jnp.asarray(x))
        batched = jax.jit(padding.extend)(jnp.asarray(np.moveaxis(x, 1, -1)))
    loop = np.stack([padded(name, VERTICALLY, example) for example in x])
    assert_equal_to_rounding(mapped, loop)
    assert_equal_to_rounding(np.moveaxis(np.asarray(batched), -1, 1), loop)


@pytest.mark.parametrize("name", PADDINGS)
def test_a_padding_says_whether_maps_depend_on_their_batch(name):
    x = jnp.asarray(np.moveaxis(noise(6, (3, *SHAPE)), 1, -1), jnp.float32)
    padding = PADDINGS[name](VERTICALLY)
    whole, alone = jax.jit(padding.extend)(x)[:1], jax.jit(padding.extend)(x[:1])
    alike = np.allclose(whole, alone, rtol=1e-4, atol=1e-4 * float(jnp.abs(alone).max()))
    assert alike or padding.couples_batch


# Degenerate maps

DEGENERATE = {
    "zeros": np.zeros(SHAPE),
    "one pixel": np.pad(np.ones((2, 1, 1)), ((0, 0), (3, 4), (5, 2))),
    "large": 1e4 * noise(7),
    "large and near-constant": 1e4 + 1e-3 * noise(8),
    "constant rows": np.broadcast_to(noise(9, (2, 1, 8)), SHAPE),
    "a slope": np.broadcast_to(np.arange(8.0), SHAPE),
    "chessboard": np.broadcast_to((-1.0) ** np.add.outer(np.arange(8), np.arange(8)), SHAPE),
    "a growing exponential": np.broadcast_to(np.exp(2 * np.arange(8.0)), SHAPE),
}


@every_padding
def test_degenerate_maps_give_finite_values_and_gradients(name):
    for kind, x in DEGENERATE.items():
        y, gradient = padded_with_gradient(name, x)
        assert np.isfinite(y).all(), kind
        assert np.isfinite(gradient).all(), kind


@pytest.mark.parametrize("name", ["refl", "extr3", "lp2x1cs", "lp3x3"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 5), (1, 2, 2)], ids=str)
def test_tiny_maps_give_finite_values_and_gradients(name, shape):
    for x in (noise(10, shape), np.zeros(shape)):
        y, gradient = padded_with_gradient(name, x)
        assert np.isfinite(y).all()
        assert np.isfinite(gradient).all()
        np.testing.assert_array_equal(cropped(y, TOP_AND_RIGHT), x.astype(np.float32))


HARDLY_VARYING = {
    "near-constant": 1 + 1e-7 * noise(6),
    "a small constant": np.full(SHAPE, 3.7810264e-7),
} | {f"of size 1e-{exponent}": 10.0**-exponent * noise(11) for exponent in (6, 8, 10, 12, 15, 20, 30)}


@pytest.mark.parametrize("name", PADDINGS)
def test_maps_that_hardly_vary_give_finite_values_and_gradients(name):
    for kind, x in HARDLY_VARYING.items():
        y, gradient = padded_with_gradient(name, x)
        assert np.isfinite(y).all(), kind
        assert np.isfinite(gradient).all(), kind
