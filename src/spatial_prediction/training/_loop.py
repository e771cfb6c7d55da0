"""The training loop: knows pytrees and Optax, and no model by name."""

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import jax
import jax.numpy as jnp

from spatial_prediction.progress import progress
from spatial_prediction.training._checkpoint import Checkpoints
from spatial_prediction.training._run import Batches, Failure, Outcome, Run, fault_of
from spatial_prediction.training._schedule import optimizer
from spatial_prediction.training._step import Loss, Parameters, Runs, runs_together
from spatial_prediction.training_settings import TrainingSettings

_STEPS_BETWEEN_FETCHES = 25
"""Losses stay on the device this long: fetching each would wait for each step."""


class Interrupted(Exception):  # noqa: N818 - an ending as planned, not an error
    """The job was asked to end; its state is saved and training can go on from there."""


def train(
    starts: Sequence[Parameters],
    *,
    loss: Loss,
    test_loss: Callable[[Parameters], float],
    batches: Sequence[Batches],
    settings: TrainingSettings,
    checkpoints: Sequence[Checkpoints],
    together: Callable[..., Runs] = runs_together,
) -> list[Outcome]:
    """Train several runs of one program, each from its newest checkpoint to the last step or to divergence.

    Runs that were stopped at different steps wait for each other; one that diverges leaves the others alone.
    :func:`runs_together` says how equal each run is to the same run alone.

    Args:
        starts: for each run a pytree of arrays, the state before the first step; copied, so still usable
            afterwards.
        loss: loss of parameters and one batch; differentiated and compiled here.
        test_loss: loss on held-out data, called every ``settings.test_every`` steps.
        batches: for each run; ``batches[run][step]`` for step 0, 1, ...
        settings: steps, schedule and intervals.
        checkpoints: for each run, where its states are kept. The caller holds their locks.
        together: how the runs take their steps.

    Raises:
        Interrupted: SIGTERM came; a checkpoint of the last finished step is on disk.
    """
    optimise = optimizer(settings)
    runs = [Run(*each, settings) for each in zip(batches, checkpoints, strict=True)]
    # copied, for each step donates its state
    states = [(jax.tree.map(jnp.array, start), optimise.init(start)) for start in starts]
    device = together(loss, optimise, [run.resumed(each) for run, each in zip(runs, states, strict=True)])
    clock = _Clock(runs)
    with _termination_noticed() as terminated:
        steps = range(min(run.step for run in runs), settings.steps)
        for step in progress(steps, total=len(steps), description="training", unit="steps"):
            if all(run.outcome for run in runs):
                break
            moving = {i: run for i, run in enumerate(runs) if run.step == step and run.outcome is None}
            if not moving:  # what is left is ahead, or has diverged
                continue
            for i, run in moving.items():
                if step % settings.test_every == 0 and step not in run.history.test_loss:
                    run.history.test_loss[step] = test_loss(device.state(i)[0])
            measures = device.advance({i: run.batches[step] for i, run in moving.items()})
            done = step + 1
            ending = bool(terminated)  # read once: a signal from here on ends the step after this one
            saving = ending or done % settings.checkpoint_every == 0 or done == settings.steps
            for i, run in moving.items():
                run.step = done
                run.pending.append(measures[i])
                if not saving and len(run.pending) < _STEPS_BETWEEN_FETCHES:
                    continue
                failure = run.failure()
                clock.tell()
                if failure is not None:
                    run.end(device.state(i)[0], failure)
                elif saving:
                    run.save(device.state(i))
            if ending and done < settings.steps and not all(run.outcome for run in runs):
                raise Interrupted(f"saved step {done} of {settings.steps}")
    for i, run in enumerate(runs):
        if run.outcome is None:
            last = run.history.test_loss[settings.steps] = test_loss(device.state(i)[0])
            clock.tell()
            fault = fault_of(last, settings.divergence_loss)
            run.end(device.state(i)[0], Failure(settings.steps, f"test {fault}") if fault else None)
    return [run.outcome for run in runs if run.outcome is not None]


class _Clock:
    """Keeps each run's seconds: those of earlier jobs, and its share of this one."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self._runs = runs
        self._before = [run.seconds for run in runs]
        self._started = time.monotonic()

    def tell(self) -> None:
        share = (time.monotonic() - self._started) / len(self._runs)
        for run, before in zip(self._runs, self._before, strict=True):
            run.seconds = before + share


@contextmanager
def _termination_noticed() -> Iterator[list[int]]:
    """Give a list that fills when SIGTERM arrives, instead of dying in the middle of a step."""
    received: list[int] = []
    try:
        before = signal.signal(signal.SIGTERM, lambda number, _: received.append(number))
    except ValueError:  # not the main thread: whoever runs us sees to signals
        yield received
        return
    try:
        yield received
    finally:
        signal.signal(signal.SIGTERM, before)
