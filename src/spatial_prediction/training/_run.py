"""One training run on the host: its losses, its checkpoints, how it resumes and how it fails."""

import logging
import math
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np

from spatial_prediction.training._checkpoint import Checkpoints, named_leaves, with_named_leaves
from spatial_prediction.training._divergence import Failure, first_fault
from spatial_prediction.training._step import Parameters, State
from spatial_prediction.training_settings import TrainingSettings

logger = logging.getLogger(__name__)


@runtime_checkable
class Batches(Protocol):
    """Training data; the batch of a step depends only on the step."""

    def __getitem__(self, step: int) -> Any: ...


@runtime_checkable
class Drawn(Protocol):
    """Training data that can say which examples a batch has."""

    def draw(self, step: int) -> np.ndarray:
        """Return indices of the examples in the batch of ``step``."""


@dataclass
class History:
    """Losses so far; ``train_loss[k]`` is the loss of step ``k + 1``, before its update."""

    train_loss: list[float] = field(default_factory=list)
    test_loss: dict[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """How a run ended: parameters after its last step, its losses, and why it stopped there."""

    parameters: Parameters
    history: History
    status: Literal["completed", "diverged"]
    step: int
    reason: str | None
    seconds: float
    failure: Failure | None = None


class Run:
    """Progress of one run; arrays stay on the device until :meth:`fetch` fetches their measures."""

    def __init__(self, batches: Batches, checkpoints: Checkpoints, settings: TrainingSettings) -> None:
        self.batches, self.checkpoints, self.settings = batches, checkpoints, settings
        self.history = History()
        self.step = 0
        self.seconds = 0.0
        self.pending: list[jax.Array] = []
        self.outcome: Outcome | None = None

    def resumed(self, start: State) -> State:
        """Return the state of the newest checkpoint, or ``start`` if there is none."""
        if (found := self.checkpoints.newest()) is None:
            return start
        arrays, header = found
        self.step, self.seconds = header["step"], header.get("seconds", 0.0)
        test = zip(arrays["history.test_step"].tolist(), arrays["history.test_loss"].tolist(), strict=True)
        self.history = History(arrays["history.train_loss"].tolist(), dict(test))
        leaves = {
            name.removeprefix("state"): leaf for name, leaf in arrays.items() if name.startswith("state")
        }
        restored = with_named_leaves(tuple(start), leaves, source=self.checkpoints.path(self.step))
        logger.info("resuming at step %d of %d", self.step, self.settings.steps)
        return jax.tree.map(jnp.asarray, restored)

    def save(self, state: State) -> None:
        """Write a checkpoint of the last finished step; its losses must have been fetched."""
        arrays = {f"state{name}": leaf for name, leaf in named_leaves(tuple(state)).items()}
        arrays["history.train_loss"] = np.array(self.history.train_loss, np.float64)
        arrays["history.test_step"] = np.array(list(self.history.test_loss), np.int64)
        arrays["history.test_loss"] = np.array(list(self.history.test_loss.values()), np.float64)
        self.checkpoints.save(self.step, arrays, {"seconds": self.seconds})

    def fetch(self) -> Failure | None:
        """Move pending losses to the history. If the run diverged, cut the history there and return where."""
        losses, norms = np.asarray(jnp.stack(self.pending)).T.tolist()
        self.pending.clear()
        before = len(self.history.train_loss)
        self.history.train_loss += losses
        found = first_fault(self.history.train_loss, before, self.settings)
        if found is None:
            self._warn_of_steps_left_out(norms, before)
            return None
        step, reason = found
        del self.history.train_loss[step:]
        for later in [tested for tested in self.history.test_loss if tested >= step]:
            del self.history.test_loss[later]
        batch = self.batches.draw(step - 1).tolist() if isinstance(self.batches, Drawn) else None
        return Failure(step, reason, norms[step - 1 - before], batch)

    def _warn_of_steps_left_out(self, norms: list[float], before: int) -> None:
        """Warn if steps were skipped because their gradients were not finite, which losses do not show."""
        left_out = [step for step, norm in enumerate(norms, start=before + 1) if not math.isfinite(norm)]
        if left_out and self.settings.skip_gradient_spikes > 0:
            logger.warning(
                "steps %d to %d: %d gradients were not finite, and the steps were left out",
                left_out[0],
                left_out[-1],
                len(left_out),
            )

    def end(self, parameters: Parameters, failure: Failure | None) -> None:
        """Record how the run ended."""
        if failure is None:
            step, status, reason = self.step, "completed", None
        else:
            step, status, reason = failure.step, "diverged", failure.reason
            logger.info("diverged at step %d: %s", step, reason)
        self.outcome = Outcome(
            parameters,
            self.history,
            status,  # type: ignore[arg-type]
            step,
            reason,
            self.seconds,
            failure,
        )
