"""Arrays of other shapes and dtypes than usual mean with kernels what they mean to XLA, or are refused."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.arrays import assert_close

from spatial_prediction import native
from spatial_prediction.convolution import PaddedConv2d, convolve
from spatial_prediction.convolution._framed import framed_convolution
from spatial_prediction.models._feed_forward import FeedForward
from spatial_prediction.padding import LearnedPrediction, RunningPrediction, Sides, padding_from_name
from spatial_prediction.padding.linear_prediction.normal_equations import (
    guarded_quotient,
    solve_normal_equations,
)

pytestmark = [
    pytest.mark.usefixtures("quick_compilation"),
    pytest.mark.skipif(
        not native.available(), reason="kernels are not compiled (python -m spatial_prediction.native)"
    ),
]

HEIGHT, WIDTH, INPUTS, OUTPUTS = 6, 7, 3, 8


def random(*shape, seed=0, dtype=np.float32):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), dtype)


X, KERNEL = random(2, HEIGHT, WIDTH, INPUTS), random(3, 3, INPUTS, OUTPUTS, seed=1)


@pytest.fixture
def alike(monkeypatch):
    """Compares what is computed with and without kernels."""

    def compare(compute, tolerance=1e-5):
        found = jax.jit(lambda: compute())()
        monkeypatch.setenv(native.DISABLING_VARIABLE, "0")
        expected = jax.jit(lambda: compute())()
        monkeypatch.delenv(native.DISABLING_VARIABLE)
        assert_close(found, expected, tolerance)
        return found

    return compare


@pytest.mark.parametrize(
    "shape", [(OUTPUTS,), (1,), (), (1, 1, 1), (HEIGHT - 2, 1, OUTPUTS), (2, 1, 1, 1)], ids=str
)
def test_a_bias_is_broadcast(shape, alike):
    bias = random(*shape, seed=2)
    loss = jax.value_and_grad(lambda x, kernel, bias: jnp.sum(jnp.sin(convolve(x, kernel, bias))), (0, 1, 2))
    alike(lambda: loss(X, KERNEL, bias))


@pytest.mark.parametrize("shape", [(3,), (12,), (OUTPUTS + 1,), (OUTPUTS - 1,)], ids=str)
@pytest.mark.parametrize("kernels", ["0", "1"])
def test_a_bias_that_cannot_be_broadcast_is_refused(shape, kernels, monkeypatch):
    monkeypatch.setenv(native.DISABLING_VARIABLE, kernels)
    with pytest.raises((TypeError, ValueError), match="shapes"):
        convolve(X, KERNEL, jnp.zeros(shape))


def test_an_integer_bias_is_added_as_jax_adds_it(alike):
    with jax.numpy_dtype_promotion("standard"):
        alike(lambda: convolve(X, KERNEL, jnp.arange(OUTPUTS)))
    with pytest.raises(ValueError, match="dtype"):  # as in all tests, promotion is strict
        convolve(X, KERNEL, jnp.arange(OUTPUTS))


@pytest.mark.parametrize("shape", [(1, 1, 1), (OUTPUTS, 1, 1), (OUTPUTS, HEIGHT, WIDTH), (1,), ()], ids=str)
def test_a_replaced_bias_of_a_layer_means_what_it_means_to_equinox(shape, alike):
    usual = eqx.nn.Conv2d(INPUTS, OUTPUTS, 3, padding=1, key=jax.random.key(0))
    usual = eqx.tree_at(lambda layer: layer.bias, usual, random(*shape, seed=3))
    layer = PaddedConv2d.from_convolution(usual, "zero")
    x = random(INPUTS, HEIGHT, WIDTH)
    assert_close(alike(lambda: layer(x)), usual(x), 1e-5)


def frame_of(pad_width, batch=(2,)):
    (top, bottom), (left, right) = pad_width
    breadth = left + WIDTH + right
    sizes = ((top, breadth), (bottom, breadth), (HEIGHT, left), (HEIGHT, right))
    return Sides(*(random(*batch, *size, INPUTS, seed=4 + side) for side, size in enumerate(sizes)))


PAD_WIDTH = ((1, 2), (2, 1))


@pytest.mark.parametrize("side", Sides._fields)
@pytest.mark.parametrize("axis", [-3, -2, -1])
@pytest.mark.parametrize("kernels", ["0", "1"])
def test_strips_of_another_size_than_the_pad_width_are_refused(side, axis, kernels, monkeypatch):
    monkeypatch.setenv(native.DISABLING_VARIABLE, kernels)
    frame = frame_of(PAD_WIDTH)
    strip = jax.lax.slice_in_dim(getattr(frame, side), 1, None, axis=4 + axis)
    with pytest.raises(ValueError, match=f"the {side} strip of the frame has shape"):
        framed_convolution(X, frame._replace(**{side: strip}), KERNEL, pad_width=PAD_WIDTH)


@pytest.mark.parametrize("batch", [(), (1,)], ids=str)
def test_strips_are_broadcast_to_the_batch(batch, alike):
    frame = frame_of(PAD_WIDTH, batch)
    alike(lambda: framed_convolution(X, frame, KERNEL, pad_width=PAD_WIDTH))


def test_a_kernel_of_another_dtype_is_refused_alike():
    with jax.enable_x64(True), pytest.raises(TypeError, match="dtype"):
        convolve(X, KERNEL.astype(np.float64))


@pytest.mark.parametrize("kind", [LearnedPrediction, RunningPrediction])
def test_a_padding_of_one_channel_serves_all(kind, alike):
    padding = kind.initialised(2, 2, 3, channels=1)
    # small ones: predictions from predictions would grow, and with them what the sine makes of rounding
    sides = [random(*side.shape, seed=number) / 8 for number, side in enumerate(padding.coefficients)]
    padding = eqx.tree_at(lambda made: made.coefficients, padding, Sides(*sides))
    kernel = random(3, 3, 8, 4, seed=7)

    def loss(padding, x):
        return jnp.sum(jnp.sin(convolve(x, kernel, padding=padding)))

    alike(lambda: eqx.filter_value_and_grad(loss)(padding, random(2, HEIGHT, WIDTH, 8, seed=8)))


@pytest.mark.parametrize("kind", [LearnedPrediction, RunningPrediction])
@pytest.mark.parametrize(("of", "on"), [(3, 8), (8, 3), (8, 1)])
@pytest.mark.parametrize("kernels", ["0", "1"])
def test_a_padding_of_other_channels_names_both_numbers(kind, of, on, kernels, monkeypatch):
    monkeypatch.setenv(native.DISABLING_VARIABLE, kernels)
    padding = kind.initialised(1, 2, 3, channels=of)
    with pytest.raises(ValueError, match=f"maps have {on} channels, the padding's arrays {of}"):
        padding.frame(random(HEIGHT, WIDTH, on))


def test_a_memory_keeps_its_channels_and_passes_over_what_is_not_finite():
    memory = RunningPrediction.initialised(1, 2, 3, channels=2)
    with pytest.raises(ValueError, match="maps have 5 channels, the padding's arrays 2"):
        memory.remember(random(1, HEIGHT, WIDTH, 5))
    x = random(1, HEIGHT, WIDTH, 2)
    first = memory.remember(x)
    second = first.remember(x.at[0, 2, 3, 0].set(jnp.nan))
    np.testing.assert_array_equal(second.sums[:, 0], first.sums[:, 0])
    assert all(np.isfinite(side).all() for side in second.coefficients)


@pytest.mark.parametrize("name", ["lp2x3", "lp1x1cs", "lp2x3c", "lp2x3_across", "auto"])
@pytest.mark.parametrize("kernels", ["0", "1"])
def test_complex_maps_are_refused_by_type(name, kernels, monkeypatch):
    monkeypatch.setenv(native.DISABLING_VARIABLE, kernels)
    with pytest.raises(TypeError, match="complex64"):
        padding_from_name(name, 1).frame(jnp.ones((6, 6, 1), np.complex64))


@pytest.mark.parametrize("name", ["lp2x3", "lp1x1cs", "lp2x3c"])
def test_a_batch_without_maps_is_left_to_xla(name):
    padded = padding_from_name(name, 1).extend(jnp.zeros((0, 6, 7, 3)))
    assert padded.shape == (0, 8, 9, 3)


def test_a_feed_forward_block_broadcasts_its_biases(alike):
    block = FeedForward.initialised(INPUTS, key=jax.random.key(0))
    where = lambda block: (block.expand.bias, block.reduce.bias)  # noqa: E731
    block = eqx.tree_at(where, block, (jnp.full(1, 0.5), jnp.full((), 0.25)))
    alike(lambda: eqx.filter_value_and_grad(lambda block, x: jnp.sum(jnp.sin(block(x))))(block, X))


def test_systems_broadcast_their_batches(alike):
    factor = random(3, 3, seed=9)
    matrix = (factor @ factor.T + jnp.eye(3))[..., None]
    right_hand_side = random(3, 2, 5, 4, seed=10)
    alike(lambda: solve_normal_equations(matrix[..., None], right_hand_side, ridge=0.1))
    tiled = jnp.tile(matrix[..., None], (1, 1, 5, 1))
    alike(lambda: solve_normal_equations(tiled, right_hand_side[..., :1, :], ridge=0.1))


def test_a_quotient_by_infinity_is_0_with_gradient_0():
    quotient, gradient = jax.value_and_grad(guarded_quotient, (0, 1))(jnp.float32(3), jnp.float32(jnp.inf))
    assert quotient == gradient[0] == gradient[1] == 0
