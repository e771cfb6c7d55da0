"""Remedies against divergence do what they say, and nothing where they are off."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from tests.unit.training.test_loop import Batches, bits, run, settings

from spatial_prediction.training import optimizer


@pytest.fixture(scope="module", autouse=True)
def _dtypes_promoted_as_optax_needs():
    with jax.numpy_dtype_promotion("standard"):
        yield


def updates(gradients, **changes):
    """Changes of a parameter over successive gradients."""
    optimise = optimizer(settings(**changes))
    state, update = optimise.init(jnp.zeros(2)), jax.jit(optimise.update)
    found = []
    for gradient in gradients:
        change, state = update(jnp.asarray(gradient, jnp.float32), state)
        found.append(change)
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
