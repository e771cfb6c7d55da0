"""What a frame adds to a convolution: the kernel, XLA, and the plain convolution of the padded map agree."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spatial_prediction import native
from spatial_prediction.convolution._base import convolve
from spatial_prediction.convolution._ring import add_ring
from spatial_prediction.padding import Borders

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
    frame = Borders(
        normal(*batch, top, breadth, channels),
        normal(*batch, bottom, breadth, channels),
        normal(*batch, height, left, channels),
        normal(*batch, height, right, channels),
    )
    return normal(*shape), frame, normal(*kernel_shape)


def ringed(pad_width):
    return lambda x, frame, kernel: add_ring(convolve(x, kernel, padding=pad_width), frame, kernel)


def plain(x, frame, kernel):
    middle = jnp.concatenate([frame.left, x, frame.right], axis=-2)
    return convolve(jnp.concatenate([frame.top, middle, frame.bottom], axis=-3), kernel)


def with_gradients(function):
    def both(*arguments):
        result, pullback = jax.vjp(function, *arguments)
        return result, pullback(jnp.cos(result))

    return jax.jit(both)


def assert_close(actual, expected, tolerance):
    for one, other in zip(jax.tree.leaves(actual), jax.tree.leaves(expected), strict=True):
        assert one.shape == other.shape
        assert one.dtype == other.dtype
        np.testing.assert_allclose(one, other, rtol=0, atol=tolerance * np.abs(other).max(initial=1e-30))


@pytest.mark.usefixtures("form")
@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-5)])
def test_values_and_gradients(case, dtype, tolerance):
    arguments = example(*case, dtype)
    actual, expected = with_gradients(ringed(case[-1]))(*arguments), with_gradients(plain)(*arguments)
    assert_close(actual, expected, tolerance)


@pytest.mark.usefixtures("form")
def test_a_mapped_axis_of_maps_or_of_kernels():
    case = CASES[2]
    x, frame, kernel = example(*case)
    kernels = jnp.stack([kernel, 2 * kernel])
    one, other = with_gradients(ringed(case[-1])), with_gradients(plain)
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

    assert_close(slope(ringed(case[-1])), slope(plain), 1e-11)


@pytest.mark.usefixtures("form")
def test_gradients_are_the_same_bit_by_bit_in_every_run():
    case = ((64, 12, 12, 16), (3, 3, 16, 16), ((1, 1), (1, 1)))
    arguments = example(*case, np.float32)
    run = with_gradients(ringed(case[-1]))
    first = run(*arguments)
    for _ in range(5):
        assert_close(run(*arguments), first, 0)
