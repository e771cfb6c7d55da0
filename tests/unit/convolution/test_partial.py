import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spatial_prediction.convolution import PartialConv2d, partial_convolution

pytestmark = pytest.mark.usefixtures("quick_compilation")
KEY = jax.random.key(0)


def noise(shape, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def by_hand(layer, x, mask):
    """Window by window, straight from the definition; ``mask`` has the channels that are counted."""
    (kh, kw), (sh, sw), (dh, dw) = layer.kernel_size, layer.stride, layer.dilation
    (top, bottom), (left, right) = layer.padding
    weight, bias = np.asarray(layer.weight), None if layer.bias is None else np.asarray(layer.bias)
    x, mask = (np.pad(values, ((0, 0), (top, bottom), (left, right))) for values in (x, mask))
    height = (x.shape[1] - dh * (kh - 1) - 1) // sh + 1
    width = (x.shape[2] - dw * (kw - 1) - 1) // sw + 1
    y, updated = np.zeros((2, layer.out_channels, height, width))
    group_inputs, group_outputs = layer.weight.shape[1], layer.out_channels // layer.groups
    for out, i, j in np.ndindex(y.shape):
        channels = slice(out // group_outputs * group_inputs, (out // group_outputs + 1) * group_inputs)
        window = np.s_[
            i * sh : i * sh + dh * (kh - 1) + 1 : dh,
            j * sw : j * sw + dw * (kw - 1) + 1 : dw,
        ]
        known = mask[channels if layer.multi_channel else slice(1), *window]
        if known.sum() > 0:
            total = (weight[out] * x[channels, *window] * known).sum() * known.size / known.sum()
            y[out, i, j] = total + (0 if bias is None else bias[out, 0, 0])
            updated[out, i, j] = 1
    return y, updated


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_worked_example(dtype):
    with jax.enable_x64(dtype == np.float64):
        x = jnp.asarray([[[1], [2], [3], [4]]], dtype)
        y = partial_convolution(x, jnp.ones((1, 3, 1, 1), dtype))
    assert y.dtype == dtype
    np.testing.assert_allclose(y[0, :, 0], [4.5, 6, 9, 10.5], rtol=1e-8)


@pytest.mark.parametrize(
    ("kernel_size", "stride", "padding", "dilation", "groups", "use_bias"),
    [
        (3, 1, 1, 1, 1, True),
        ((3, 5), 1, (1, 2), 1, 2, False),
        (2, 2, ((0, 1), (2, 0)), 1, 1, True),
        (3, 1, 2, 2, 2, True),
        (3, (2, 1), 4, (1, 2), 1, True),  # windows wholly outside the map
    ],
)
@pytest.mark.parametrize("multi_channel", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_the_layer_does_what_the_definition_says(
    kernel_size, stride, padding, dilation, groups, use_bias, multi_channel, masked
):
    x = noise((4, 5, 6))
    mask = np.ones((4 if multi_channel else 1, 5, 6))
    if masked:
        mask = (noise(mask.shape, 1) > 0.3) * 1.0
        mask[:, 1:4, 2:5] = 0
    with jax.enable_x64(True):
        layer = PartialConv2d(
            4,
            6,
            kernel_size,
            stride,
            padding,
            dilation,
            groups,
            use_bias,
            multi_channel=multi_channel,
            key=KEY,
        )
        y, updated = layer.with_mask(jnp.asarray(x), jnp.asarray(mask) if masked else None)
        only_y = layer(jnp.asarray(x), jnp.asarray(mask) if masked else None)
    expected_y, expected_mask = by_hand(layer, x, mask)
    np.testing.assert_allclose(y, expected_y, rtol=1e-7, atol=1e-7)  # epsilon is 1e-8
    np.testing.assert_array_equal(updated, expected_mask if multi_channel else expected_mask[:1])
    np.testing.assert_array_equal(only_y, y)


@pytest.mark.parametrize("padding", ["SAME", "SAME_LOWER", "VALID"])
@pytest.mark.parametrize("size", [2, 3])
def test_named_paddings_give_the_shapes_of_equinox_and_its_values_inside(padding, size):
    x = jnp.asarray(noise((3, 7, 8), dtype=np.float32))
    arguments = (3, 2, size, 2, padding)
    layer, plain = PartialConv2d(*arguments, key=KEY), eqx.nn.Conv2d(*arguments, key=KEY)
    y, expected = layer(x), plain(x)
    assert y.shape == expected.shape
    inside = slice(1, -1) if padding != "VALID" else slice(None)
    np.testing.assert_allclose(y[:, inside, inside], expected[:, inside, inside], rtol=1e-5, atol=1e-6)


def test_weights_are_those_of_equinox():
    layer, plain = PartialConv2d(4, 2, 3, groups=2, key=KEY), eqx.nn.Conv2d(4, 2, 3, groups=2, key=KEY)
    np.testing.assert_array_equal(layer.weight, plain.weight)
    np.testing.assert_array_equal(layer.bias, plain.bias)


def test_the_function_is_the_layer_on_channels_last_batches():
    layer = PartialConv2d(2, 4, (3, 5), padding=(1, 2), groups=2, key=KEY)
    x = jnp.asarray(noise((2, 3, 2, 4, 7), dtype=np.float32))
    kernel = jnp.transpose(layer.weight, (2, 3, 1, 0))
    y = partial_convolution(jnp.moveaxis(x, 2, -1), kernel, layer.bias[:, 0, 0])
    expected = jax.vmap(jax.vmap(layer))(x)
    np.testing.assert_allclose(jnp.moveaxis(y, -1, 2), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("multi_channel", [False, True])
def test_a_mask_of_ones_is_no_mask(multi_channel):
    x = jnp.asarray(noise((2, 4, 5), dtype=np.float32))
    layer = PartialConv2d(2, 3, 3, padding=1, multi_channel=multi_channel, key=KEY)
    ones = jnp.ones((2 if multi_channel else 1, 4, 5), bool)
    for with_ones, without in zip(layer.with_mask(x, ones), layer.with_mask(x), strict=True):
        np.testing.assert_allclose(with_ones, without, rtol=1e-6)


def test_what_is_unknown_may_be_anything_even_nan():
    layer = PartialConv2d(2, 3, 3, padding=1, key=KEY)
    mask = jnp.asarray(noise((1, 6, 6)) > 0)
    x = jnp.asarray(noise((2, 6, 6), dtype=np.float32))
    compute = jax.value_and_grad(lambda x: jnp.sum(layer(x, mask) ** 2))
    expected, expected_gradient = compute(jnp.where(mask, x, 0))
    for unknown in (1e9, jnp.nan, jnp.inf):
        value, gradient = compute(jnp.where(mask, x, unknown))
        assert value == expected
        np.testing.assert_array_equal(gradient, expected_gradient)
    np.testing.assert_array_equal(jnp.where(mask, 0, expected_gradient), 0)


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16, jnp.float32])
@pytest.mark.parametrize("known", [0.0, 1e-7, 1.0])
def test_nothing_known_gives_zeros_in_every_precision(dtype, known):
    layer = PartialConv2d(64, 3, 7, padding=3, multi_channel=True, dtype=dtype, key=KEY)
    x = jnp.ones((64, 8, 9), dtype)
    y, updated = layer.with_mask(x, jnp.full((64, 8, 9), known, jnp.float32))
    assert y.dtype == updated.dtype == dtype
    assert jnp.isfinite(y).all()
    if known == 0:
        np.testing.assert_array_equal(y, 0)
        np.testing.assert_array_equal(updated, 0)


def test_holes_close_layer_by_layer():
    layer = PartialConv2d(1, 1, 3, padding=1, key=KEY)
    x, mask = jnp.ones((1, 7, 7)), jnp.zeros((1, 7, 7)).at[0, 3, 3].set(1)
    for known in (9, 25, 49):
        x, mask = layer.with_mask(x, mask)
        assert mask.sum() == known


def test_a_map_of_one_pixel():
    layer = PartialConv2d(1, 1, 5, padding=2, use_bias=False, key=KEY)
    np.testing.assert_allclose(
        layer(jnp.full((1, 1, 1), 2.0)), 50 * layer.weight[:, :, 2, 2][..., None][:, 0][:, None], rtol=1e-6
    )


def test_arguments_that_cannot_be_used_are_refused():
    layer = PartialConv2d(3, 1, 3, key=KEY)
    x = jnp.zeros((3, 4, 4))
    with pytest.raises(ValueError, match=r"mask must have shape \(1, 4, 4\).*multi_channel=False"):
        layer(x, x)
    with pytest.raises(ValueError, match=r"mask must have shape \(3, 4, 4\).*multi_channel=True"):
        PartialConv2d(3, 1, 3, multi_channel=True, key=KEY)(x, jnp.zeros((1, 4, 4)))
    with pytest.raises(ValueError, match=r"x must have shape \(3, height, width\)"):
        layer(jnp.zeros((2, 4, 4)))
    for epsilon in (0.0, -1.0, 1e-60, float("nan")):
        with pytest.raises(ValueError, match="epsilon must be at least"):
            PartialConv2d(3, 1, 3, epsilon=epsilon, key=KEY)
    with pytest.raises(ValueError, match="kernel_size must be odd"):
        partial_convolution(jnp.zeros((4, 4, 1)), jnp.zeros((3, 2, 1, 1)))
    with pytest.raises(ValueError, match="x has 3 channels and the kernel takes 2"):
        partial_convolution(jnp.zeros((4, 4, 3)), jnp.zeros((3, 3, 2, 1)))
