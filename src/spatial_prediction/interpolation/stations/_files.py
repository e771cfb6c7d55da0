"""A table of observations in, a netCDF file out."""

import logging
from collections.abc import Mapping
from pathlib import Path

from spatial_prediction.interpolation._output import check_output, write_netcdf
from spatial_prediction.interpolation.stations._interpolate import carried_out, read_observations, task_of
from spatial_prediction.interpolation.stations._validation import validated

logger = logging.getLogger(__name__)


def interpolate_table(
    source: Path,
    out: Path,
    grid: str,
    *,
    columns: Mapping[str, str] | None = None,
    times: str | None = None,
    time_units: str | None = None,
    distance: str = "auto",
    model: str = "auto",
    steps: int = 60,
    seed: int = 0,
    units: str | None = None,
    validate: float | None = None,
    overwrite: bool = False,
) -> None:
    """Interpolate the observations of a CSV or Parquet file to a grid.

    Args:
        source: the table.
        out: where mean and standard deviation go.
        grid: as of :func:`interpolate_stations`, and so all else that is not named here.
        columns: names of columns by role.
        times: at which to predict.
        time_units: of times that are numbers.
        distance: ``sphere``, ``plane`` or ``auto``.
        model: ``dense``, ``variational`` or ``auto``.
        steps: most steps of a fit.
        seed: of everything drawn.
        units: of the values, as CF writes them.
        validate: share of stations on which to measure the model first, or None.
        overwrite: replace ``out`` if it exists.

    Raises:
        ConfigurationError: ``out`` is no .nc file, exists or is an input, or a setting is wrong.
        ObservationError: the table cannot be read or used.
        WriteError: ``out`` cannot be written.
    """
    check_output(out, source, Path(grid), overwrite=overwrite)
    observations = read_observations(source, columns, time_units, distance)
    task = task_of(observations, grid, times=times, model=model, steps=steps)
    if validate is not None:
        logger.info("%s", validated(observations, validate, seed=seed, model=model, steps=steps))
    attributes = {} if units is None else {"units": units}
    write_netcdf(carried_out(task, seed=seed, attributes=attributes), out)
