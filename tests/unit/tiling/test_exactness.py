"""What exact tiles are equal to, for every family of borders."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.tiled_networks import Chain, TwoConvolutions, rvsr, smooth_image

from spatial_prediction.tiling import Strategy, receptive_field_of_layers, upscale_array

pytestmark = pytest.mark.usefixtures("quick_compilation")

LOCAL = ("zero", "repl", "refl", "extr2", "extr3", "part", "diff", "diff_edge", "ebh")
OF_THE_WHOLE_MAP = (
    "circ", "rand", "lp1x1cs", "lp2x1cs", "lp2x3", "lp2x3c", "lp2x3_batch", "lp2x3_band8", "lp2x3_decay8",
    "lp2x3_across", "auto", "lp2x3_learned", "lp2x3_running",
)  # fmt: skip
"""Borders that take statistics or pixels from all of the map they pad."""

IMAGE = smooth_image((25, 19), channels=2)


def tiled_and_whole(network, tile=9):
    tiled = upscale_array(IMAGE, network, strategy=Strategy.exact(network.halo), tile=tile, batch_size=20)
    return tiled, np.asarray(eqx.filter_jit(network)(IMAGE))


@pytest.mark.parametrize("name", LOCAL)
def test_with_local_borders_tiles_equal_the_whole_image(name):
    tiled, whole = tiled_and_whole(TwoConvolutions.named(name))
    np.testing.assert_allclose(tiled, whole, atol=1e-5)


@pytest.mark.parametrize("name", OF_THE_WHOLE_MAP)
def test_with_other_borders_they_do_further_than_the_halo_from_the_border_of_the_image(name):
    tiled, whole = tiled_and_whole(TwoConvolutions.named(name))
    np.testing.assert_allclose(tiled[:, 2:-2, 2:-2], whole[:, 2:-2, 2:-2], atol=1e-5)
    assert abs(tiled - whole).max() > 1e-3  # or the name belongs to the others


@pytest.mark.parametrize("name", ["lp1x1cs", "lp2x3"])
def test_at_the_border_linear_prediction_differs_less_than_from_padding_with_zeros(name):
    """Tiles predict from their own statistics; how much that matters, against how much the padding does."""
    network = TwoConvolutions.named(name)
    tiled, whole = tiled_and_whole(network)
    _, with_zeros = tiled_and_whole(
        eqx.tree_at(lambda n: n.borders, network, TwoConvolutions.named("zero").borders)
    )
    assert np.mean((tiled - whole) ** 2) < 0.1 * np.mean((with_zeros - whole) ** 2)


def test_an_overlap_less_than_the_halo_is_not_exact():
    network = TwoConvolutions.named("zero")
    tiled = upscale_array(IMAGE, network, strategy=Strategy.cropped(1), tile=9)
    assert abs(tiled - np.asarray(eqx.filter_jit(network)(IMAGE))).max() > 1e-3


@pytest.mark.parametrize("tile", [2, 6])
def test_a_network_with_a_stride_is_tiled_exactly(tile):
    key = jax.random.key(0)
    layers = [
        eqx.nn.Conv2d(2, 3, 3, stride=2, padding=1, key=key),
        eqx.nn.Lambda(jnp.tanh),
        eqx.nn.Conv2d(3, 2, 3, padding="SAME", padding_mode="REPLICATE", key=key),
        eqx.nn.Lambda(lambda x: x.repeat(2, axis=-2).repeat(2, axis=-1)),
    ]
    network = Chain(layers)
    field = receptive_field_of_layers(layers)
    image = IMAGE[:, :24, :18]
    tiled = upscale_array(image, network, strategy=Strategy.exact(field), tile=tile, factor=1)
    np.testing.assert_allclose(tiled, np.asarray(eqx.filter_jit(network)(image)), atol=1e-5)


def test_rvsr_with_an_output_crop_is_tiled_without_it():
    image = smooth_image((25, 19))
    cropping = dataclasses.replace(rvsr("repl"), output_crop=2)
    with pytest.raises(ValueError, match="output crop of 0"):
        upscale_array(image, cropping, strategy=Strategy.exact(3), tile=9)
    network = dataclasses.replace(cropping, output_crop=0)
    tiled = upscale_array(image, network, strategy=Strategy.exact(network.halo), tile=9)
    np.testing.assert_allclose(tiled[:, 4:-4, 4:-4], np.asarray(eqx.filter_jit(cropping)(image)), atol=1e-5)


def test_rvsr_is_tiled_exactly():
    image = smooth_image((25, 19))
    network = rvsr("repl")
    tiled = upscale_array(image, network, strategy=Strategy.exact(network.halo), tile=9)
    np.testing.assert_allclose(tiled, np.asarray(eqx.filter_jit(network)(image)), atol=1e-5)
