"""Training goes on after any ending as if there had been none, and says when and why it failed.

Run as a program (``python test_loop.py FOLDER``) this trains slowly in a folder, to be killed.
"""

import logging
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental.compilation_cache import compilation_cache

from spatial_prediction.errors import CheckpointError
from spatial_prediction.training import Checkpoints, Interrupted, _run, learning_rate, train
from spatial_prediction.training_settings import TrainingSettings

LONG = 300
"""Steps of the run that is killed."""


@pytest.fixture(scope="module", autouse=True)
def _dtypes_promoted_as_optax_needs():
    with jax.numpy_dtype_promotion("standard"):
        yield


@pytest.fixture(scope="module", autouse=True)
def _equal_programs_compiled_once(tmp_path_factory):
    wanted = {
        "jax_compilation_cache_dir": str(tmp_path_factory.mktemp("compiled")),
        "jax_persistent_cache_min_compile_time_secs": 0,
        "jax_persistent_cache_min_entry_size_bytes": -1,
    }
    before = {name: getattr(jax.config, name) for name in wanted}
    for name, value in wanted.items():
        jax.config.update(name, value)
    compilation_cache.reset_cache()
    yield
    for name, value in before.items():
        jax.config.update(name, value)
    compilation_cache.reset_cache()


def settings(**changes):
    usual = {
        "steps": 60,
        "warmup_steps": 5,
        "decay_start": 40,
        "learning_rate": 0.05,
        "test_every": 7,
        "checkpoint_every": 10,
        "divergence_grace_steps": 0,
    }
    return TrainingSettings(**{**usual, **changes})


def start():
    return {"weights": jnp.zeros(3), "bias": jnp.zeros(())}


def squared_error(parameters, batch):
    features, target = batch[:, :3], batch[:, 3]
    return jnp.mean((features @ parameters["weights"] + parameters["bias"] - target) ** 2), None


def distance(parameters):
    return float(jnp.sum((parameters["weights"] - 1) ** 2))


def draw(step):
    return np.random.default_rng([1, step]).standard_normal((8, 4)).astype(np.float32)


class Batches:
    """Batches of a step, some scaled, some preceded by something else."""

    def __init__(self, factors=None, before=lambda step: None):
        self.factors, self.before = factors or {}, before

    def __getitem__(self, step):
        self.before(step)
        return draw(step) * np.float32(self.factors.get(step, 1))


def run(folder, *, loss=squared_error, test_loss=distance, batches=None, **changes):
    checkpoints = Checkpoints(Path(folder))
    with checkpoints.locked():
        (outcome,) = train(
            [start()],
            loss=loss,
            test_loss=test_loss,
            batches=[batches or Batches()],
            settings=settings(**changes),
            checkpoints=[checkpoints],
        )
        return outcome


def ask_to_end(step):
    def before(reading):
        if reading == step:
            os.kill(os.getpid(), signal.SIGTERM)

    return before


def bits(outcome):
    parameters = {name: np.asarray(leaf).tobytes() for name, leaf in outcome.parameters.items()}
    return parameters, outcome.history, outcome.status, outcome.step, outcome.reason


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    return run(tmp_path_factory.mktemp("uninterrupted"))


def test_losses_are_those_of_adam_written_out(uninterrupted):
    weights, first, second = np.zeros(4), np.zeros(4), np.zeros(4)
    rate = learning_rate(settings())
    for step, loss in enumerate(uninterrupted.history.train_loss):
        batch = draw(step).astype(float)
        features = np.concatenate([batch[:, :3], np.ones((8, 1))], axis=1)
        residual = features @ weights - batch[:, 3]
        assert loss == pytest.approx(np.mean(residual**2), rel=1e-4)
        if step in uninterrupted.history.test_loss:
            expected = np.sum((weights[:3] - 1) ** 2)
            assert uninterrupted.history.test_loss[step] == pytest.approx(expected, rel=1e-4)
        gradient = 2 * features.T @ residual / 8
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        corrected = first / (1 - 0.9 ** (step + 1)), second / (1 - 0.999 ** (step + 1))
        weights = weights - float(rate(step)) * corrected[0] / (np.sqrt(corrected[1]) + 1e-3)
    np.testing.assert_allclose(uninterrupted.parameters["weights"], weights[:3], rtol=1e-4)
    np.testing.assert_allclose(uninterrupted.parameters["bias"], weights[3], rtol=1e-4)


def test_a_whole_run_has_a_loss_for_each_step_and_test_losses_at_the_steps_asked_for(uninterrupted):
    assert (uninterrupted.status, uninterrupted.step, uninterrupted.reason) == ("completed", 60, None)
    assert len(uninterrupted.history.train_loss) == 60
    assert list(uninterrupted.history.test_loss) == [0, 7, 14, 21, 28, 35, 42, 49, 56, 60]
    assert uninterrupted.history.test_loss[60] == distance(uninterrupted.parameters)
    assert uninterrupted.seconds > 0


def test_the_last_step_is_tested_once_where_it_is_due_anyhow(tmp_path):
    seen = []
    outcome = run(tmp_path, test_loss=lambda parameters: seen.append(1) or 0.5, steps=45, test_every=15)
    assert list(outcome.history.test_loss) == [0, 15, 30, 45]
    assert len(seen) == 4


def test_the_parameters_handed_in_can_be_used_again(tmp_path):
    parameters = start()
    train(
        [parameters],
        loss=squared_error,
        test_loss=distance,
        batches=[Batches()],
        settings=settings(steps=45),
        checkpoints=[Checkpoints(tmp_path)],
    )
    assert parameters["weights"].tolist() == [0, 0, 0]


@pytest.mark.parametrize("stops", [[0], [3, 4, 9, 30], [24, 25, 26], [58, 59]])
def test_a_run_asked_to_end_goes_on_as_if_it_had_not_been(tmp_path, uninterrupted, stops):
    for step in stops:
        if step == 59:  # nothing is left to do: the run completes
            break
        with pytest.raises(Interrupted, match=f"saved step {step + 1} of 60"):
            run(tmp_path, batches=Batches(before=ask_to_end(step)))
        assert Checkpoints(tmp_path).newest()[1]["step"] == step + 1
    resumed = run(tmp_path, batches=Batches(before=ask_to_end(stops[-1])))
    assert bits(resumed) == bits(uninterrupted)


def test_a_request_while_losses_are_fetched_loses_no_step(tmp_path, uninterrupted, monkeypatch):
    check = _run.first_fault

    def check_and_ask_to_end(losses, before, settings):
        if before + 25 == len(losses) == 25:
            os.kill(os.getpid(), signal.SIGTERM)
        return check(losses, before, settings)

    monkeypatch.setattr(_run, "first_fault", check_and_ask_to_end)
    with pytest.raises(Interrupted, match="saved step 26 of 60"):
        run(tmp_path, checkpoint_every=60)
    assert Checkpoints(tmp_path).newest()[1]["step"] == 26
    assert bits(run(tmp_path, checkpoint_every=60)) == bits(uninterrupted)


def test_the_signal_handler_is_put_back(tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Interrupted):
        run(tmp_path, batches=Batches(before=ask_to_end(2)))
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_finished_run_is_not_trained_again(tmp_path, uninterrupted):
    run(tmp_path)

    def refuse(step):
        raise AssertionError(f"step {step} is trained again")

    again = run(tmp_path, batches=Batches(before=refuse))
    assert bits(again) == bits(uninterrupted)


def test_seconds_add_up_over_interruptions(tmp_path):
    with pytest.raises(Interrupted):
        run(tmp_path, batches=Batches(before=lambda step: time.sleep(0.2) or ask_to_end(1)(step)))
    assert run(tmp_path).seconds > 0.4


def test_a_damaged_newest_checkpoint_costs_only_its_own_steps(tmp_path, uninterrupted, caplog):
    with pytest.raises(Interrupted):
        run(tmp_path, batches=Batches(before=ask_to_end(32)))
    newest = Checkpoints(tmp_path).path(33)
    newest.write_bytes(newest.read_bytes()[:-7])
    seen = []
    with caplog.at_level(logging.INFO):
        outcome = run(tmp_path, batches=Batches(before=seen.append))
    assert seen[0] == 30
    assert bits(outcome) == bits(uninterrupted)
    assert "passing over a checkpoint" in caplog.text
    assert "resuming at step 30 of 60" in caplog.text


def test_a_checkpoint_of_another_network_is_refused_with_file_and_leaf(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    run(tmp_path)
    with pytest.raises(
        CheckpointError, match=r"step_000000060.safetensors: \[0\]\['weights'\] is float32\(3,\)"
    ):
        train(
            [{"weights": jnp.zeros(5), "bias": jnp.zeros(())}],
            loss=squared_error,
            test_loss=distance,
            batches=[Batches()],
            settings=settings(),
            checkpoints=[checkpoints],
        )


def test_the_step_is_compiled_once_also_after_resuming(tmp_path):
    traced = []

    def loss(parameters, batch):
        traced.append(1)  # runs when the step is traced, not when it runs
        return squared_error(parameters, batch)

    with pytest.raises(Interrupted):
        run(tmp_path, loss=loss, batches=Batches(before=ask_to_end(30)))
    assert len(traced) == 1
    run(tmp_path, loss=loss)
    assert len(traced) == 2


@pytest.mark.parametrize("step", [1, 24, 25, 26, 30, 50, 51, 60])
def test_a_loss_that_is_not_finite_ends_the_run_at_its_step(tmp_path, uninterrupted, step):
    outcome = run(tmp_path, batches=Batches({step - 1: math.nan}))
    assert (outcome.status, outcome.step, outcome.reason) == ("diverged", step, "loss became nan")
    losses = outcome.history.train_loss
    assert len(losses) == step
    assert losses[:-1] == uninterrupted.history.train_loss[: step - 1]
    assert math.isnan(losses[-1])
    assert list(outcome.history.test_loss) == list(range(0, step, 7))
    assert all(map(math.isfinite, outcome.history.test_loss.values()))


def test_an_infinite_loss_is_called_so(tmp_path):
    outcome = run(tmp_path, batches=Batches({11: 1e30}))
    assert (outcome.status, outcome.step, outcome.reason) == ("diverged", 12, "loss became inf")


@pytest.mark.parametrize("step", [31, 49, 50, 51, 60])
def test_a_loss_beyond_the_limit_ends_the_run_at_its_step(tmp_path, step):
    outcome = run(tmp_path, batches=Batches({step - 1: 1e4}), divergence_grace_steps=30)
    assert (outcome.status, outcome.step) == ("diverged", step)
    loss = outcome.history.train_loss[-1]
    assert loss > 1e6
    assert outcome.reason == f"loss {loss:.3g} exceeded 1e+06"
    assert len(outcome.history.train_loss) == step


def test_a_large_loss_in_the_grace_period_is_allowed_and_one_that_is_not_finite_is_not(tmp_path):
    outcome = run(tmp_path / "large", batches=Batches({29: 1e4}), divergence_grace_steps=30)
    assert outcome.status == "completed"
    assert outcome.history.train_loss[29] > 1e6
    outcome = run(tmp_path / "nan", batches=Batches({29: math.nan}), divergence_grace_steps=30)
    assert (outcome.status, outcome.step) == ("diverged", 30)


def test_a_run_that_diverged_and_is_started_again_diverges_the_same_way(tmp_path):
    once = run(tmp_path, batches=Batches({32: 1e30}))
    assert Checkpoints(tmp_path).newest()[1]["step"] == 30
    again = run(tmp_path, batches=Batches({32: 1e30}))
    assert (once.step, once.reason) == (33, "loss became inf")
    assert (again.step, again.reason) == (33, "loss became inf")
    assert again.history == once.history


def test_a_request_to_end_just_before_a_divergence_does_not_change_it(tmp_path):
    once = run(tmp_path / "once", batches=Batches({32: 1e30}))
    with pytest.raises(Interrupted):
        run(tmp_path / "twice", batches=Batches({32: 1e30}, ask_to_end(31)))
    again = run(tmp_path / "twice", batches=Batches({32: 1e30}, ask_to_end(32)))
    assert (again.status, again.step, again.reason) == ("diverged", 33, "loss became inf")
    assert again.history == once.history


def test_the_record_of_a_failure_has_gradient_norm_and_batch(tmp_path):
    class Drawn(Batches):
        def draw(self, step):
            return np.array([[step, 1], [step, 2]])

    failure = run(tmp_path, batches=Drawn({32: 1e4}), divergence_loss=1e3).failure
    assert (failure.step, failure.reason[:5], failure.batch) == (33, "loss ", [[32, 1], [32, 2]])
    assert failure.gradient_norm > 1e3
    assert run(tmp_path / "fine").failure is None


@pytest.mark.parametrize(
    ("last", "reason"),
    [
        (math.nan, "test loss became nan"),
        (math.inf, "test loss became inf"),
        (2e6, "test loss 2e+06 exceeded 1e+06"),
    ],
)
def test_a_bad_test_loss_at_the_end_is_a_divergence_too(tmp_path, last, reason):
    values = iter([0.5] * 9 + [last])
    outcome = run(tmp_path, test_loss=lambda parameters: next(values))
    assert (outcome.status, outcome.step, outcome.reason) == ("diverged", 60, reason)
    assert len(outcome.history.train_loss) == 60


def test_an_error_of_the_data_passes_through_and_leaves_the_last_checkpoint(tmp_path, uninterrupted):
    def fail(step):
        if step == 27:
            raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        run(tmp_path, batches=Batches(before=fail))
    assert Checkpoints(tmp_path).newest()[1]["step"] == 20
    assert bits(run(tmp_path)) == bits(uninterrupted)


def newest_step(folder):
    return max((int(path.stem.removeprefix("step_")) for path in folder.glob("step_*")), default=0)


def long_run(folder, before=lambda step: None):
    return run(folder, batches=Batches(before=before), steps=LONG, checkpoint_every=3)


def test_a_run_killed_at_random_moments_ends_with_the_same_bits(tmp_path):
    rng = np.random.default_rng()
    killed = tmp_path / "killed"
    for _ in range(3):
        reached = newest_step(killed)
        with subprocess.Popen([sys.executable, __file__, str(killed)]) as process:
            while newest_step(killed) == reached and process.poll() is None:
                time.sleep(0.005)
            time.sleep(rng.uniform(0, 0.3))
            process.kill()
        assert process.returncode == -signal.SIGKILL
        assert reached < newest_step(killed) < LONG
    resumed = long_run(killed)
    assert sorted(path.name for path in killed.iterdir()) == [
        "lock",
        "step_000000297.safetensors",
        "step_000000300.safetensors",
    ]
    assert bits(resumed) == bits(long_run(tmp_path / "whole"))


if __name__ == "__main__":
    long_run(sys.argv[1], before=lambda step: time.sleep(0.01))
