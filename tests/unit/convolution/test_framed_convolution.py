"""The convolution of a map in a frame: the kernel, XLA, and the plain convolution of the padded map agree."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.arrays import assert_close

from spatial_prediction import native
from spatial_prediction.convolution import convolve
from spatial_prediction.convolution._framed import framed_convolution
from spatial_prediction.padding import Sides

pytestmark = pytest.mark.usefixtures("quick_compilation")

CASES = [
    # map, kernel, pad width
    ((2, 9, 8, 3), (3, 3, 3, 4), ((1, 1), (1, 1))),
    ((1, 7, 6, 17), (5, 3, 17, 33), ((2, 2), (1, 1))),
    ((2, 3, 8, 9, 2), (4, 5, 2, 1), ((1, 3), (3, 0))),
    ((9, 1, 1, 16), (3, 3, 16, 16), ((1, 1), (1, 1))),
    ((2, 3, 20), (2, 1, 20, 5), ((0, 2), (3, 1))),
    ((1, 5, 6, 2), (1, 1, 2, 3), ((2, 0), (0, 1))),
    ((1, 5, 6, 2), (3, 3, 2, 2), ((0, 0), (0, 0))),
    ((2, 50, 37, 5), (3, 3, 5, 20), ((1, 1), (1, 1))),
]


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


@pytest.fixture(params=["kernel", "xla"])
def form(request, monkeypatch):
    if request.param == "xla":
        monkeypatch.setenv(native.DISABLING_VARIABLE, "0")
    elif not native.available():
        pytest.skip("kernels are not compiled (python -m spatial_prediction.native)")


def example(shape, kernel_shape, pad_width, dtype=np.float64):
    rng = np.random.default_rng(0)

    def normal(*shape):
        return jnp.asarray(rng.normal(size=shape), dtype)

    *batch, height, width, channels = shape
    (top, bottom), (left, right) = pad_width
    breadth = left + width + right
    frame = Sides(
        normal(*batch, top, breadth, channels),
        normal(*batch, bottom, breadth, channels),
        normal(*batch, height, left, channels),
        normal(*batch, height, right, channels),
    )
    return normal(*shape), frame, normal(*kernel_shape)


def framed(pad_width):
    return lambda x, frame, kernel: framed_convolution(x, frame, kernel, pad_width=pad_width)


def plain(x, frame, kernel):
    middle = jnp.concatenate([frame.left, x, frame.right], axis=-2)
    return convolve(jnp.concatenate([frame.top, middle, frame.bottom], axis=-3), kernel)


def with_gradients(function):
    def both(*arguments):
        result, pullback = jax.vjp(function, *arguments)
        return result, pullback(jnp.cos(result))

    return jax.jit(both)


@pytest.mark.usefixtures("form")
@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-5)])
def test_values_and_gradients(case, dtype, tolerance):
    arguments = example(*case, dtype)
    actual, expected = with_gradients(framed(case[-1]))(*arguments), with_gradients(plain)(*arguments)
    assert_close(actual, expected, tolerance)


@pytest.mark.usefixtures("form")
@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_frame_of_zeros(case):
    x, frame, *others = example(*case)
    zeros = jax.tree.map(jnp.zeros_like, frame)
    bias = jnp.arange(others[0].shape[-1], dtype=x.dtype)

    def in_zeros(x, kernel, bias):
        return framed_convolution(x, None, kernel, bias, pad_width=case[-1])

    actual = with_gradients(in_zeros)(x, *others, bias)
    expected = with_gradients(lambda x, kernel, bias: plain(x, zeros, kernel) + bias)(x, *others, bias)
    assert_close(actual, expected, 1e-12)


@pytest.mark.usefixtures("form")
def test_maps_without_results_or_none_at_all():
    kernel = jnp.ones((3, 3, 2, 4))
    assert framed_convolution(jnp.ones((5, 2, 7, 2)), None, kernel).shape == (5, 0, 5, 4)
    assert framed_convolution(jnp.ones((0, 6, 7, 2)), None, kernel).shape == (0, 4, 5, 4)
    slope = jax.grad(lambda k: framed_convolution(jnp.ones((0, 6, 7, 2)), None, k).sum())(kernel)
    np.testing.assert_array_equal(slope, 0)


@pytest.mark.usefixtures("form")
def test_a_mapped_axis_of_maps_or_of_kernels():
    case = CASES[2]
    x, frame, kernel = example(*case)
    kernels = jnp.stack([kernel, 2 * kernel])
    one, other = with_gradients(framed(case[-1])), with_gradients(plain)
    for axes, which in (((0, 0, None), kernel), ((None, None, 0), kernels), ((0, 0, 0), kernels)):
        actual, expected = (jax.vmap(each, axes)(x, frame, which) for each in (one, other))
        assert_close(actual, expected, 1e-12)


@pytest.mark.usefixtures("form")
def test_second_derivatives():
    case = CASES[0]
    arguments = example(*case)

    def slope(function):
        def total(*arguments):
            result, gradients = with_gradients(function)(*arguments)
            return sum(jnp.sum(jnp.sin(each)) for each in jax.tree.leaves((result, gradients)))

        return jax.jit(jax.grad(total, (0, 1, 2)))(*arguments)

    assert_close(slope(framed(case[-1])), slope(plain), 1e-11)


@pytest.mark.usefixtures("form")
def test_gradients_are_the_same_bit_by_bit_in_every_run():
    case = ((64, 12, 12, 16), (3, 3, 16, 16), ((1, 1), (1, 1)))
    arguments = example(*case, np.float32)
    run = with_gradients(framed(case[-1]))
    first = run(*arguments)
    for _ in range(5):
        assert_close(run(*arguments), first, 0)
