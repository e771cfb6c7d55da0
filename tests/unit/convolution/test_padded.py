import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spatial_prediction.convolution import PaddedConv2d
from spatial_prediction.padding import padding_from_name

pytestmark = pytest.mark.usefixtures("quick_compilation")
KEY = jax.random.key(0)
EQUINOX_MODES = {"ZEROS": "zero", "REPLICATE": "repl", "REFLECT": "refl", "CIRCULAR": "circ"}


def noise(shape, seed=0):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


@pytest.mark.parametrize("mode", EQUINOX_MODES)
@pytest.mark.parametrize(
    ("kernel_size", "stride", "padding", "dilation", "groups", "use_bias"),
    [
        (3, 1, 1, 1, 1, True),
        ((3, 5), (2, 1), (1, 3), 1, 2, False),
        (2, 2, ((0, 1), (2, 0)), 1, 1, True),
        (2, 1, [[0, 1], [2, 0]], 1, 1, True),
        (3, (1, 3), 2, (2, 1), 4, True),
        (3, 1, "SAME", (1, 2), 2, True),
        (4, 3, "SAME", 1, 1, True),
        (4, 3, "same_lower", 1, 1, False),
        (3, 2, "VALID", 1, 1, True),
        (1, 1, 0, 1, 1, True),
    ],
)
def test_equinox_modes_do_what_equinox_does(mode, kernel_size, stride, padding, dilation, groups, use_bias):
    arguments = (4, 8, kernel_size, stride, padding, dilation, groups, use_bias)
    plain = eqx.nn.Conv2d(*arguments, padding_mode=mode, key=KEY)
    x = noise((4, 7, 9))
    for spelling in (mode, mode.lower(), EQUINOX_MODES[mode]):
        layer = PaddedConv2d(*arguments, padding_mode=spelling, key=KEY)
        assert layer.padding_mode == EQUINOX_MODES[mode]
        y, expected = layer(x, key=KEY), plain(x)
        assert (y.shape, y.dtype) == (expected.shape, expected.dtype)
        np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["extr2", "lp1x1cs", "lp2x3"])
def test_the_map_is_padded_by_the_named_padding(name):
    layer = PaddedConv2d(2, 4, 3, 2, ((1, 2), (0, 3)), 1, 2, padding_mode=name, key=KEY)
    plain = eqx.nn.Conv2d(2, 4, 3, 2, 0, 1, 2, key=KEY)
    x = noise((2, 8, 9)).cumsum(axis=2)
    expected = plain(padding_from_name(name, ((1, 2), (0, 3)))(x))
    np.testing.assert_allclose(layer(x), expected, rtol=1e-5, atol=1e-5)


def test_the_default_is_linear_prediction_to_the_same_size():
    layer = PaddedConv2d(2, 3, 5, key=KEY)
    assert (layer.padding, layer.padding_mode) == ("SAME", "lp2x3")
    assert layer(noise((2, 8, 9))).shape == (3, 8, 9)


def test_weights_of_an_existing_convolution_are_shared_not_copied():
    conv = eqx.nn.Conv2d(4, 2, (3, 1), (1, 2), (2, 1), 2, 2, key=KEY)
    layer = PaddedConv2d.from_convolution(conv, "REPLICATE")
    assert layer.weight is conv.weight
    assert layer.bias is conv.bias
    same = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups")
    assert [getattr(layer, name) for name in same] == [getattr(conv, name) for name in same]
    replicating = eqx.nn.Conv2d(4, 2, (3, 1), (1, 2), (2, 1), 2, 2, padding_mode="REPLICATE", key=KEY)
    x = noise((4, 6, 7))
    np.testing.assert_allclose(layer(x), replicating(x), rtol=1e-5, atol=1e-6)


def test_a_convolution_without_bias_and_the_general_class_are_taken_over_too():
    conv = eqx.nn.Conv(2, 3, 3, 3, padding=1, use_bias=False, key=KEY)
    layer = PaddedConv2d.from_convolution(conv, "zero")
    assert layer.bias is None
    np.testing.assert_allclose(layer(noise((3, 5, 5))), conv(noise((3, 5, 5))), rtol=1e-5, atol=1e-6)


def test_it_is_batched_differentiated_and_compiled_like_any_layer():
    layer = PaddedConv2d(2, 3, 3, padding_mode="lp1x1cs", key=KEY)
    batch = noise((4, 2, 6, 6))

    @eqx.filter_jit
    @eqx.filter_grad
    def gradient(layer, batch):
        return jnp.mean(jax.vmap(layer)(batch) ** 2)

    y = jax.vmap(layer)(batch)
    np.testing.assert_allclose(y[2], layer(batch[2]), rtol=1e-5, atol=1e-6)
    of = gradient(layer, batch)
    assert of.weight.shape == layer.weight.shape
    assert np.isfinite(of.weight).all()
    assert np.abs(of.bias).max() > 0


def test_dtypes_are_kept():
    layer = PaddedConv2d(2, 3, 3, dtype=jnp.bfloat16, key=KEY)
    assert layer(noise((2, 6, 6)).astype(jnp.bfloat16)).dtype == jnp.bfloat16


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"padding_mode": "reflection"}, "no padding is called 'reflection'"),
        ({"padding_mode": "lp2x2", "padding": "VALID"}, "odd"),
        ({"padding": -1}, "must not be negative"),
        ({"padding": ((1, 1), (0, -1))}, "must not be negative"),
        ({"padding": "FULL"}, "SAME"),
    ],
)
def test_what_is_wrong_is_refused_when_the_layer_is_made(wrong, message):
    with pytest.raises(ValueError, match=message):
        PaddedConv2d(2, 2, 3, **wrong, key=KEY)


def test_maps_of_another_shape_are_refused():
    layer = PaddedConv2d(2, 3, 3, key=KEY)
    for shape in [(3, 6, 6), (4, 2, 6, 6), (6, 6)]:
        with pytest.raises((ValueError, TypeError), match=r"\(2, height, width\)|Type-check"):
            layer(noise(shape))


def test_convolutions_along_another_number_of_axes_are_refused():
    with pytest.raises(ValueError, match="two spatial axes, got a Conv1d with 1"):
        PaddedConv2d.from_convolution(eqx.nn.Conv1d(2, 2, 3, key=KEY), "repl")
