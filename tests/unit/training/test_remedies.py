"""Remedies against divergence do what they say, and nothing where they are off."""

import logging
import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from tests.unit.training.test_loop import Batches, ask_to_end, bits, run, settings, squared_error

from spatial_prediction.training import Interrupted, make_update, optimizer
from spatial_prediction.training._remedies import MOST_SKIPPED_IN_A_ROW, gradient_norm

DTYPES = pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16], ids=["float32", "bfloat16"])


@pytest.fixture(scope="module", autouse=True)
def _dtypes_promoted_as_optax_needs():
    with jax.numpy_dtype_promotion("standard"):
        yield


def updates(gradients, dtype=jnp.float32, **changes):
    """Changes of a parameter over successive gradients."""
    optimise = optimizer(settings(**changes))
    state, update = optimise.init(jnp.zeros(2, dtype)), jax.jit(optimise.update)
    found = []
    for gradient in gradients:
        change, state = update(jnp.asarray(gradient, dtype), state)
        found.append(np.asarray(change, np.float32))
    return np.stack(found)


def test_a_long_gradient_is_scaled_and_a_short_one_left():
    clipped = updates([[3, 4], [0.3, 0.4]], clip_gradient_norm=1.0)
    np.testing.assert_allclose(clipped, updates([[0.6, 0.8], [0.3, 0.4]]), rtol=1e-6)


@pytest.mark.parametrize("spike", [[90, -120], [np.nan, 0], [np.inf, 0]])
def test_a_spike_is_left_out_as_if_it_had_not_been(spike):
    usual = [[0.3, 0.4], [0.4, 0.3], [0.5, 0.0]]
    found = updates([*usual, spike, [0.3, 0.4]], skip_gradient_spikes=10.0)
    assert found[3].tolist() == [0, 0]
    np.testing.assert_array_equal(np.delete(found, 3, axis=0), updates([*usual, [0.3, 0.4]]))


def test_a_lasting_change_of_scale_is_followed():
    found = updates([[0.3, 0.4]] * 5 + [[30, 40]] * 60, skip_gradient_spikes=10.0)
    assert not found[5].any()
    assert found[-1].any()


def test_usual_gradients_are_all_taken():
    gradients = np.random.default_rng(0).normal(size=(30, 2))
    np.testing.assert_array_equal(updates(gradients, skip_gradient_spikes=1e3), updates(gradients))


def test_a_run_survives_a_bad_batch_with_its_remedy_and_not_without(tmp_path):
    bad = {20: 1e4}
    changes = {"divergence_loss": 1e12}
    plain = run(tmp_path / "plain", batches=Batches(bad), **changes)
    skipping = run(tmp_path / "skipping", batches=Batches(bad), skip_gradient_spikes=20.0, **changes)
    good = run(tmp_path / "good")
    assert skipping.history.train_loss[:20] == good.history.train_loss[:20]
    after = [np.array(each.history.train_loss[21:]) for each in (plain, skipping, good)]
    assert np.abs(after[0] - after[2]).mean() > 3 * np.abs(after[1] - after[2]).mean()


def test_remedies_are_off_by_default(tmp_path):
    assert isinstance(optimizer(settings()).init(jnp.zeros(2))[0], optax.ScaleByAdamState)
    assert bits(run(tmp_path / "a")) == bits(run(tmp_path / "b", clip_gradient_norm=0.0))


@pytest.mark.parametrize(
    ("gradient", "norm"),
    [
        ([0, 0], 0),
        ([3, -4], 5),
        ([3e-30, 4e-30], 5e-30),
        ([3e-25, 0], 3e-25),
        ([-3e25, 4e25], 5e25),
        ([2e38, 2e38], 2e38 * math.sqrt(2)),
        ([3e38, 3e38], np.inf),
        ([np.inf, 1], np.inf),
        ([np.inf, -np.inf], np.inf),
        ([np.nan, 1], np.nan),
        ([np.nan, np.inf], np.nan),
    ],
)
def test_squares_of_a_norm_neither_underflow_nor_overflow(gradient, norm):
    tree = {"a": jnp.float32(gradient[0]), "b": [jnp.float32(gradient[1]).reshape(1, 1), jnp.zeros((0, 3))]}
    np.testing.assert_allclose(jax.jit(gradient_norm)(tree), np.float32(norm), rtol=1e-6)


def test_a_norm_of_numbers_of_16_bits_is_summed_in_32():
    norm = gradient_norm({"a": jnp.full(10_000, 1, jnp.bfloat16), "b": jnp.full(2, 3, jnp.float32)})
    np.testing.assert_allclose(norm, math.sqrt(10_018), rtol=1e-6)
    assert norm.dtype == jnp.float32


@DTYPES
@pytest.mark.parametrize("size", [3e38, 1e30, 1e-3])
def test_a_gradient_is_scaled_to_the_longest_allowed_though_its_norm_overflows(size, dtype):
    # Adam's very first change does not depend on the gradient's scale: look at the gradient itself.
    clip = optimizer(settings(clip_gradient_norm=1e-4))
    state = clip.init(jnp.zeros(2, dtype))
    _, (_, (adam, _)) = jax.jit(clip.update)(jnp.asarray([size, -size], dtype), state)
    clipped = np.asarray(adam.mu, np.float32) / 0.1
    np.testing.assert_allclose(clipped, np.array([1e-4, -1e-4]) / math.sqrt(2), rtol=2e-2)


@pytest.mark.parametrize("scale", [1e-6, 0.3, 1.7, 1e4])
def test_clipping_is_that_of_optax_where_no_norm_overflows(scale):
    gradient = {"a": jnp.asarray(np.random.default_rng(0).normal(size=(4, 3)) * scale, jnp.float32)}
    of_optax, _ = optax.clip_by_global_norm(1.0).update(gradient, optax.EmptyState())
    clip = optimizer(settings(clip_gradient_norm=1.0))
    _, (_, (adam, _)) = clip.update(gradient, clip.init(gradient))
    np.testing.assert_allclose(adam.mu["a"], 0.1 * of_optax["a"], rtol=1e-6)


@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_a_gradient_that_is_not_finite_is_not_clipped_into_one_that_is(odd):
    found = updates([[odd, 1]], clip_gradient_norm=1.0)
    assert np.isnan(found).any()


@DTYPES
@pytest.mark.parametrize(
    "first",
    [[0, 0], [1e-40, 0], [1e-30, -1e-30], [1e-24, 0], [np.inf, 1], [np.nan, 1], [3e38, 3e38]],
    ids=str,
)
@pytest.mark.parametrize("clip", [0.0, 0.1])
def test_later_steps_are_taken_whatever_the_first_gradient_was(first, clip, dtype):
    found = updates([first] + [[0.3, 0.4]] * 20, dtype, skip_gradient_spikes=10.0, clip_gradient_norm=clip)
    assert np.isfinite(found).all()
    taken = found.any(axis=1)
    assert taken[MOST_SKIPPED_IN_A_ROW + 1 :].all()
    if not 1e-38 < max(np.abs(first)) < 1e38:  # nothing was learnt of what is usual
        assert taken[1:].all()


@DTYPES
@pytest.mark.parametrize("odd", [np.inf, -np.inf, np.nan])
def test_a_first_gradient_that_is_not_finite_changes_nothing(odd, dtype):
    usual = [[0.3, 0.4], [0.4, 0.3], [0.5, 0.0]]
    found = updates([[odd, 1], *usual], dtype, skip_gradient_spikes=10.0)
    assert not found[0].any()
    np.testing.assert_array_equal(found[1:], updates(usual, dtype, skip_gradient_spikes=10.0))


@DTYPES
def test_a_gradient_of_zeros_among_usual_ones_does_not_change_what_is_usual(dtype):
    found = updates([[0.3, 0.4]] + [[0, 0]] * 300 + [[0.3, 0.4], [30, 40]], dtype, skip_gradient_spikes=10.0)
    assert found[-2].any()
    assert not found[-1].any()


def test_no_more_than_so_many_steps_in_a_row_are_left_out():
    found = updates([[0.3, 0.4]] * 5 + [[3e4, 4e4]] * 30 + [[3e9, 0]], skip_gradient_spikes=3.0)
    taken = found.any(axis=1)
    assert taken.tolist() == [True] * 5 + [False] * MOST_SKIPPED_IN_A_ROW + [True] * (
        30 - MOST_SKIPPED_IN_A_ROW
    ) + [False]


@DTYPES
def test_a_step_left_out_is_not_remembered_either(dtype):
    """What a loss keeps of a batch, such as mean values of feature maps, is no more to be trusted."""

    def loss(parameters, batch):
        features = batch.astype(dtype)
        value = jnp.mean((features @ parameters["weight"].astype(dtype)).astype(jnp.float32) ** 2)
        return value, {"weight": None, "memory": jnp.mean(features).astype(jnp.float32)}

    optimise = optimizer(settings(skip_gradient_spikes=10.0))
    update = make_update(loss, optimise)
    parameters = {"weight": jnp.ones((2, 1)), "memory": jnp.zeros(())}
    state = optimise.init(parameters)
    parameters, state, _ = update(parameters, state, jnp.full((3, 2), jnp.inf))
    assert parameters["memory"] == 0
    assert parameters["weight"].tolist() == [[1], [1]]
    parameters, state, _ = update(parameters, state, jnp.ones((3, 2)))
    assert parameters["memory"] == 1
    assert np.isfinite(parameters["weight"]).all()


def test_steps_left_out_for_a_gradient_that_is_not_finite_are_told_once_a_fetch(tmp_path, caplog):
    odd = dict.fromkeys(range(3, 6), np.inf)

    def loss(parameters, batch):  # as a root at 0: the value is finite, its gradient not
        value, kept = squared_error(parameters, jnp.where(jnp.isfinite(batch), batch, 1))
        root = jnp.sqrt(jnp.where(jnp.isfinite(batch).all(), 1.0, 0.0 * parameters["bias"]))
        return value + root, kept

    with caplog.at_level(logging.WARNING):
        outcome = run(tmp_path, loss=loss, batches=Batches(odd), skip_gradient_spikes=20.0)
    assert outcome.status == "completed"
    assert all(np.isfinite(leaf).all() for leaf in outcome.parameters.values())
    (record,) = [each for each in caplog.records if "not finite" in each.getMessage()]
    assert record.getMessage() == "steps 4 to 6: 3 gradients were not finite, and the steps were left out"


@pytest.mark.parametrize("odd", [np.inf, np.nan])
def test_a_batch_that_is_not_finite_ends_a_run_only_without_the_remedy(tmp_path, odd):
    bad = dict.fromkeys((0, 3, 4), odd)
    plain = run(tmp_path / "plain", batches=Batches(bad))
    assert (plain.status, plain.step) == ("diverged", 1)
    skipping = run(tmp_path / "skipping", batches=Batches(bad), skip_gradient_spikes=20.0)
    assert (skipping.status, skipping.step) == ("completed", 60)
    assert all(np.isfinite(leaf).all() for leaf in skipping.parameters.values())
    losses = np.array(skipping.history.train_loss)
    assert (~np.isfinite(losses)).nonzero()[0].tolist() == [0, 3, 4]


def test_a_batch_whose_loss_is_beyond_the_limit_ends_a_run_only_without_the_remedy(tmp_path):
    bad = {3: 1e6, 20: 1e6, 21: np.nan}
    plain = run(tmp_path / "plain", batches=Batches(bad))
    assert (plain.status, plain.step) == ("diverged", 4)
    skipping = run(tmp_path / "skipping", batches=Batches(bad), skip_gradient_spikes=20.0)
    assert (skipping.status, skipping.step) == ("completed", 60)
    losses = np.array(skipping.history.train_loss)
    assert (~(losses < 1e6)).nonzero()[0].tolist() == [3, 20, 21]
    assert losses[-10:].max() < 100


def test_a_run_whose_losses_stay_beyond_the_limit_has_diverged_in_spite_of_the_remedy(tmp_path):
    bad = dict.fromkeys(range(23, 60), 1e6)
    outcome = run(tmp_path, batches=Batches(bad), skip_gradient_spikes=20.0)
    assert (outcome.status, outcome.step) == ("diverged", 24 + MOST_SKIPPED_IN_A_ROW)
    assert outcome.reason.endswith("exceeded 1e+06")


@pytest.mark.parametrize("stops", [(19, 21, 24), (22,), (23, 28)])
def test_a_run_goes_on_after_steps_left_out_as_if_it_had_not_been_interrupted(tmp_path, stops):
    bad = dict.fromkeys(range(15, 24), np.inf) | {20: 1e6, 27: np.nan}
    remedies = {"skip_gradient_spikes": 20.0, "clip_gradient_norm": 0.1}
    whole = run(tmp_path / "whole", batches=Batches(bad), **remedies)
    for stop in stops:
        with pytest.raises(Interrupted):
            run(tmp_path / "parts", batches=Batches(bad, ask_to_end(stop)), **remedies)
    parts = run(tmp_path / "parts", batches=Batches(bad), **remedies)
    assert whole.status == parts.status == "completed"
    np.testing.assert_array_equal(parts.history.train_loss, whole.history.train_loss)
    assert bits(parts)[0] == bits(whole)[0]


def test_a_run_whose_losses_stay_not_finite_has_diverged_in_spite_of_the_remedy(tmp_path):
    bad = dict.fromkeys(range(23, 60), np.nan)
    outcome = run(tmp_path, batches=Batches(bad), skip_gradient_spikes=20.0)
    assert (outcome.status, outcome.step) == ("diverged", 24 + MOST_SKIPPED_IN_A_ROW)
    assert outcome.reason == "loss became nan"
