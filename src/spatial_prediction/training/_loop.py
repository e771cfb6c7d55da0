"""The training loop, for pytrees and Optax; it knows no model by name."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp

from spatial_prediction.progress import progress
from spatial_prediction.training._checkpoint import Checkpoints
from spatial_prediction.training._clock import Clock
from spatial_prediction.training._divergence import Failure, fault_of
from spatial_prediction.training._run import Batches, Outcome, Run
from spatial_prediction.training._schedule import optimizer
from spatial_prediction.training._step import DeviceStates, Loss, Parameters, runs_together
from spatial_prediction.training._termination import Interrupted, termination_noticed
from spatial_prediction.training_settings import TrainingSettings

_STEPS_BETWEEN_FETCHES = 25
"""Losses stay on the device for so many steps, because fetching one waits for its step."""


def train(
    starts: Sequence[Parameters],
    *,
    loss: Loss,
    test_loss: Callable[[Parameters], float],
    batches: Sequence[Batches],
    settings: TrainingSettings,
    checkpoints: Sequence[Checkpoints],
    together: Callable[..., DeviceStates] = runs_together,
) -> list[Outcome]:
    """Train several runs of one program, each from its newest checkpoint to the last step or to divergence.

    Runs that were stopped at different steps wait for each other; one that diverges does not affect the
    others. :func:`runs_together` says how closely each run agrees with the same run trained by itself.

    Args:
        starts: parameters of each run before the first step, a pytree of arrays; copied, so still usable
            afterwards.
        loss: loss of parameters and one batch; differentiated and compiled here.
        test_loss: loss of parameters on held-out data, called every ``settings.test_every`` steps.
        batches: training data of each run; ``batches[run][step]`` for step 0, 1, ...
        settings: steps, schedule and intervals.
        checkpoints: checkpoint folder of each run. The caller holds their locks.
        together: how the runs take their steps.

    Raises:
        Interrupted: SIGTERM came; a checkpoint of the last finished step is on disk.
    """
    optimise = optimizer(settings)
    runs = [Run(*each, settings) for each in zip(batches, checkpoints, strict=True)]
    # copied because each step donates its state
    states = [(jax.tree.map(jnp.array, start), optimise.init(start)) for start in starts]
    on_device = together(loss, optimise, [run.resumed(each) for run, each in zip(runs, states, strict=True)])
    job = _Job(runs, on_device, test_loss, settings, Clock(runs))
    with termination_noticed() as terminated:
        for step, moving in job.steps():
            job.test_where_due(moving, step)
            job.advance(moving, step)
            done = step + 1
            ending = bool(terminated)  # read once: a signal from here on ends the step after this one
            saving = ending or job.saves_after(done)
            job.end_diverged(moving, fetching_all=saving)
            if saving:
                job.save(moving)
            if ending and job.has_more_after(done):
                raise Interrupted(f"saved step {done} of {settings.steps}")
    return job.outcomes()


@dataclass(frozen=True)
class _Job:
    """Runs that are trained together, and the parts of a step.

    ``moving`` are the runs that take the current step, by their index in ``runs``.
    """

    runs: Sequence[Run]
    on_device: DeviceStates
    test_loss: Callable[[Parameters], float]
    settings: TrainingSettings
    clock: Clock

    def steps(self) -> Iterator[tuple[int, dict[int, Run]]]:
        """Yield each step that is still to be taken, counted from 0, and the runs that take it.

        Runs that lag behind catch up first; a run that is ahead waits for its step.
        """
        steps = range(min(run.step for run in self.runs), self.settings.steps)
        for step in progress(steps, total=len(steps), description="training", unit="steps"):
            if self._all_ended():
                return
            moving = {i: run for i, run in enumerate(self.runs) if run.step == step and run.outcome is None}
            if moving:  # none if the runs behind have diverged and the others are ahead
                yield step, moving

    def test_where_due(self, moving: Mapping[int, Run], step: int) -> None:
        """Measure the test loss before ``step`` if it is due and not in the history of a checkpoint."""
        if step % self.settings.test_every == 0:
            for i, run in moving.items():
                if step not in run.history.test_loss:
                    run.history.test_loss[step] = self._tested(i)

    def advance(self, moving: Mapping[int, Run], step: int) -> None:
        """Take the step; its losses stay on the device."""
        measures = self.on_device.advance({i: run.batches[step] for i, run in moving.items()})
        for i, run in moving.items():
            run.step = step + 1
            run.pending.append(measures[i])

    def saves_after(self, done: int) -> bool:
        """Return whether a checkpoint is due after ``done`` steps."""
        return done % self.settings.checkpoint_every == 0 or done == self.settings.steps

    def end_diverged(self, moving: Mapping[int, Run], *, fetching_all: bool) -> None:
        """Fetch losses if enough are waiting or all are wanted; end the runs that have diverged."""
        for i, run in moving.items():
            if fetching_all or len(run.pending) >= _STEPS_BETWEEN_FETCHES:
                failure = run.fetch()
                self.clock.update()
                if failure is not None:
                    run.end(self.on_device.state(i)[0], failure)

    def save(self, moving: Mapping[int, Run]) -> None:
        """Write a checkpoint of each run that has not diverged; its losses must have been fetched."""
        for i, run in moving.items():
            if run.outcome is None:
                run.save(self.on_device.state(i))

    def has_more_after(self, done: int) -> bool:
        """Return whether any run would take another step after ``done`` steps."""
        return done < self.settings.steps and not self._all_ended()

    def outcomes(self) -> list[Outcome]:
        """Test the runs that took the last step, and return how all runs ended."""
        for i, run in enumerate(self.runs):
            if run.outcome is None:
                last = run.history.test_loss[self.settings.steps] = self._tested(i)
                self.clock.update()
                fault = fault_of(last, self.settings.divergence_loss)
                failure = Failure(self.settings.steps, f"test {fault}") if fault else None
                run.end(self.on_device.state(i)[0], failure)
        return [run.outcome for run in self.runs if run.outcome is not None]

    def _tested(self, index: int) -> float:
        return self.test_loss(self.on_device.state(index)[0])

    def _all_ended(self) -> bool:
        return all(run.outcome for run in self.runs)
