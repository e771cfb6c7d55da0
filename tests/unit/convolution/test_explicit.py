import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spatial_prediction.convolution import ExplicitBoundaryConv2d, explicit_boundary_convolution

pytestmark = pytest.mark.usefixtures("quick_compilation")
KEY = jax.random.key(0)
convolve = jax.jit(explicit_boundary_convolution)
SHAPES = [(1, 1), (1, 4), (2, 2), (3, 3), (5, 2), (4, 7)]
SIZES = [(1, 1), (3, 3), (5, 5), (3, 5), (1, 3)]


def noise(shape, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def region(position, length, size):
    """Number of the region along an axis, counted from the side on which more pixels are missing."""
    before, after = max(size // 2 - position, 0), max(size // 2 - (length - 1 - position), 0)
    return size // 2 - before if before >= after else size // 2 + after


def by_hand(x, kernels, biases):
    """Every pixel by itself, on a map with a frame of zeros."""
    height, width = x.shape[:2]
    rows, columns = kernels.shape[2:4]
    padded = np.pad(x, ((rows // 2, rows // 2), (columns // 2, columns // 2), (0, 0)))
    y = np.zeros((height, width, kernels.shape[-1]))
    for i, j in np.ndindex(height, width):
        index = region(i, height, rows), region(j, width, columns)
        window = padded[i : i + rows, j : j + columns]
        y[i, j] = np.einsum("hwi,hwio->o", window, kernels[index]) + biases[index]
    return y


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_worked_example(dtype):
    kernels = np.ones((1, 3, 1, 3, 1, 1)) * np.reshape([1.5, 1, 1.5], (1, 3, 1, 1, 1, 1))
    with jax.enable_x64(dtype == np.float64):
        x = jnp.asarray([[[1], [2], [3], [4]]], dtype)
        y = explicit_boundary_convolution(x, jnp.asarray(kernels, dtype))
    assert y.dtype == dtype
    np.testing.assert_array_equal(y[0, :, 0], [4.5, 6, 9, 10.5])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", SIZES)
def test_every_region_has_its_kernel_and_bias(shape, size):
    x, kernels, biases = noise((*shape, 2)), noise((*size, *size, 2, 3), 1), noise((*size, 3), 2)
    with jax.enable_x64(True):
        y = convolve(jnp.asarray(x), jnp.asarray(kernels), jnp.asarray(biases))
    np.testing.assert_allclose(y, by_hand(x, kernels, biases), rtol=0, atol=1e-12)


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (6, 7)])
@pytest.mark.parametrize(("size", "use_bias"), [(1, True), (3, False), (5, True)])
def test_untrained_it_is_zero_padding(shape, size, use_bias):
    x = jnp.asarray(noise((4, *shape), dtype=np.float32))
    layer = ExplicitBoundaryConv2d(4, 6, size, 2, use_bias, key=KEY)
    plain = eqx.nn.Conv2d(4, 6, size, padding="SAME", groups=2, use_bias=use_bias, key=KEY)
    np.testing.assert_allclose(eqx.filter_jit(layer)(x), plain(x), rtol=1e-4, atol=1e-5)


def test_the_layer_holds_its_border_kernels_row_by_row_without_the_interior():
    x = jnp.asarray(noise((1, 5, 6), dtype=np.float32))
    layer = ExplicitBoundaryConv2d(1, 1, 3, key=KEY)
    numbers = jnp.asarray([1.0, 2, 3, 4, 6, 7, 8, 9])[:, None, None, None]
    layer = eqx.tree_at(
        lambda layer: (layer.weight, layer.bias, layer.border_weight, layer.border_bias),
        layer,
        (0 * layer.weight, 0 * layer.bias + 5, 0 * layer.border_weight, numbers),
    )
    expected = [[1, 2, 2, 2, 2, 3], *[[4, 5, 5, 5, 5, 6]] * 3, [7, 8, 8, 8, 8, 9]]
    np.testing.assert_array_equal(eqx.filter_jit(layer)(x)[0], expected)


def test_taps_outside_the_map_get_no_gradient_and_all_others_do():
    x = jnp.asarray(noise((5, 5, 1), dtype=np.float32))
    kernels = jnp.ones((3, 3, 3, 3, 1, 1))
    gradient = jax.grad(lambda kernels: jnp.sum(convolve(x, kernels)))(kernels)
    used = np.ones((3, 3, 3, 3), bool)
    used[0, :, 0] = used[2, :, 2] = used[:, 0, :, 0] = used[:, 2, :, 2] = False
    np.testing.assert_array_equal(gradient[..., 0, 0] != 0, used)


def test_the_function_is_the_layer_on_channels_last_batches():
    layer = ExplicitBoundaryConv2d(2, 4, (3, 5), 2, key=KEY)
    x = jnp.asarray(noise((2, 3, 2, 4, 7), dtype=np.float32))
    kernels = jnp.tile(jnp.transpose(layer.weight, (2, 3, 1, 0)), (3, 5, 1, 1, 1, 1))
    biases = jnp.tile(layer.bias[:, 0, 0], (3, 5, 1))
    y = convolve(jnp.moveaxis(x, 2, -1), kernels, biases)
    expected = eqx.filter_jit(eqx.filter_vmap(eqx.filter_vmap(layer)))(x)
    np.testing.assert_allclose(jnp.moveaxis(y, -1, 2), expected, rtol=1e-4, atol=1e-5)


def test_arguments_that_cannot_be_used_are_refused():
    with pytest.raises(ValueError, match="kernel_size must be odd"):
        ExplicitBoundaryConv2d(1, 1, 4, key=KEY)
    with pytest.raises(ValueError, match="kernel_size must be odd"):
        explicit_boundary_convolution(jnp.zeros((4, 4, 1)), jnp.zeros((2, 2, 2, 2, 1, 1)))
    with pytest.raises(ValueError, match=r"as many regions as taps, \(3, 3\)"):
        explicit_boundary_convolution(jnp.zeros((4, 4, 1)), jnp.zeros((1, 3, 3, 3, 1, 1)))
    with pytest.raises(ValueError, match=r"x must have shape \(2, height, width\)"):
        ExplicitBoundaryConv2d(2, 1, 3, key=KEY)(jnp.zeros((1, 4, 4)))
