import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spatial_prediction.models import RVSR, merge_branches
from spatial_prediction.models._convolution import Convolution
from spatial_prediction.models._upscaling import pixel_shuffle, pixel_unshuffle
from spatial_prediction.padding import ReplicatePadding, ZeroPadding, padding_from_name

# What does not depend on the number of layers is shown on few narrow ones, which compile sooner.
SMALL = {"blocks": 2, "hidden_channels": 4}


pytestmark = pytest.mark.usefixtures("quick_compilation")


def initialised(padding="zero", upscale_padding="repl", output_crop=0, seed=0, **sizes):
    return RVSR.initialised(
        padding=padding_from_name(padding, 1),
        upscale_padding=padding_from_name(upscale_padding, 1),
        output_crop=output_crop,
        key=jax.random.key(seed),
        **sizes,
    )


def network(*args, dtype=np.float32, **kwargs):
    """A network with random weights that come from NumPy, so that nothing needs compiling."""
    rng = np.random.default_rng(0)
    shapes = eqx.filter_eval_shape(initialised, *args, **kwargs)
    return jax.tree.map(lambda leaf: jnp.asarray(rng.uniform(-0.3, 0.3, leaf.shape).astype(dtype)), shapes)


def with_output_crop(model, output_crop):
    """The same weights with another crop."""
    fields = {field.name: getattr(model, field.name) for field in dataclasses.fields(model)}
    return RVSR(**fields | {"output_crop": output_crop})


def example(shape=(3, 6, 7), dtype=np.float32, seed=1):
    return jnp.asarray(np.random.default_rng(seed).uniform(-1, 1, shape).astype(dtype))


def weights_of(model):
    return jax.tree.leaves(eqx.filter(model, eqx.is_array))


apply = eqx.filter_jit(lambda model, x: model(x))


def test_it_has_the_published_number_of_parameters():
    assert sum(leaf.size for leaf in jax.tree.leaves(eqx.filter_eval_shape(initialised))) == 218_928


def test_equal_keys_give_equal_weights_whatever_the_padding():
    reference = initialised(**SMALL)
    other_padding = initialised("lp2x3", "lp2x3", output_crop=2, **SMALL)
    for expected, found in zip(weights_of(reference), weights_of(other_padding), strict=True):
        np.testing.assert_array_equal(found, expected)
    other_key = initialised(seed=1, **SMALL)
    pairs = zip(weights_of(reference), weights_of(other_key), strict=True)
    assert all((found != expected).all() for expected, found in pairs)


# Merging


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-5), (np.float64, 1e-12)])
@pytest.mark.parametrize("padding", ["zero", "lp1x1cs"])
def test_merged_and_plain_branches_give_equal_outputs(padding, dtype, tolerance):
    with jax.enable_x64(dtype == np.float64):
        model = network(padding, padding, dtype=dtype, **SMALL)
        x = example(dtype=dtype)
        plain, merged = apply(model, x), apply(merge_branches(model), x)
        assert plain.dtype == merged.dtype == dtype
        np.testing.assert_allclose(merged, plain, rtol=0, atol=tolerance * float(jnp.abs(plain).max()))


@pytest.mark.parametrize("padding", ["zero", "lp1x1cs"])
def test_gradients_through_the_merge_are_those_of_the_branches(padding):
    def loss(model, form):
        y = form(model)(x)
        return jnp.mean((y - jnp.cos(jnp.arange(y.size, dtype=y.dtype)).reshape(y.shape)) ** 2)

    with jax.enable_x64(True):
        x = example(dtype=np.float64)
        model = network(padding, padding, dtype=np.float64, **SMALL)
        plain = eqx.filter_jit(eqx.filter_grad(loss))(model, lambda model: model)
        merged = eqx.filter_jit(eqx.filter_grad(loss))(model, merge_branches)
        for expected, found in zip(weights_of(plain), weights_of(merged), strict=True):
            assert np.abs(expected).max() > 0
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


def test_merging_twice_is_merging_once():
    merged = merge_branches(network(**SMALL))
    assert isinstance(merged.tail, Convolution)
    assert all(isinstance(block.repconv, Convolution) for block in merged.body)
    assert merge_branches(merged) is merged


# Output crop


@pytest.mark.parametrize(("padding", "blocks"), [("zero", 8), ("lp1x1cs", 2)])
def test_a_cropped_output_is_the_crop_of_the_uncropped(padding, blocks):
    with jax.enable_x64(True):
        model = network(padding, "repl", dtype=np.float64, blocks=blocks, hidden_channels=4)
        model = merge_branches(model)
        x = example((3, 23, 22), np.float64)
        whole = np.asarray(apply(model, x))
        for crop in range(model.depth + 1):
            kept = whole[:, 4 * crop : 4 * (23 - crop), 4 * crop : 4 * (22 - crop)]
            y = apply(with_output_crop(model, crop), x)
            np.testing.assert_allclose(y, kept, rtol=0, atol=1e-12 * np.abs(whole).max())


def test_beyond_the_largest_crop_the_padding_is_not_seen():
    x = example((3, 23, 22))
    zero, replicated = (
        apply(merge_branches(network(padding, padding, 10, hidden_channels=4)), x)
        for padding in ("zero", "repl")
    )
    np.testing.assert_array_equal(zero, replicated)


@pytest.mark.parametrize(("blocks", "crop"), [(8, -1), (8, 11), (2, 5)])
def test_other_crops_are_refused(blocks, crop):
    with pytest.raises(ValueError, match=rf"output_crop must be 0 to {blocks + 2} \(.*\), got {crop}"):
        network(output_crop=crop, blocks=blocks)


def test_an_upscaling_needs_one_pixel_of_padding():
    with pytest.raises(ValueError, match=r"pad by one pixel on each side, got pad_width"):
        RVSR.initialised(padding=ZeroPadding(1), upscale_padding=ZeroPadding(2), key=jax.random.key(0))


@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (5, 3)])
def test_odd_and_narrow_maps_are_upscaled(shape):
    model = merge_branches(network("repl", "repl", **SMALL))
    y = apply(model, example((3, *shape)))
    assert y.shape == (3, 4 * shape[0], 4 * shape[1])
    assert np.isfinite(y).all()


# Upscaling


def test_without_weights_it_is_the_bilinear_upscale():
    with jax.enable_x64(True):
        model = jax.tree.map(jnp.zeros_like, merge_branches(network(dtype=np.float64, **SMALL)))
        x = example((3, 5, 4), np.float64)
        expected = jax.image.resize(x, (3, 20, 16), "bilinear")
        np.testing.assert_allclose(apply(model, x), expected, rtol=0, atol=1e-14)
        cropped = apply(with_output_crop(model, 1), x)
        np.testing.assert_allclose(cropped, expected[:, 4:-4, 4:-4], rtol=0, atol=1e-14)


def test_pixel_shuffle_orders_channel_row_column():
    rng = np.random.default_rng(0)
    coarse = rng.normal(size=(2, 3, 5, 3 * 16)).astype(np.float32)
    fine = np.asarray(pixel_shuffle(jnp.asarray(coarse), 4))
    assert fine.shape == (2, 12, 20, 3)
    for channel, row, column in np.ndindex(3, 4, 4):
        np.testing.assert_array_equal(
            fine[:, row::4, column::4, channel], coarse[..., 16 * channel + 4 * row + column]
        )
    np.testing.assert_array_equal(pixel_unshuffle(jnp.asarray(fine), 4), coarse)


# Calling


def test_vmap_over_examples_is_the_channels_last_batch():
    with jax.enable_x64(True):
        model = merge_branches(network("lp1x1cs", "lp1x1cs", dtype=np.float64, **SMALL))
        x = example((3, 3, 5, 6), np.float64)
        mapped = eqx.filter_jit(jax.vmap(lambda x: model(x)))(x)
        batched = eqx.filter_jit(model.apply)(jnp.moveaxis(x, 1, -1))
        np.testing.assert_allclose(mapped, jnp.moveaxis(batched, -1, 1), rtol=0, atol=1e-12)


def test_features_are_the_inputs_of_every_convolution_behind_the_head():
    model = merge_branches(network(**SMALL))
    x = example((2, 5, 6, 3))
    y, features = eqx.filter_jit(model.with_features)(x)
    np.testing.assert_array_equal(y, eqx.filter_jit(model.apply)(x))
    assert [feature.shape for feature in features] == [(2, 5, 6, 4)] * 3
    head = jnp.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)])
    np.testing.assert_allclose(features[0], model.head(head), rtol=1e-5, atol=1e-6)


# Named arrays


def restored(arrays):
    return RVSR.from_named_arrays(arrays, padding="zero", upscale_padding="repl")


def test_named_arrays_make_the_same_network_again():
    model = network()  # in full size
    arrays = model.to_named_arrays()
    assert eqx.tree_equal(restored(arrays), model)
    by_objects = RVSR.from_named_arrays(arrays, padding=ZeroPadding(1), upscale_padding=ReplicatePadding(1))
    assert eqx.tree_equal(by_objects, model)
    assert arrays["head.weight"].shape == (16, 3, 3, 3)
    assert arrays["body.repconv.branch_1.expand.weight"].shape == (8, 32, 16, 1, 1)
    assert arrays["body.ffn.expand.bias"].shape == (8, 32, 1, 1)
    assert arrays["tail.project.weight"].shape == (48, 16, 1, 1)
    assert sum(array.size for array in arrays.values()) == 218_928


def at_a_cache_line(array):
    """A copy whose memory JAX could share, as it does with arrays that begin at a cache line."""
    memory = np.empty(array.nbytes + 64, np.uint8)
    first = -memory.ctypes.data % 64
    copy = memory[first : first + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def test_a_network_does_not_share_the_memory_of_named_arrays():
    model = network(**SMALL)
    arrays = {name: at_a_cache_line(array) for name, array in model.to_named_arrays().items()}
    made = restored(arrays)
    for array in arrays.values():
        array[...] = 7
    assert eqx.tree_equal(made, model)


def test_sizes_follow_from_the_arrays():
    model = network(blocks=3, hidden_channels=5, upscale_factor=2)
    assert eqx.tree_equal(restored(model.to_named_arrays()), model)


@pytest.mark.parametrize("name", ["head.weight", "tail.repconv.branch_2.reduce.bias", "tail.project.bias"])
def test_a_missing_array_is_named(name):
    arrays = network(**SMALL).to_named_arrays()
    del arrays[name]
    with pytest.raises(ValueError, match=f"the weights lack '{name}'"):
        restored(arrays)


def test_an_array_too_many_is_named():
    arrays = network(**SMALL).to_named_arrays() | {"neck.weight": np.zeros(3)}
    with pytest.raises(
        ValueError, match=r"the weights hold 'neck\.weight', which an RVSR network does not have"
    ):
        restored(arrays)


def test_a_merged_network_has_no_arrays_to_export():
    with pytest.raises(
        ValueError, match="branches have been merged; export the network before merge_branches"
    ):
        merge_branches(network(**SMALL)).to_named_arrays()
