"""Which model a field gets, and what it costs, before anything is computed."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from spatial_prediction.errors import ConfigurationError, ObservationError
from spatial_prediction.gaussian_process.sizes import LARGEST_MATRIX, Cost, cost_of

MODELS = ("auto", "static_product", "additive")
"""What ``model`` may be."""

MOST_DENSE = 2_000
"""Observations up to which ``auto`` takes the dense model: about a second for value and gradient."""


@dataclass(frozen=True)
class Plan:
    """A model, and what fitting it takes.

    Attributes:
        model: ``static_product``: a static image plus weather that moves, with a dense matrix; ``additive``:
            a static image plus a time series common to all pixels.
        observations: number of observed cells.
        cost: of one value and gradient.
        steps: most steps of the fit.
    """

    model: str
    observations: int
    cost: Cost
    steps: int

    @property
    def seconds(self) -> float:
        """Of one core, about, for the whole fit: each step evaluates the likelihood once or twice."""
        return 1.5 * self.steps * self.cost.seconds

    def __str__(self) -> str:
        return (
            f"{self.observations:,} observations, model {self.model}: a matrix of {self.cost.rows:,} rows, "
            f"about {self.cost.gigabytes:.2g} GB, at most about {np.ceil(self.seconds):,.0f} s after "
            f"compilation for {self.steps} steps"
        )


def plan_for(mask: Any, *, model: str = "auto", steps: int = 60) -> Plan:
    """Choose a model for a mask, or check the one that was chosen.

    ``auto`` takes the product model up to ``MOST_DENSE`` observations in at least two frames, and the
    additive one, whose cost depends on the numbers of pixels and frames only, otherwise.

    Args:
        mask: bool of shape (frames, rows, columns), True where observed.
        model: one of ``MODELS``.
        steps: most steps of the fit.

    Raises:
        ConfigurationError: the model is not known, or ``steps`` is less than 1.
        ObservationError: nothing is observed, or the model's matrix would be too large.
    """
    if model not in MODELS:
        raise ConfigurationError(f"model {model!r} is not known; choose one of {', '.join(MODELS)}")
    if steps < 1:
        raise ConfigurationError(f"steps must be at least 1, got {steps}")
    observed = np.asarray(mask, np.bool_)
    count, frames = int(observed.sum()), int(observed.any(axis=(1, 2)).sum())
    if count == 0:
        raise ObservationError("nothing is observed: all values are missing; give at least two that differ")
    if model == "auto":
        model = "static_product" if frames > 1 and count <= MOST_DENSE else "additive"
    if model == "static_product" and frames == 1:
        raise ObservationError(
            "only one frame is observed, and model static_product learns from how frames differ; "
            "choose additive"
        )
    plan = Plan(model, count, cost_of("dense" if model == "static_product" else "additive", observed), steps)
    if not plan.cost.feasible:
        remedy = (
            "choose model additive" if model == "static_product" else "take a coarser grid or a part of it"
        )
        raise ObservationError(f"{plan}; the largest matrix has {LARGEST_MATRIX:,} rows: {remedy}")
    return plan
