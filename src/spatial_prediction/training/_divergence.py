"""When a run counts as diverged, and what is recorded then."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from spatial_prediction.training._remedies import MOST_SKIPPED_IN_A_ROW
from spatial_prediction.training_settings import TrainingSettings


@dataclass(frozen=True)
class Failure:
    """Where and why a run diverged.

    Attributes:
        step: step that failed, counted from 1.
        reason: what was wrong, in words.
        gradient_norm: norm of the gradient at that step; None if a test loss failed.
        batch: indices of the examples of that step; None if a test loss failed or the data has no ``draw``.
    """

    step: int
    reason: str
    gradient_norm: float | None = None
    batch: list | None = None


def first_fault(losses: Sequence[float], before: int, settings: TrainingSettings) -> tuple[int, str] | None:
    """Return the first failed step after ``before``, and why; ``losses[k]`` is that of step ``k + 1``.

    If gradient spikes are skipped, a loss that is too large or not finite is blamed on the batch and not on
    the network, unless ``MOST_SKIPPED_IN_A_ROW`` others of its kind came right before.
    """

    def fault(step: int) -> str | None:
        limit = settings.divergence_loss if step > settings.divergence_grace_steps else math.inf
        return fault_of(losses[step - 1], limit)

    forgiven = MOST_SKIPPED_IN_A_ROW if settings.skip_gradient_spikes > 0 else 0
    for step in range(before + 1, len(losses) + 1):
        first = step - forgiven
        if (found := fault(step)) and first > 0 and all(fault(each) for each in range(first, step)):
            return step, found
    return None


def fault_of(loss: float, limit: float) -> str | None:
    """Say what is wrong with a loss, or None."""
    if not math.isfinite(loss):
        return f"loss became {loss}"
    return f"loss {loss:.3g} exceeded {limit:g}" if loss > limit else None
