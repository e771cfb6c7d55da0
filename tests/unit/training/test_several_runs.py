"""Runs that train together end as each does alone; a longer schedule continues a shorter one."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.unit.training.test_loop import Batches, ask_to_end, bits, distance, settings, squared_error

from spatial_prediction.training import AtOnce, Checkpoints, Interrupted, InTurn, train

FORMS = pytest.mark.parametrize("form", [InTurn, AtOnce])


@pytest.fixture(scope="module", autouse=True)
def _dtypes_promoted_as_optax_needs():
    with jax.numpy_dtype_promotion("standard"):
        yield


class OfSeed(Batches):
    """Batches that differ from seed to seed."""

    def __init__(self, seed, factors=None, before=lambda step: None):
        super().__init__(factors, before)
        self.seed = seed

    def __getitem__(self, step):
        return super().__getitem__(step) * np.float32(1 + 0.1 * self.seed)


def start(seed):
    return {"weights": jnp.full(3, 0.1 * seed), "bias": jnp.zeros(())}


def together(folder, seeds, *, form=InTurn, batches=OfSeed, **changes):
    return train(
        [start(seed) for seed in seeds],
        loss=squared_error,
        test_loss=distance,
        batches=[batches(seed) for seed in seeds],
        settings=settings(**changes),
        checkpoints=[Checkpoints(folder / str(seed)) for seed in seeds],
        together=form,
    )


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone")
    return {seed: together(folder, [seed])[0] for seed in range(3)}


def assert_equal(outcome, expected, form):
    """Bit for bit where runs take turns, to rounding where they are one program."""
    if form is InTurn:
        assert bits(outcome) == bits(expected)
        return
    assert (outcome.status, outcome.step) == (expected.status, expected.step)
    np.testing.assert_allclose(outcome.history.train_loss, expected.history.train_loss, rtol=1e-5)
    for name, leaf in expected.parameters.items():
        np.testing.assert_allclose(outcome.parameters[name], leaf, rtol=1e-5, atol=1e-6)


@FORMS
def test_each_run_is_the_run_alone(tmp_path, alone, form):
    outcomes = together(tmp_path, [0, 1, 2], form=form)
    for seed, outcome in enumerate(outcomes):
        assert_equal(outcome, alone[seed], form)
    assert bits(outcomes[0]) != bits(outcomes[1])


@FORMS
@pytest.mark.parametrize("factor", [math.nan, 1e30])
def test_a_run_that_diverges_leaves_the_others_alone(tmp_path, alone, form, factor):
    outcomes = together(
        tmp_path, [0, 1, 2], form=form, batches=lambda seed: OfSeed(seed, {11: factor} if seed == 1 else {})
    )
    assert [outcome.status for outcome in outcomes] == ["completed", "diverged", "completed"]
    assert outcomes[1].step == 12
    for seed in (0, 2):
        assert_equal(outcomes[seed], alone[seed], form)


@FORMS
def test_runs_stopped_at_different_steps_go_on_together(tmp_path, alone, form):
    for seed, step in ((0, 40), (1, 12)):
        with pytest.raises(Interrupted):
            together(tmp_path, [seed], batches=lambda seed, at=step: OfSeed(seed, before=ask_to_end(at)))
    for seed, outcome in enumerate(together(tmp_path, [0, 1, 2], form=form)):
        assert_equal(outcome, alone[seed], form)


def test_a_seed_added_later_trains_no_other_again(tmp_path, alone):
    together(tmp_path, [0, 1])

    def refuse(step):
        raise AssertionError(f"step {step} is trained again")

    outcomes = together(
        tmp_path, [0, 1, 2], batches=lambda seed: OfSeed(seed, before=refuse if seed < 2 else lambda _: None)
    )
    assert [bits(outcome) for outcome in outcomes] == [bits(alone[seed]) for seed in range(3)]


def test_all_runs_diverged_end_the_job(tmp_path):
    outcomes = together(
        tmp_path,
        [0, 1],
        steps=10**6,
        decay_start=10**5,
        batches=lambda seed: OfSeed(seed, {3 + seed: math.nan}),
    )
    assert [outcome.step for outcome in outcomes] == [4, 5]


def scheduled(folder, before=lambda step: None, *, steps, decay_start):
    """Train in the folder that this schedule has beside the others."""
    checkpoints = Checkpoints(folder / f"{steps}_{decay_start}", common_until=decay_start)
    (outcome,) = train(
        [start(1)],
        loss=squared_error,
        test_loss=distance,
        batches=[Batches(before=before)],
        settings=settings(steps=steps, decay_start=decay_start),
        checkpoints=[checkpoints],
    )
    return outcome


def test_a_lengthened_run_goes_on_from_the_phase_that_it_shares(tmp_path):
    whole = scheduled(tmp_path / "whole", steps=90, decay_start=70)
    scheduled(tmp_path / "study", steps=60, decay_start=45)
    read = []
    longer = scheduled(tmp_path / "study", read.append, steps=90, decay_start=70)
    assert read[0] == 40  # the last checkpoint before the shorter run's rate fell
    assert bits(longer) == bits(whole)


def test_a_run_stopped_before_its_rate_fell_is_lengthened_from_there(tmp_path):
    whole = scheduled(tmp_path / "whole", steps=90, decay_start=70)
    with pytest.raises(Interrupted):
        scheduled(tmp_path / "study", ask_to_end(32), steps=60, decay_start=45)
    read = []
    longer = scheduled(tmp_path / "study", read.append, steps=90, decay_start=70)
    assert read[0] == 33
    assert bits(longer) == bits(whole)


def test_a_shortened_run_takes_no_state_beyond_its_own_phase(tmp_path):
    whole = scheduled(tmp_path / "whole", steps=50, decay_start=25)
    scheduled(tmp_path / "study", steps=90, decay_start=70)
    shorter = scheduled(tmp_path / "study", steps=50, decay_start=25)
    assert bits(shorter) == bits(whole)
