"""Which model stations get, and what it costs, before anything is computed."""

from dataclasses import dataclass

import numpy as np

from spatial_prediction.errors import ConfigurationError, ObservationError
from spatial_prediction.gaussian_process.sizes import LARGEST_MATRIX, dense_cost, prediction_seconds

MODELS = ("auto", "dense", "variational")
"""What ``model`` may be."""

MOST_EXACT = 6_000
"""Observations up to which ``auto`` conditions exactly: a matrix of 0.3 GB, several times."""

MOST_FITTED = 2_000
"""Observations whose likelihood a fit maximises, a second for value and gradient: of more, a random part."""

INDUCING_POINTS = 1_000
"""Points that summarise the field in the variational model."""

MOST_PREDICTIONS = 100_000_000
"""Cells of all times together: 5 GB of coordinates, means and deviations."""


@dataclass(frozen=True)
class StationPlan:
    """A model of stations, and what it takes.

    Attributes:
        model: ``dense``: conditioned on every observation exactly; ``variational``: on a summary of them.
        observations: their number.
        fitted: how many of them find the parameters.
        predictions: number of cells at all times.
        steps: most steps of the fit.
    """

    model: str
    observations: int
    fitted: int
    predictions: int
    steps: int

    @property
    def rows(self) -> int:
        """Rows of the largest matrix."""
        return self.observations if self.model == "dense" else max(self.fitted, self.inducing_points)

    @property
    def inducing_points(self) -> int:
        """Number of inducing points of the variational model."""
        return min(INDUCING_POINTS, self.observations)

    @property
    def seconds(self) -> float:
        """Of one core, about: each step of the fit evaluates the likelihood once or twice."""
        of_fit = 1.5 * self.steps * dense_cost(self.fitted).seconds
        if self.model == "dense":
            return of_fit + prediction_seconds(self.observations, self.predictions)
        return of_fit + prediction_seconds(
            self.inducing_points, self.predictions, observations=self.observations
        )

    @property
    def gigabytes(self) -> float:
        """Of memory, about: copies of the matrix, coordinates and results of the predictions."""
        return dense_cost(self.rows).gigabytes + 48 * self.predictions / 1e9

    def __str__(self) -> str:
        some = f" ({self.fitted:,} of them find its parameters)" if self.fitted < self.observations else ""
        summary = f" by {self.inducing_points:,} points" if self.model == "variational" else ""
        return (
            f"{self.observations:,} observations{some}, {self.predictions:,} cells to predict, model "
            f"{self.model}{summary}: about {self.gigabytes:.2g} GB, at most about "
            f"{np.ceil(self.seconds):,.0f} s of one core after compilation for {self.steps} steps"
        )


def plan_for_stations(
    observations: int, predictions: int, *, model: str = "auto", steps: int = 60
) -> StationPlan:
    """Choose a model by the number of observations, or check the one that was chosen.

    Args:
        observations: their number.
        predictions: number of cells at all times.
        model: one of ``MODELS``; ``auto`` is dense up to ``MOST_EXACT`` observations.
        steps: most steps of the fit.

    Raises:
        ConfigurationError: the model is not known, or ``steps`` is less than 1.
        ObservationError: the matrix or the output would be too large.
    """
    if model not in MODELS:
        raise ConfigurationError(
            f"model {model!r} is not known for tables; choose one of {', '.join(MODELS)}"
        )
    if steps < 1:
        raise ConfigurationError(f"steps must be at least 1, got {steps}")
    chosen = model if model != "auto" else "dense" if observations <= MOST_EXACT else "variational"
    plan = StationPlan(chosen, observations, min(observations, MOST_FITTED), predictions, steps)
    if plan.rows > LARGEST_MATRIX:
        raise ObservationError(
            f"{plan}; the largest matrix has {LARGEST_MATRIX:,} rows: choose model variational"
        )
    if predictions > MOST_PREDICTIONS:
        raise ObservationError(
            f"{predictions:,} cells to predict, and at most {MOST_PREDICTIONS:,} are held in memory; "
            "take fewer times (times, --times) or a coarser grid, or predict it in parts"
        )
    return plan
