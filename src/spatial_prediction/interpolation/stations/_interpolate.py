"""From a table to a grid."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray
from jaxtyping import Float

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.interpolation._validation import Validation
from spatial_prediction.interpolation.stations._dataset import described
from spatial_prediction.interpolation.stations._model import fitted_stations, refuse_other_times
from spatial_prediction.interpolation.stations._observations import Observations, observations_of
from spatial_prediction.interpolation.stations._plan import StationPlan, plan_for_stations
from spatial_prediction.interpolation.stations._progress import predictions_reported
from spatial_prediction.interpolation.stations._tables import Table, read_table, table_of
from spatial_prediction.interpolation.stations._target import TargetGrid, target_grid
from spatial_prediction.interpolation.stations._times import Times, wanted_times
from spatial_prediction.interpolation.stations._validation import validated

logger = logging.getLogger(__name__)

Columns = Mapping[str, str]


def interpolate_stations(
    table: Mapping[str, Any] | pd.DataFrame | str | Path,
    grid: str | Path | TargetGrid,
    *,
    columns: Columns | None = None,
    times: Any = None,
    time_units: str | None = None,
    distance: str = "auto",
    model: str = "auto",
    steps: int = 60,
    seed: int = 0,
    attributes: Mapping[str, Any] | None = None,
) -> xarray.Dataset:
    """Predict a field on a grid from observations at stations, with the uncertainty of every cell.

    Args:
        table: a CSV or Parquet file, a data frame or arrays (N,) by name: a row for each observation, with
            ``lat`` and ``lon`` (degrees) or ``y`` and ``x``, the value, and where there are such, ``time``
            and the standard deviation ``error`` of its error of measurement. Rows may be in any order.
        grid: ``west,south,east,north,step``, edges and size of cells, or a netCDF or GeoTIFF file whose grid
            is taken.
        columns: names of columns by role, where they have others; see :func:`roles_of`.
        times: at which to predict: ``START/END/STEP``, times separated by commas, or a sequence; by default
            all that were observed.
        time_units: of times that are numbers, such as ``hours since 2024-01-01``.
        distance: ``sphere``, ``plane`` or ``auto``: on the sphere between latitudes and longitudes.
        model: ``dense`` (exact), ``variational`` (a summary of many observations) or ``auto``.
        steps: most steps of the fit.
        seed: of what is drawn where there are many observations.
        attributes: of the mean: ``units``, ``standard_name``, ``long_name``.

    Returns:
        Mean, named as the column of values, and its standard deviation, ``NAME_stddev`` (of a new observation
        without an error of measurement: what varies within a cell is included), both float64 of dimensions
        (time, lat, lon) or (time, y, x); without ``time`` where the table has none.

    Raises:
        ConfigurationError: a setting, the grid or the times cannot be used.
        ObservationError: the table cannot be read or used.
    """
    observations = read_observations(table, columns, time_units, distance)
    task = task_of(observations, grid, times=times, model=model, steps=steps)
    return carried_out(task, seed=seed, attributes=attributes or {})


@dataclass(frozen=True)
class Task:
    """What is to be predicted from what, checked, before anything is computed.

    Attributes:
        observations: what is known.
        grid: the cells.
        places: of the cells, row by row, in the coordinates of the stations.
        times: of the frames; the one that was observed where there are no times.
        plan: the model, and what it costs.
    """

    observations: Observations
    grid: TargetGrid
    places: Float[np.ndarray, "cells 2"]
    times: Times
    plan: StationPlan


def task_of(
    observations: Observations,
    grid: str | Path | TargetGrid,
    *,
    times: Any,
    model: str,
    steps: int,
) -> Task:
    """Check a task and say what it costs; arguments as of :func:`interpolate_stations`."""
    cells = target_grid(grid, geographic=observations.geographic)
    if times is not None and not observations.timed:
        raise ConfigurationError(f"times {times!r}: the table has no column of times")
    frames = np.unique(observations.times) if times is None else wanted_times(times, observations.times)
    refuse_other_times(frames, observations.times)
    predictions = len(frames) * cells.shape[0] * cells.shape[1]
    plan = plan_for_stations(len(observations), predictions, model=model, steps=steps)
    places = cells.places(geographic=observations.geographic)
    logger.info("%s", plan)
    _warn_of_distant(observations, cells)
    return Task(observations, cells, places, frames, plan)


def carried_out(task: Task, *, seed: int, attributes: Mapping[str, Any]) -> xarray.Dataset:
    """Fit, and predict every cell at every time; see :func:`interpolate_stations`."""
    fitted = fitted_stations(task.observations, task.plan, seed=seed)
    every_time = np.repeat(task.times, len(task.places))
    every_place = np.tile(task.places, (len(task.times), 1))
    with predictions_reported(len(every_time)) as on_chunk:
        mean, variance = fitted.predict(every_time, every_place, on_chunk=on_chunk)
    deviation = np.sqrt(np.maximum(variance, 0.0))
    return described(mean, deviation, task.observations, task.times, task.grid, attributes)


def hold_out_stations(
    table: Mapping[str, Any] | pd.DataFrame | str | Path,
    share: float,
    *,
    columns: Columns | None = None,
    time_units: str | None = None,
    distance: str = "auto",
    model: str = "auto",
    steps: int = 60,
    seed: int = 0,
) -> Validation:
    """Measure :func:`interpolate_stations` at stations that are held out, with all their observations.

    Args:
        table: as of :func:`interpolate_stations`, and so all else.
        share: of the stations, between 0 and 1.
        columns: names of columns by role.
        time_units: of times that are numbers.
        distance: ``sphere``, ``plane`` or ``auto``.
        model: ``dense``, ``variational`` or ``auto``.
        steps: most steps of the fit.
        seed: of the stations drawn, and of the fit.

    Raises:
        ConfigurationError: a setting cannot be used, or the share leaves no station on one of the sides.
        ObservationError: the table cannot be read or used.
    """
    observations = read_observations(table, columns, time_units, distance)
    return validated(observations, share, seed=seed, model=model, steps=steps)


def read_observations(
    table: Mapping[str, Any] | pd.DataFrame | str | Path,
    columns: Columns | None,
    time_units: str | None,
    distance: str,
) -> Observations:
    """Read a table; arguments as of :func:`interpolate_stations`."""
    read: Table = read_table(Path(table)) if isinstance(table, (str, Path)) else table_of(table)
    return observations_of(read, columns=columns, time_units=time_units, distance=distance)


def _warn_of_distant(observations: Observations, grid: TargetGrid) -> None:
    """Warn where no station is inside the grid: most often coordinates of another kind."""
    if observations.geographic != grid.geographic:
        return
    axes = (grid.rows.to_numpy(), grid.columns.to_numpy())
    inside = np.ones(len(observations), np.bool_)
    for number, axis in enumerate(axes):
        if axis.size == 1:
            continue
        step = np.abs(np.diff(axis)).max(initial=0.0)
        offsets = observations.places[:, number] - axis.min() + step
        if observations.geographic and number == 1:
            offsets = offsets % 360.0
        inside &= (offsets >= 0) & (offsets <= np.ptp(axis) + 2 * step)
    if not inside.any():
        first = observations.places[0]
        logger.warning(
            "no station lies in the grid (the first is at %g, %g): are they in the same coordinates?", *first
        )
