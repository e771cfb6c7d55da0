"""Networks learn the same way with merged branches, in parts of a batch and in bfloat16 as plainly."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.arrays import assert_close

from spatial_prediction import native
from spatial_prediction.models import merge_branches
from spatial_prediction.studies.super_resolution import losses
from spatial_prediction.studies.super_resolution.config import ModelSettings, tile_size
from spatial_prediction.studies.super_resolution.losses import held_out_loss, training_loss
from spatial_prediction.studies.super_resolution.presets import PRESETS
from spatial_prediction.studies.super_resolution.task import kept, network, pair
from spatial_prediction.training import make_update, optimizer
from spatial_prediction.training_settings import TrainingSettings

SMALL = ModelSettings(hidden_channels=4, blocks=1)
PUBLISHED = ModelSettings()

pytestmark = pytest.mark.usefixtures("quick_compilation")


@pytest.fixture(scope="module", autouse=True)
def _dtypes_promoted_as_optax_needs():
    with jax.numpy_dtype_promotion("standard"):
        yield


def smooth_tiles(count, low_res_size, step=0):
    """Smooth random surfaces of DN about 3000."""
    size = tile_size(low_res_size, 4)
    rng = np.random.default_rng([3, step])
    rough = rng.normal(size=(count, size, size, 3)).cumsum(1).cumsum(2)
    return (3000 + 1500 * rough / np.abs(rough).max()).astype(np.int16)


def losses_of(loss, parameters, *, low_res_size, steps=20):
    optimise = optimizer(TrainingSettings())
    update = make_update(loss, optimise)
    parameters = jax.tree.map(jnp.array, parameters)  # the step takes its arguments' memory
    state = optimise.init(parameters)
    found = []
    for step in range(steps):
        parameters, state, measures = update(parameters, state, smooth_tiles(2, low_res_size, step))
        found.append(float(measures[0]))
    return np.array(found)


@pytest.mark.parametrize(
    ("preset", "settings"),
    [
        ("lp1x1cs", SMALL),
        pytest.param("zero-repl", PUBLISHED, marks=pytest.mark.slow),
    ],
    ids=["lp1x1cs", "zero-repl at the published size"],
)
def test_merged_branches_train_like_the_plain_ones(preset, settings):
    parameters, static = eqx.partition(network(PRESETS[preset], settings, seed=0), eqx.is_array)

    def plain_loss(parameters, tiles):
        model = eqx.combine(parameters, static)
        low_res, high_res = pair(tiles, model.upscale_factor)
        return jnp.mean((model.apply(low_res) - kept(high_res, model)) ** 2), None

    merged = losses_of(training_loss(static), parameters, low_res_size=12)
    plain = losses_of(plain_loss, parameters, low_res_size=12)
    np.testing.assert_allclose(merged, plain, rtol=1e-5)
    assert plain[-1] < 0.9 * plain[0]  # it did train


@pytest.mark.parametrize("preset", ["zero-repl", "lp1x1cs"])
def test_bfloat16_trains_much_like_float32_and_keeps_float32_parameters(preset):
    parameters, static = eqx.partition(network(PRESETS[preset], SMALL, seed=0), eqx.is_array)
    whole = losses_of(training_loss(static), parameters, low_res_size=12)
    half = losses_of(training_loss(static, compute_dtype="bfloat16"), parameters, low_res_size=12)
    assert np.any(half != whole)
    np.testing.assert_allclose(half, whole, rtol=0.1)
    loss = training_loss(static, compute_dtype="bfloat16")
    gradient, _ = jax.jit(jax.grad(loss, has_aux=True))(parameters, smooth_tiles(2, 12))
    assert {leaf.dtype for leaf in jax.tree.leaves(gradient)} == {jnp.dtype(jnp.float32)}


@pytest.mark.parametrize("padding", ["lp1x1cs", "lp2x3_batch", "lp2x3_running"])
def test_gradients_in_parts_are_those_of_the_batch_unless_that_is_coupled(padding, monkeypatch):
    preset = dataclasses.replace(PRESETS["zero-repl"], padding=padding)
    parameters, static = eqx.partition(network(preset, SMALL, seed=0), eqx.is_array)
    tiles = smooth_tiles(6, 12)

    def gradient(largest_part):
        monkeypatch.setattr(losses, "LARGEST_PART", largest_part)
        seen.clear()
        return jax.jit(jax.value_and_grad(training_loss(static), has_aux=True))(parameters, tiles)

    seen = []
    monkeypatch.setattr(losses, "pair", lambda tiles, factor: seen.append(len(tiles)) or pair(tiles, factor))
    whole = gradient(6)
    assert set(seen) == {6}
    in_parts = gradient(2)
    assert set(seen) == {2 if padding == "lp1x1cs" and native.available() else 6}
    assert_close(in_parts, whole, 2e-5)


def test_a_step_keeps_what_the_network_remembers_of_the_batch():
    parameters, static = eqx.partition(network(PRESETS["lp2x3_running"], SMALL, seed=0), eqx.is_array)
    tiles = smooth_tiles(2, 12)
    low_res, _ = pair(tiles, 4)
    _, features = eqx.filter_jit(merge_branches(eqx.combine(parameters, static)).with_features)(low_res)
    expected = parameters.borders[1].padding.remember(features[0])

    optimise = optimizer(TrainingSettings())
    update = make_update(training_loss(static), optimise)
    start = jax.tree.map(jnp.array, parameters)
    updated, _, _ = update(start, optimise.init(parameters), tiles)
    assert float(updated.borders[1].padding.batches) == 1
    for found, wanted in zip(jax.tree.leaves(updated.borders[1]), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=0, atol=2e-4 * np.abs(wanted).max())
    assert np.any(updated.head.kernel != parameters.head.kernel)


@pytest.mark.parametrize("batch_size", [2, 5, 8])
def test_the_held_out_loss_is_the_mean_over_all_tiles(batch_size):
    model = network(PRESETS["zero_oc1"], SMALL, seed=0)
    parameters, static = eqx.partition(model, eqx.is_array)
    # tiles of different difficulty, so that an unweighted mean of uneven batches would be wrong
    tiles = smooth_tiles(5, 6) * np.array([1, 2, 3, 4, 9], np.int16)[:, None, None, None] // 3
    found = held_out_loss(static, tiles, batch_size=batch_size)(parameters)
    low_res, high_res = pair(tiles, 4)
    errors = np.asarray(eqx.filter_jit(model.apply)(low_res)) - np.asarray(high_res)[:, 4:-4, 4:-4]
    assert found == pytest.approx(np.mean(errors.astype(np.float64) ** 2), rel=1e-6)
    of_batches = [np.mean(errors[first : first + batch_size] ** 2) for first in range(0, 5, batch_size)]
    assert batch_size != 2 or abs(np.mean(of_batches) / found - 1) > 0.01
