"""What a model costs for a mask, known before anything is computed."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from spatial_prediction.errors import ObservationError

LARGEST_MATRIX = 12_000
"""Rows of the largest matrix that is factored: 1.2 GB, of which several are alive."""

OPERATIONS_PER_SECOND = 2e10
"""Of matrix products in float64 on a common processor core; the estimates of seconds assume one."""

Kind = Literal["additive", "kronecker", "dense"]


@dataclass(frozen=True)
class Cost:
    """Cost of one value and gradient of a likelihood.

    Attributes:
        rows: of the largest matrix.
        gigabytes: of memory for its copies, about.
        seconds: of one core, about.
    """

    rows: int
    gigabytes: float
    seconds: float

    @property
    def feasible(self) -> bool:
        """Whether the largest matrix is one that will be factored."""
        return self.rows <= LARGEST_MATRIX


def cost_of(kind: Kind, mask: Any) -> Cost:
    """Estimate the cost of a model for a mask.

    Args:
        kind: ``additive`` (``AdditiveGridGP``), ``kronecker`` (``KroneckerGP``) or ``dense`` (``DenseGP``,
            ``StaticProductGP``).
        mask: bool of shape (frames, rows, columns).
    """
    observed = np.asarray(mask, np.bool_)
    pixels, frames = int(observed.any(axis=0).sum()), int(observed.any(axis=(1, 2)).sum())
    match kind:
        case "additive":
            rows = pixels + frames
            operations = 2.0 * rows**3 + 4.0 * rows**2 * frames
        case "kronecker":
            rows = max(pixels, frames)
            # An eigendecomposition takes about nine times the cube, at a quarter of the speed.
            operations = 36.0 * (pixels**3 + frames**3) + 8.0 * pixels * frames * (pixels + frames)
        case "dense":
            return dense_cost(int(observed.sum()))
    return Cost(rows, _gigabytes(rows), operations / OPERATIONS_PER_SECOND)


def dense_cost(observations: int) -> Cost:
    """Estimate the cost of a model that is solved with a matrix of as many rows as there are observations."""
    return Cost(observations, _gigabytes(observations), 2.0 * observations**3 / OPERATIONS_PER_SECOND)


def prediction_seconds(rows: int, predictions: int, *, observations: int | None = None) -> float:
    """Estimate the seconds of one core for factoring once and predicting mean and variance.

    Args:
        rows: of the matrix: observations of a dense model, inducing points of a variational one.
        predictions: number of them.
        observations: of a variational model, whose distribution is computed from all of them.
    """
    passed = 0 if observations is None else 3 * observations * rows**2
    spreads = 1 if observations is None else 2
    operations = rows**3 + passed + predictions * spreads * rows**2
    return float(operations / OPERATIONS_PER_SECOND)


def _gigabytes(rows: int) -> float:
    return 5 * 8 * rows**2 / 1e9


def check_rows(rows: int, remedy: str) -> None:
    """Refuse a matrix of more than ``LARGEST_MATRIX`` rows.

    Raises:
        ObservationError: it is larger.
    """
    if rows > LARGEST_MATRIX:
        raise ObservationError(
            f"the observations ask for a matrix of {rows:,} rows ({8 * rows**2 / 1e9:.1f} GB, several "
            f"times), and the largest allowed has {LARGEST_MATRIX:,}; {remedy}"
        )
