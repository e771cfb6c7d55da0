"""A field from a variable of a netCDF file."""

from collections.abc import Hashable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from spatial_prediction.errors import SceneError
from spatial_prediction.rasters.netcdf_lock import NETCDF_LOCK
from spatial_prediction.studies.interpolation.fields.field import Field

if TYPE_CHECKING:
    import xarray

AXES = {
    "time": {"time", "t", "date", "datetime", "day", "frame", "step"},
    "y": {"y", "lat", "latitude", "row", "rlat", "northing", "nav_lat"},
    "x": {"x", "lon", "longitude", "column", "rlon", "easting", "nav_lon"},
}
"""Names of dimensions, in lower case, by which an axis is known."""

CF_AXES = {"time": "T", "y": "Y", "x": "X"}


def read_netcdf_field(path: Path, variable: str | None = None, *, units: str = "") -> Field:
    """Read a variable of time, y and x; further dimensions must be of size 1.

    Dimensions are put in order by the ``axis`` attributes of their coordinates or by name; where these say
    nothing, by position. Fill values become NaN. Times may be coded in any way, but must increase.

    Args:
        path: the file.
        variable: name of the variable; by default the only one of three dimensions.
        units: of its values, where the file states none.

    Raises:
        SceneError: the file or variable cannot be used; names both and the remedy.
    """
    import xarray

    try:
        with NETCDF_LOCK, xarray.open_dataset(path, decode_times=False) as data:
            array = _chosen(data, variable, path).load()
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise SceneError(
            f"{path}: cannot be read as netCDF ({reason}); check the path, or write it anew"
        ) from None
    where = f"{path}: {array.name}"
    array = array.squeeze(drop=True) if array.ndim > 3 else array
    if array.ndim != 3:
        raise SceneError(
            f"{where}: has dimensions {_listed(array)}; it must have time, y and x, and no other"
        )
    array = _in_order(array)
    if not np.issubdtype(array.dtype, np.number) or np.issubdtype(array.dtype, np.complexfloating):
        raise SceneError(f"{where}: holds {array.dtype}; name a variable of real numbers")
    values = np.array(array.values, dtype=np.float64)
    values[~np.isfinite(values)] = np.nan
    if np.isnan(values).all():
        raise SceneError(f"{where}: has no value at all; name another variable")
    _check_times(array, where)
    return Field(
        values=values,
        name=str(array.name),
        units=str(array.attrs.get("units", units)),
        source=path.name,
        north_first=_north_first(array, where),
    )


def _chosen(data: "xarray.Dataset", variable: str | None, path: Path) -> "xarray.DataArray":
    if variable is not None:
        if variable not in data.data_vars:
            raise SceneError(
                f"{path}: has no variable {variable!r}; "
                f"it has {', '.join(map(str, data.data_vars)) or 'none'}"
            )
        return data[variable]
    found = [name for name, array in data.data_vars.items() if array.squeeze().ndim == 3]
    if len(found) != 1:
        raise SceneError(
            f"{path}: {len(found)} of its variables have three dimensions "
            f"({', '.join(map(str, data.data_vars)) or 'there are none'}); name one"
        )
    return data[found[0]]


def _coordinate(array: "xarray.DataArray", dimension: Hashable) -> "xarray.DataArray | None":
    """Coordinate of a dimension; ``array.coords.get`` would make one up."""
    coordinates = dict(array.coords)
    return coordinates.get(dimension)


def _axis_of(array: "xarray.DataArray", dimension: Hashable) -> str | None:
    coordinate = _coordinate(array, dimension)
    declared = "" if coordinate is None else str(coordinate.attrs.get("axis", ""))
    for axis, letter in CF_AXES.items():
        if declared == letter or str(dimension).lower() in AXES[axis]:
            return axis
    return None


def _in_order(array: "xarray.DataArray") -> "xarray.DataArray":
    axes = {_axis_of(array, dimension): dimension for dimension in array.dims}
    return array.transpose(*(axes[axis] for axis in CF_AXES)) if set(axes) == set(CF_AXES) else array


def _check_times(array: "xarray.DataArray", where: str) -> None:
    times = _coordinate(array, array.dims[0])
    if times is None or not np.issubdtype(times.dtype, np.number):
        return
    steps = np.diff(times.values.astype(np.float64))
    if not (steps > 0).all():
        late = int(np.argmin(steps > 0)) + 1
        raise SceneError(
            f"{where}: time {late} ({times.values[late]}) is not after the one before it "
            f"({times.values[late - 1]}); sort the file by time and leave out what stands there twice"
        )


def _north_first(array: "xarray.DataArray", where: str) -> bool:
    """Whether row 0 is the northern edge; where there are no coordinates, rows go down as in an image."""
    y = _coordinate(array, array.dims[1])
    if y is None or y.size < 2:
        return True
    if str(y.attrs.get("units", "")).startswith("degree") and np.abs(y.values).max() > 90:
        raise SceneError(
            f"{where}: the axis of rows, {array.dims[1]}, has latitudes up to {np.abs(y.values).max():g}; "
            "latitude and longitude are swapped"
        )
    return bool(y.values[0] > y.values[-1])


def _listed(array: "xarray.DataArray") -> str:
    return ", ".join(f"{name} ({size})" for name, size in array.sizes.items())
