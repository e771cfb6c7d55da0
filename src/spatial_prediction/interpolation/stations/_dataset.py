"""Mean and standard deviation on a grid, as the CF conventions describe them."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray
from jaxtyping import Float

from spatial_prediction.interpolation.stations._observations import Observations
from spatial_prediction.interpolation.stations._target import TargetGrid
from spatial_prediction.interpolation.stations._times import Times


def described(
    mean: Float[np.ndarray, " cells"],
    deviation: Float[np.ndarray, " cells"],
    observations: Observations,
    times: Times,
    grid: TargetGrid,
    attributes: Mapping[str, Any],
) -> xarray.Dataset:
    """Put predictions, frame by frame and row by row, into a dataset with coordinates and grid mapping.

    Args:
        mean: of all cells at all times.
        deviation: standard deviation of the same.
        observations: whose name and time units are kept; without times there is no dimension time.
        times: of the frames.
        grid: the cells.
        attributes: of the mean, such as ``units``.
    """
    timed = ("time",) if observations.timed else ()
    dims = (*timed, str(grid.rows.name), str(grid.columns.name))
    shape = (*((len(times),) if timed else ()), *grid.shape)
    coordinates: dict[str, Any] = {str(axis.name): axis for axis in (grid.rows, grid.columns)}
    if timed:
        coordinates["time"] = ("time", times, _of_time(observations))
    # CF asks for letters, digits and underscores.
    name = re.sub(r"\W+", "_", observations.name).strip("_") or "value"
    spread = f"{name}_stddev"
    of_mean = {"long_name": observations.name, **attributes, "ancillary_variables": spread}
    of_spread = {"long_name": f"standard deviation of {of_mean['long_name']}"}
    if "units" in attributes:
        of_spread["units"] = attributes["units"]
    if "standard_name" in attributes:
        of_spread["standard_name"] = f"{attributes['standard_name']} standard_error"
    dataset = xarray.Dataset(
        {
            name: (dims, mean.reshape(shape), of_mean),
            spread: (dims, deviation.reshape(shape), of_spread),
        },
        coordinates,
        {"Conventions": "CF-1.8", "source": "Gaussian process fitted to observations at stations"},
    )
    if grid.mapping is not None:
        mapping, description = grid.mapping
        dataset = dataset.assign_coords({mapping: xarray.DataArray(np.int32(0), attrs=description)})
        for variable in (name, spread):
            dataset[variable].encoding["grid_mapping"] = mapping
    for variable in (name, spread):
        dataset[variable].encoding |= {"zlib": True, "_FillValue": None}
    return dataset


def _of_time(observations: Observations) -> dict[str, str]:
    described = {"standard_name": "time", "axis": "T"}
    if observations.time_units is not None:
        described |= {"units": observations.time_units, "calendar": "standard"}
    return described
