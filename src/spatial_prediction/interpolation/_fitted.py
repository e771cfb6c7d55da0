"""A grid with gaps in, the fitted model's mean and standard deviation out."""

import logging
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from spatial_prediction.errors import ObservationError
from spatial_prediction.gaussian_process import (
    AdditiveGridGP,
    NegativeLogLikelihood,
    Standardisation,
    StaticProductGP,
    fit,
    kernel_from_name,
    with_sensible_start,
)
from spatial_prediction.gaussian_process.kernels import (
    AbstractKernel,
    Disabled,
    Matern,
    OnSphere,
    Scaled,
    unconstrained,
)
from spatial_prediction.interpolation._plan import Plan

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LINES = 10.0

LARGEST_VALUE = 1e100
"""Of observations: sums of their squares are far from the largest number."""


@dataclass(frozen=True)
class Axes:
    """Coordinates of a grid.

    Attributes:
        times: (frames,), monotonic, in any unit.
        rows: (rows,), monotonic; latitudes in degrees where ``on_sphere``.
        columns: (columns,), in the unit of the rows.
        on_sphere: whether distances are those on the Earth between latitudes and longitudes.
    """

    times: Float[np.ndarray, " frames"]
    rows: Float[np.ndarray, " rows"]
    columns: Float[np.ndarray, " columns"]
    on_sphere: bool = False

    def in_steps(self) -> "Axes":
        """The same axes with median steps of about 1, in which fits begin well; degrees stay degrees."""
        times = self.times / _step(self.times)
        if self.on_sphere:
            return Axes(times, self.rows, self.columns, True)
        step = self.step_in_space
        return Axes(times, self.rows / step, self.columns / step)

    @property
    def step_in_space(self) -> float:
        """Median step of rows and columns, in their unit."""
        return _step(self.rows, self.columns)


def fill_grid(
    values: Float[np.ndarray, "frames rows columns"],
    mask: Bool[np.ndarray, "frames rows columns"],
    axes: Axes,
    plan: Plan,
) -> tuple[Float[np.ndarray, "frames rows columns"], Float[np.ndarray, "frames rows columns"]]:
    """Fit a model to the observed cells and predict all cells.

    Args:
        values: the field; cells outside the mask do not matter.
        mask: True where observed.
        axes: coordinates.
        plan: the model, as :func:`plan_for` chose it.

    Returns:
        Mean and standard deviation (of a new observation, noise included) of every cell, float64.

    Raises:
        ObservationError: observed values are infinite, too large, all equal or of one pixel of several,
            coordinates not monotonic, or the fit failed.
    """
    axes, observed = axes.in_steps(), np.asarray(values, np.float64)[mask]
    check_variation(observed)
    if mask[0].size > 1 and mask.any(axis=0).sum() == 1:
        raise ObservationError(
            f"all {observed.size} observations are at one place, row and column "
            f"{np.argwhere(mask.any(axis=0))[0]}: nothing shows how the field varies in space; give two "
            "pixels or more"
        )
    model = _start(plan.model, mask, axes)
    scaling = Standardisation.of(observed) if np.isfinite(observed).all() else Standardisation(0.0, 1.0)
    posterior = model.condition(
        mask, scaling.apply(observed), times=axes.times, rows=axes.rows, columns=axes.columns
    )
    loss = NegativeLogLikelihood(posterior, observed.size)
    result = fit(model, loss, steps=plan.steps, on_step=reported(plan.steps))
    if result.failed and result.best_step == 0:
        raise ObservationError(f"the fit of model {plan.model} {result.status}; choose another model")
    logger.info("fit ended after %d steps (%s)", len(result.history) - 1, result.status)
    predicted = posterior.with_model(result.model).predict_grid(axes.times)
    mean, variance = scaling.undo(*predicted)
    return mean, np.sqrt(np.maximum(variance, 0.0))


def check_variation(values: Float[np.ndarray, " N"]) -> None:
    """Refuse values from which nothing can be learnt, and those too large for their variance.

    Raises:
        ObservationError: all are equal, or one is finite but its square is not.
    """
    if values.size and np.all(values == values[0]):
        raise ObservationError(
            f"all {values.size} observed values are {values[0]:g}: nothing shows how the field varies; "
            "give at least two that differ, or fill the gaps with that value"
        )
    largest = values[np.argmax(np.abs(values))] if values.size else 0.0
    if LARGEST_VALUE < abs(largest) < np.inf:
        raise ObservationError(
            f"the observed value {largest:g} is too large to be squared; if it stands for a missing one, "
            "leave it out"
        )


def _step(*axes: Float[np.ndarray, " _"]) -> float:
    steps = np.concatenate([np.abs(np.diff(axis)) for axis in axes])
    return float(np.median(steps)) if steps.size and np.median(steps) > 0 else 1.0


def _start(name: str, mask: Bool[np.ndarray, "frames rows columns"], axes: Axes) -> Any:
    options: dict[str, Any] = {"raw_noise": unconstrained(0.1), "noise_floor": 1e-6}
    times = axes.times[:, None]
    if name == "static_product":
        weather = with_sensible_start(Matern(), times)
        return StaticProductGP(_in_space(mask, axes), _in_space(mask, axes), weather, **options)
    one_frame = mask.any(axis=(1, 2)).sum() < 2
    series = Disabled() if one_frame else with_sensible_start(kernel_from_name("matern", 1), times)
    return AdditiveGridGP(series, _in_space(mask, axes), **options)


def _in_space(mask: Bool[np.ndarray, "frames rows columns"], axes: Axes) -> AbstractKernel:
    """A Matérn 5/2 kernel, which starts at a sixth of the extent of the observed pixels."""
    rows, columns = np.nonzero(mask.any(axis=0))
    pixels = np.column_stack([axes.rows[rows], axes.columns[columns]])
    if not axes.on_sphere:
        return with_sensible_start(kernel_from_name("matern", 2), pixels)
    radius = float(1.0 / np.deg2rad(axes.step_in_space))  # lengthscales in steps of the grid
    extent = np.hypot(np.ptp(pixels[:, 0]), np.ptp(pixels[:, 1])) / axes.step_in_space
    start = unconstrained(max(float(extent), 1.0) / 6.0)
    return OnSphere(Scaled(Matern(start), unconstrained(0.5)), radius)


def reported(steps: int) -> Any:
    """A function that logs how far a fit is, at most every ten seconds."""
    last = time.monotonic()

    def report(step: int, loss: float) -> None:
        nonlocal last
        if time.monotonic() - last >= SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            logger.info("fit: step %d of at most %d, loss %.4f", step, steps, loss)

    return report
