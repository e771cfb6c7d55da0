"""Border handling with and without arrays of its own, as one layer of a network and in the network."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spatial_prediction.convolution import convert_padding, partial_convolution
from spatial_prediction.models import RVSR, PaddedBorder, border_from_name, merge_branches
from spatial_prediction.models._convolution import Convolution
from spatial_prediction.models._repconv import RepConv
from spatial_prediction.names import CONVOLUTION_NAMES
from spatial_prediction.padding import (
    TRAINED_NAMES,
    LearnedPrediction,
    ReplicatePadding,
    ZeroPadding,
    padding_from_name,
)

pytestmark = pytest.mark.usefixtures("quick_compilation")

WITH_ARRAYS = ("diff_edge", "ebh", *TRAINED_NAMES)


def network(padding, seed=0):
    border = border_from_name(padding) if isinstance(padding, str) else padding
    return RVSR.initialised(
        padding=border,
        upscale_padding=ReplicatePadding(1),
        hidden_channels=4,
        blocks=2,
        key=jax.random.key(seed),
    )


def maps(shape=(2, 7, 6, 3), seed=1):
    return jnp.asarray(np.random.default_rng(seed).uniform(-1, 1, shape), jnp.float32)


@eqx.filter_jit
def applied(model, x):
    return merge_branches(model).apply(x)


@pytest.mark.parametrize(
    ("name", "equal"),
    [
        ("diff", "extr3"),
        ("diff_edge", "extr3"),
        ("ebh", "zero"),
        ("lp2x3_learned", "repl"),
        ("lp2x3_running", "repl"),
    ],
)
def test_before_training_it_does_what_a_simpler_one_does(name, equal):
    found, expected = (applied(network(each), maps()) for each in (name, equal))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_partial_convolution_takes_the_place_of_every_convolution():
    model = merge_branches(network("part"))
    x = maps()
    features = eqx.filter_jit(model.with_features)(x)[1]
    np.testing.assert_allclose(
        features[0], partial_convolution(x, model.head.kernel, model.head.bias), rtol=0, atol=1e-6
    )


@pytest.mark.parametrize("name", [*CONVOLUTION_NAMES, *TRAINED_NAMES])
def test_the_interior_does_not_know_how_the_border_is_handled(name):
    x = maps((1, 11, 11, 3))
    layer = Convolution.initialised(3, 4, 3, key=jax.random.key(0))
    handled = border_from_name(name).for_layer(layer).convolve(x, layer)
    assert handled.shape == (1, 11, 11, 4)
    np.testing.assert_allclose(handled[:, 1:-1, 1:-1], layer(x), rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["repl", *CONVOLUTION_NAMES, *TRAINED_NAMES])
def test_a_handling_for_all_layers_does_what_that_for_one_does_before_training(name):
    x = maps((1, 5, 6, 3))
    layer = Convolution.initialised(3, 4, 3, key=jax.random.key(0))
    border = border_from_name(name)
    np.testing.assert_allclose(
        border.convolve(x, layer), border.for_layer(layer).convolve(x, layer), rtol=0, atol=1e-6
    )


@pytest.mark.parametrize("name", WITH_ARRAYS)
def test_every_layer_has_arrays_of_its_own(name):
    leaves = jax.tree.leaves(network(name).borders)
    assert len({leaf.unsafe_buffer_pointer() for leaf in leaves}) == len(leaves)


def test_layers_begin_with_the_coefficients_handed_in():
    start = LearnedPrediction.initialised(1, 1, 1, channels=1)
    start = jax.tree.map(jnp.cos, start)
    head, other, *_ = network(start).borders
    assert head.padding.coefficients.top.shape == (1, 1, 1, 3)
    assert other.padding.coefficients.top.shape == (1, 1, 1, 4)
    np.testing.assert_array_equal(head.padding.coefficients.left, np.full((1, 1, 1, 3), jnp.cos(1.0)))
    with pytest.raises(ValueError, match=r"maps have 3 channels, the padding's arrays 4"):
        network(other.padding)


def test_a_padding_is_a_border_handling():
    assert eqx.tree_equal(network(ZeroPadding(1)), network("zero"))
    assert eqx.tree_equal(network(PaddedBorder(ZeroPadding(1))), network("zero"))
    with pytest.raises(
        ValueError, match=r"pad by one pixel on each side, got pad_width \(\(2, 2\), \(2, 2\)\)"
    ):
        network(ZeroPadding(2))


@pytest.mark.parametrize("name", CONVOLUTION_NAMES)
def test_branches_are_handled_as_the_convolution_they_make(name):
    layer = RepConv.initialised(2, key=jax.random.key(0))
    border = border_from_name(name).for_layer(layer)
    x = maps((1, 5, 6, 2))
    after = border.merged(layer).convolve(x, layer.merged())
    np.testing.assert_allclose(border.convolve(x, layer), after, rtol=0, atol=1e-5)


def test_partial_convolution_scales_no_branch_that_sees_one_pixel():
    layer = RepConv.initialised(2, key=jax.random.key(0))
    spatial = [layer.branch_1.merged(), layer.branch_2.merged(), layer.residual_3x3]
    x = maps((1, 5, 6, 2))
    expected = (
        x + layer.residual_1x1(x) + sum(partial_convolution(x, each.kernel, each.bias) for each in spatial)
    )
    np.testing.assert_allclose(border_from_name("part").convolve(x, layer), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", CONVOLUTION_NAMES)
def test_a_network_computes_the_same_before_and_after_merging(name):
    model = network(name)
    expected = eqx.filter_jit(model.apply)(maps())
    np.testing.assert_allclose(applied(model, maps()), expected, rtol=0, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("name", WITH_ARRAYS)
def test_named_arrays_bring_back_what_the_borders_hold(name):
    model = network(name)
    model = jax.tree.map(lambda leaf: leaf + jax.random.uniform(jax.random.key(leaf.size), leaf.shape), model)
    arrays = model.to_named_arrays()
    assert sum(array.size for array in arrays.values()) == sum(leaf.size for leaf in jax.tree.leaves(model))
    assert eqx.tree_equal(RVSR.from_named_arrays(arrays, padding=name, upscale_padding="repl"), model)
    lost = next(key for key in arrays if key.startswith("borders.3."))
    del arrays[lost]
    with pytest.raises(ValueError, match=f"the weights lack '{lost}'"):
        RVSR.from_named_arrays(arrays, padding=name, upscale_padding="repl")


@pytest.mark.parametrize("name", WITH_ARRAYS)
def test_what_is_trained_gets_a_gradient_and_memory_none(name):
    @eqx.filter_jit
    @eqx.filter_grad
    def gradient(model):
        return jnp.sum(jnp.sin(merge_branches(model).apply(maps())))

    for border in gradient(network(name)).borders:
        sizes = [float(jnp.abs(leaf).max()) for leaf in jax.tree.leaves(border)]
        assert sizes
        assert all(size == 0 for size in sizes) if name.endswith("running") else max(sizes) > 0


def test_remembering_what_was_seen_gives_the_prediction_of_the_maps_themselves():
    # For a map whose border has the mean of the whole, memory of one map is that map's own statistics.
    wave = np.sin(np.arange(48) * 2 * np.pi / 8)
    x = jnp.asarray((wave[:, None] * wave)[None, :, :, None], jnp.float32)
    layer = Convolution(jnp.ones((3, 3, 1, 1)), jnp.zeros(1))
    memory = border_from_name("lp2x3_running").for_layer(layer).remember(x).padding
    expected = padding_from_name("lp2x3", 1).extend(x)
    np.testing.assert_allclose(memory.extend(x), expected, rtol=0, atol=1e-4)


def test_only_running_statistics_remember():
    assert all(border_from_name(name).remember(maps()) is None for name in ("repl", "ebh", "part"))
    assert network("repl").remembered([maps()] * 4) is None


def test_memory_averages_the_first_batches_and_then_forgets():
    layer = Convolution.initialised(1, 1, 3, key=jax.random.key(0))
    memory = start = border_from_name("lp1x1_running").for_layer(layer).padding
    sums = []
    for seed in range(3):
        batch = maps((2, 6, 6, 1), seed)
        memory = memory.remember(batch)
        sums.append(start.remember(batch).sums)
    np.testing.assert_allclose(memory.sums, np.mean(sums, axis=0), rtol=1e-5)
    old = eqx.tree_at(lambda each: each.batches, memory, jnp.array(1000.0))
    later = old.remember(maps((2, 6, 6, 1), 0)).sums
    np.testing.assert_allclose(later, 0.99 * old.sums + 0.01 * sums[0], rtol=1e-5)


def test_memory_looks_at_a_few_of_many_maps_spread_evenly():
    layer = Convolution.initialised(2, 1, 3, key=jax.random.key(0))
    memory = border_from_name("lp2x3_running").for_layer(layer).padding
    many = maps((4, 5, 6, 6, 2))
    few = many.reshape(20, 6, 6, 2)[jnp.array([0, 3, 6, 9, 12, 15, 18])]
    np.testing.assert_array_equal(memory.remember(many).sums, memory.remember(few).sums)


@pytest.mark.parametrize("name", TRAINED_NAMES)
def test_a_map_smaller_than_the_coefficients_is_refused(name):
    padding = border_from_name(name).padding
    with pytest.raises(ValueError, match=r"maps of 2 x 5 pixels are smaller than the neighbourhood .* 2x3"):
        padding.extend(maps((1, 2, 5, 1)))


def test_conversion_of_other_networks_names_what_it_cannot_make():
    with pytest.raises(ValueError, match="'lp2x3_learned' has arrays of its own"):
        convert_padding(eqx.nn.Conv2d(1, 1, 3, padding=1, key=jax.random.key(0)), "lp2x3_learned")
