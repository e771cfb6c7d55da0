import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tiled_networks import Chain, TwoConvolutions, blur, rvsr

from spatial_prediction.convolution import PaddedConv2d
from spatial_prediction.tiling import (
    ReceptiveField,
    measured_receptive_field,
    receptive_field_of_layers,
    stated_receptive_field,
)

pytestmark = pytest.mark.usefixtures("quick_compilation")

KEY = jax.random.key(0)


def conv(size, **settings):
    return eqx.nn.Conv2d(1, 1, size, **{"padding": "SAME"} | settings, key=KEY)


def nearest_upscaling(factor):
    return eqx.nn.Lambda(lambda x: x.repeat(factor, axis=-2).repeat(factor, axis=-1))


CHAINS = {
    "3x3": ([conv(3)], (1, 1), 1),
    "1x1": ([conv(1)], (0, 0), 1),
    "5x5 dilated": ([conv(5, dilation=3)], (6, 6), 1),
    "in a row": ([conv(3), eqx.nn.Lambda(jax.nn.relu), conv(5), conv(3, dilation=2)], (5, 5), 1),
    "even": ([conv(4)], (1, 2), 1),
    "even, the other way": ([conv(4, padding="SAME_LOWER")], (2, 1), 1),
    "uneven padding": ([conv(3, padding=((2, 0), (2, 0)))], (2, 0), 1),
}


@pytest.mark.parametrize("name", CHAINS)
def test_layers_add_up_to_what_is_measured(name):
    layers, halo, step = CHAINS[name]
    expected = ReceptiveField((halo, halo), (step, step))
    assert receptive_field_of_layers(layers) == expected
    assert measured_receptive_field(Chain(layers), channels=1, factor=1) == expected


def test_a_stride_makes_blocks_whose_last_pixel_sees_furthest():
    layers = [conv(3, stride=2, padding=1), conv(3), nearest_upscaling(2)]
    expected = ReceptiveField(((4, 3), (4, 3)), (2, 2))
    assert receptive_field_of_layers(layers) == expected
    assert measured_receptive_field(Chain(layers), channels=1, factor=1, step=2) == expected


def test_pooling_counts_like_a_convolution():
    layers = [eqx.nn.MaxPool2d(2, 2), conv(3), nearest_upscaling(2)]
    expected = receptive_field_of_layers(layers)
    assert expected == ReceptiveField(((3, 3), (3, 3)), (2, 2))
    assert measured_receptive_field(Chain(layers), channels=1, factor=1, step=2) == expected


def test_rows_and_columns_differ():
    layer = PaddedConv2d(1, 1, (1, 5), padding="SAME", key=KEY)
    expected = ReceptiveField(((0, 0), (2, 2)))
    assert receptive_field_of_layers(layer) == expected
    assert measured_receptive_field(layer, channels=1, factor=1) == expected


def test_stacked_layers_count_each():
    stacked = eqx.filter_vmap(lambda key: eqx.nn.Conv2d(1, 1, 3, padding=1, key=key))(
        jax.random.split(KEY, 4)
    )
    assert receptive_field_of_layers([stacked]) == ReceptiveField.square(4)


@pytest.mark.parametrize("name", ["zero", "lp1x1cs", "part"])
def test_borders_of_the_whole_map_do_not_widen_the_field(name):
    assert measured_receptive_field(TwoConvolutions.named(name), channels=2) == ReceptiveField.square(2)


def test_rvsr_states_what_is_measured():
    network = rvsr("lp1x1cs")
    assert stated_receptive_field(network) == ReceptiveField.square(3)
    assert measured_receptive_field(network, channels=3) == ReceptiveField.square(3)


def test_any_function_is_measured():
    assert measured_receptive_field(blur, channels=1, factor=2) == ReceptiveField.square(1)
    assert stated_receptive_field(blur) is None


@settings(max_examples=40)
@given(*[st.integers(0, 9)] * 4)
def test_a_function_that_looks_as_far_as_drawn(above, below, left, right):
    """Each pixel is the sum of those at the four ends of a cross: nothing between, as in a dilated kernel."""

    def cross(batch):
        return sum(
            np.roll(batch, shift, axis)
            for shift, axis in ((above, -2), (-below, -2), (left, -1), (-right, -1))
        )

    measured = measured_receptive_field(cross, channels=1, factor=1)
    assert measured == ReceptiveField(((above, below), (left, right)))


def test_the_border_is_told_from_the_receptive_field():
    """A border band that depends on the mean of the map, as wide as the field itself."""

    def banded(batch):
        y = blur(batch)
        y[..., :4, :] += batch.mean((-2, -1), keepdims=True)
        return y

    assert measured_receptive_field(banded, channels=1, factor=2) == ReceptiveField.square(1)


def test_a_network_that_sees_the_whole_map_is_refused():
    with pytest.raises(ValueError, match="reaches all of a map of 64 x 64"):
        measured_receptive_field(
            lambda batch: batch - batch.mean((-2, -1), keepdims=True), channels=1, factor=1, largest=64
        )
    with pytest.raises(ValueError, match=r"\[1\], GroupNorm, sees the whole map"):
        receptive_field_of_layers([conv(3), eqx.nn.GroupNorm(1, 1)])


def test_networks_whose_layers_do_not_say_are_refused():
    with pytest.raises(ValueError, match="Lambda has no layers with a kernel_size; use measured"):
        receptive_field_of_layers(eqx.nn.Lambda(jnp.sin))
    with pytest.raises(ValueError, match="is transposed; use measured"):
        receptive_field_of_layers([eqx.nn.ConvTranspose2d(1, 1, 2, 2, key=KEY)])
    with pytest.raises(ValueError, match="no output depends on"):
        measured_receptive_field(np.zeros_like, channels=1, factor=1)


@pytest.mark.parametrize("field", [{"halo": ((-1, 0), (0, 0))}, {"halo": ((0, 0),) * 2, "step": (0, 1)}])
def test_impossible_fields_are_refused(field):
    with pytest.raises(ValueError, match="must"):
        ReceptiveField(**field)
