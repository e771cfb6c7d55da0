"""A preset is the network it names, whatever is asked of it."""

import dataclasses
import inspect

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.models import RVSR
from spatial_prediction.studies.super_resolution.config import LARGEST_OUTPUT_CROP, ModelSettings, Preset
from spatial_prediction.studies.super_resolution.presets import PRESETS
from spatial_prediction.studies.super_resolution.task import configured_padding, kept, network

SMALL = ModelSettings(hidden_channels=4, blocks=1)
PUBLISHED = ModelSettings()


def weights(preset, seed):
    model = network(preset, ModelSettings(hidden_channels=2, blocks=3), seed=seed)
    return {jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in jax.tree.leaves_with_path(model)}


def test_the_same_seed_gives_the_same_weights_whatever_the_preset():
    reference = weights(PRESETS["zero-repl"], seed=5)
    assert len(reference) == 40
    for name, preset in PRESETS.items():
        found = weights(preset, seed=5)
        assert found.keys() >= reference.keys()
        for leaf, array in reference.items():
            np.testing.assert_array_equal(found[leaf], array, err_msg=f"{name} {leaf}")
    other = weights(PRESETS["zero-repl"], seed=6)
    assert all(np.any(other[leaf] != array) for leaf, array in reference.items())


@pytest.mark.parametrize(
    ("preset", "message"),
    [
        (Preset("nope", "repl"), "no border handling is called 'nope'"),
        (Preset("repl", "nope"), "no padding is called 'nope'"),
        (Preset("repl", "repl", 99), "output_crop must be 0 to 3"),
    ],
    ids=str,
)
def test_a_preset_that_no_network_can_have_is_an_error_of_the_user(preset, message):
    with pytest.raises(ConfigurationError, match=message):
        network(preset, SMALL, seed=0)


def test_sizes_of_the_study_are_those_of_the_network():
    defaults = inspect.signature(RVSR.initialised).parameters
    fields = dataclasses.fields(ModelSettings)
    assert {f.name: f.default for f in fields} == {f.name: defaults[f.name].default for f in fields}
    model = eqx.filter_eval_shape(lambda: network(PRESETS["repl"], ModelSettings(), seed=0))
    assert model.depth == LARGEST_OUTPUT_CROP


def test_a_padding_that_is_not_known_is_an_error_of_the_user():
    with pytest.raises(ConfigurationError, match="no padding is called 'zeros'; did you mean 'zero'"):
        configured_padding("zeros", 1)


def test_a_preset_is_the_network_it_names():
    model = network(PRESETS["repl_oc5"], ModelSettings(hidden_channels=2, blocks=3, upscale_factor=2), seed=0)
    assert (model.output_crop, model.upscale_factor, model.depth) == (5, 2, 5)
    assert type(model.upscale_padding).__name__ == "ReplicatePadding"
    assert [type(border.padding).__name__ for border in model.borders] == ["ReplicatePadding"] * 5
    assert model.head.kernel.shape == (3, 3, 3, 2)
    first = network(PRESETS["zero-repl"], SMALL, seed=0).borders[0]
    assert type(first.padding).__name__ == "ZeroPadding"


def test_the_target_is_cut_to_what_the_network_predicts():
    model = network(PRESETS["zero_oc1"], SMALL, seed=0)
    target = jnp.arange(2 * 24 * 28 * 3, dtype=jnp.float32).reshape(2, 24, 28, 3)
    np.testing.assert_array_equal(kept(target, model), target[:, 4:-4, 4:-4])
    uncropped = network(PRESETS["zero-zero"], SMALL, seed=0)
    np.testing.assert_array_equal(kept(target, uncropped), target)
