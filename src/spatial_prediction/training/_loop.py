"""The training loop: knows pytrees and Optax, and no model by name."""

import logging
import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
import optax  # type: ignore[import-untyped]

from spatial_prediction.config import TrainingSettings
from spatial_prediction.progress import progress
from spatial_prediction.training._checkpoint import Checkpoints, named_leaves, with_named_leaves
from spatial_prediction.training._schedule import optimizer

logger = logging.getLogger(__name__)

Parameters = Any
Batch = Any
Loss = Callable[[Parameters, Batch], tuple[jax.Array, Parameters | None]]
"""Scalar loss, and arrays to keep instead of the optimiser's: a pytree like the parameters, else None."""

_STEPS_BETWEEN_FETCHES = 25
"""Losses stay on the device this long: fetching each would wait for each step."""


class Interrupted(Exception):  # noqa: N818 - an ending as planned, not an error
    """The job was asked to end; its state is saved and training can go on from there."""


@runtime_checkable
class Batches(Protocol):
    """Training data: the batch of a step depends on the step alone."""

    def __getitem__(self, step: int) -> np.ndarray: ...


@dataclass
class History:
    """Losses so far; ``train_loss[k]`` is the loss of step ``k + 1``, before its update."""

    train_loss: list[float] = field(default_factory=list)
    test_loss: dict[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """How a run ended: parameters after its last step, and why it stopped there."""

    parameters: Parameters
    history: History
    status: Literal["completed", "diverged"]
    step: int
    reason: str | None
    seconds: float


def train(
    parameters: Parameters,
    *,
    loss: Loss,
    test_loss: Callable[[Parameters], float],
    batches: Batches,
    settings: TrainingSettings,
    checkpoints: Checkpoints,
) -> Outcome:
    """Train from the newest checkpoint, or from ``parameters``, to the last step or to divergence.

    Args:
        parameters: pytree of arrays, the state before the first step; copied, so still usable afterwards.
        loss: loss of parameters and one batch; differentiated and compiled here.
        test_loss: loss on held-out data, called every ``settings.test_every`` steps.
        batches: ``batches[step]`` for step 0, 1, ...
        settings: steps, schedule and intervals.
        checkpoints: where states are kept. The caller holds its lock.

    Raises:
        Interrupted: SIGTERM came; a checkpoint of the last finished step is on disk.
    """
    optimise = optimizer(settings)
    update = make_update(loss, optimise)
    state = (jax.tree.map(jnp.array, parameters), optimise.init(parameters))  # each step donates it
    history = History()
    first = 0
    seconds_before = 0.0
    if (found := checkpoints.newest()) is not None:
        state, history, header = _restored(state, *found, source=checkpoints)
        first, seconds_before = header["step"], header["seconds"]
        logger.info("resuming at step %d of %d", first, settings.steps)

    started = time.monotonic()
    pending: list[jax.Array] = []

    def seconds() -> float:
        return seconds_before + time.monotonic() - started

    def diverged(step: int, reason: str) -> Outcome:
        logger.info("diverged at step %d: %s", step, reason)
        return Outcome(state[0], history, "diverged", step, reason, seconds())

    with _termination_noticed() as terminated:
        steps = range(first, settings.steps)
        for step in progress(steps, total=len(steps), description="training", unit="steps"):
            if step % settings.test_every == 0 and step not in history.test_loss:
                history.test_loss[step] = test_loss(state[0])
            updated, optimiser_state, value = update(*state, batches[step])
            state = (updated, optimiser_state)
            pending.append(value)
            done = step + 1
            ending = bool(terminated)  # read once: a signal from here on ends the step after this one
            saving = ending or done % settings.checkpoint_every == 0 or done == settings.steps
            if saving or len(pending) == _STEPS_BETWEEN_FETCHES:
                history.train_loss += np.asarray(jnp.stack(pending)).tolist()
                pending.clear()
                if (failure := _divergence(history.train_loss, settings)) is not None:
                    at, reason = failure
                    del history.train_loss[at:]
                    for later in [step for step in history.test_loss if step >= at]:
                        del history.test_loss[later]
                    return diverged(at, reason)
            if saving:
                checkpoints.save(done, _flattened(state, history), {"seconds": seconds()})
            if ending and done < settings.steps:
                raise Interrupted(f"saved step {done} of {settings.steps}")
    last = history.test_loss[settings.steps] = test_loss(state[0])
    if (fault := _fault(last, settings.divergence_loss)) is not None:
        return diverged(settings.steps, f"test {fault}")
    return Outcome(state[0], history, "completed", settings.steps, None, seconds())


def make_update(
    loss: Loss, optimise: optax.GradientTransformation
) -> Callable[[Parameters, optax.OptState, Batch], tuple[Parameters, optax.OptState, jax.Array]]:
    """Compile one step: ``(parameters, optimiser state, batch) -> (parameters, optimiser state, loss)``.

    The buffers of parameters and optimiser state are donated: use the returned ones.
    """

    def update(
        parameters: Parameters, optimiser_state: optax.OptState, batch: Batch
    ) -> tuple[Parameters, optax.OptState, jax.Array]:
        (value, kept), gradient = jax.value_and_grad(loss, has_aux=True)(parameters, batch)
        changes, optimiser_state = optimise.update(gradient, optimiser_state, parameters)
        updated = optax.apply_updates(parameters, changes)
        if kept is not None:
            updated = jax.tree.map(lambda new, instead: new if instead is None else instead, updated, kept)
        return updated, optimiser_state, value

    return jax.jit(update, donate_argnums=(0, 1))


def _divergence(losses: list[float], settings: TrainingSettings) -> tuple[int, str] | None:
    """Return the first failed step (counted from 1) and why, or None."""
    for index in range(max(0, len(losses) - _STEPS_BETWEEN_FETCHES), len(losses)):
        step = index + 1
        limit = settings.divergence_loss if step > settings.divergence_grace_steps else math.inf
        if (fault := _fault(losses[index], limit)) is not None:
            return step, fault
    return None


def _fault(loss: float, limit: float) -> str | None:
    """Say what is wrong with a loss, or None."""
    if not math.isfinite(loss):
        return f"loss became {loss}"
    return f"loss {loss:.3g} exceeded {limit:g}" if loss > limit else None


def _flattened(state: Any, history: History) -> dict[str, np.ndarray]:
    arrays = {f"state{name}": leaf for name, leaf in named_leaves(tuple(state)).items()}
    arrays["history.train_loss"] = np.array(history.train_loss, np.float64)
    arrays["history.test_step"] = np.array(list(history.test_loss), np.int64)
    arrays["history.test_loss"] = np.array(list(history.test_loss.values()), np.float64)
    return arrays


def _restored(
    state: Any, arrays: dict[str, np.ndarray], header: dict[str, Any], *, source: Checkpoints
) -> tuple[Any, History, dict[str, Any]]:
    test = zip(arrays["history.test_step"].tolist(), arrays["history.test_loss"].tolist(), strict=True)
    history = History(arrays["history.train_loss"].tolist(), dict(test))
    leaves = {name.removeprefix("state"): leaf for name, leaf in arrays.items() if name.startswith("state")}
    restored = with_named_leaves(tuple(state), leaves, source=source.path(header["step"]))
    return jax.tree.map(jnp.asarray, restored), history, header


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
