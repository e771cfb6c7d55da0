"""Which dimensions of a netCDF variable are rows and columns, and where on Earth they lie."""

from collections.abc import Hashable, Iterable

import numpy as np
import xarray
from affine import Affine

from spatial_prediction.errors import SceneError
from spatial_prediction.rasters.attributes import numbers, text
from spatial_prediction.rasters.containers import Grid

ROW_NAMES = ("y", "lat", "latitude", "northing")
COLUMN_NAMES = ("x", "lon", "longitude", "easting")
ROW_STANDARD_NAMES = ("projection_y_coordinate", "latitude", "grid_latitude")
COLUMN_STANDARD_NAMES = ("projection_x_coordinate", "longitude", "grid_longitude")

LARGEST_IRREGULARITY = 1e-2
"""How far a coordinate may lie from a regular grid, in steps of it; float32 degrees are that coarse."""


def spatial_dimensions(dataset: xarray.Dataset, dimensions: Iterable[Hashable]) -> tuple[str, str]:
    """Give the dimensions of rows and of columns: by their coordinates' attributes, or else by name.

    Raises:
        SceneError: there is not exactly one of each.
    """
    names = [str(name) for name in dimensions]
    rows = [name for name in names if _is_axis(dataset, name, "Y", ROW_STANDARD_NAMES, ROW_NAMES)]
    columns = [name for name in names if _is_axis(dataset, name, "X", COLUMN_STANDARD_NAMES, COLUMN_NAMES)]
    if len(rows) != 1 or len(columns) != 1:
        lengths = ", ".join(f"{name}={dataset.sizes[name]}" for name in names)
        raise SceneError(
            f"has the dimensions ({lengths}), of which none or several are y and x; rename them y and x"
        )
    return rows[0], columns[0]


def runs_north(dataset: xarray.Dataset, y: str) -> bool:
    """Whether rows run from south to north, by the coordinate of their dimension."""
    coordinate = _coordinate(dataset, y)
    return coordinate is not None and len(coordinate) > 1 and bool(coordinate[-1] > coordinate[0])


def grid_of(dataset: xarray.Dataset, name: str) -> Grid:
    """Give shape and place of a variable, with rows from north to south."""
    variable = dataset.variables[name]
    y, x = spatial_dimensions(dataset, variable.dims)
    mapping = _grid_mapping(dataset, variable)
    return Grid(
        height=variable.sizes[y],
        width=variable.sizes[x],
        transform=_transform(dataset, y, x) or _stated_transform(dataset, mapping, y, x),
        crs=None if mapping is None else _well_known_text(mapping),
    )


def _is_axis(
    dataset: xarray.Dataset, name: str, axis: str, standard_names: tuple[str, ...], names: tuple[str, ...]
) -> bool:
    attributes = dataset.variables[name].attrs if name in dataset.variables else {}
    if declared := text(attributes.get("axis", "")).upper():
        return declared == axis
    if (standard := text(attributes.get("standard_name", ""))) in (
        *ROW_STANDARD_NAMES,
        *COLUMN_STANDARD_NAMES,
    ):
        return standard in standard_names
    return name.lower() in names


def _coordinate(dataset: xarray.Dataset, dimension: str) -> np.ndarray | None:
    """Give the numbers along a dimension, unpacked; None where there are none."""
    variable = dataset.variables.get(dimension)
    if variable is None or variable.ndim != 1 or variable.dtype.kind not in "iuf":
        return None
    scale = numbers("scale_factor", variable.attrs.get("scale_factor", 1.0)) or [1.0]
    shift = numbers("add_offset", variable.attrs.get("add_offset", 0.0)) or [0.0]
    return variable.to_numpy().astype(np.float64) * scale[0] + shift[0]


def _transform(dataset: xarray.Dataset, y: str, x: str) -> Affine | None:
    """Give the transform of pixel corners from centres; None where they are irregular."""
    columns, rows = _coordinate(dataset, x), _coordinate(dataset, y)
    if columns is None or rows is None:
        return None
    rows = rows[::-1] if runs_north(dataset, y) else rows
    width, height = _step(columns), _step(rows)
    if width is None or height is None:
        return None
    return Affine(width, 0.0, columns[0] - width / 2, 0.0, height, rows[0] - height / 2)


def _step(centres: np.ndarray) -> float | None:
    """Give the distance between neighbours; None where there is no one distance."""
    if len(centres) < 2 or not np.isfinite(centres).all():
        return None
    step = (centres[-1] - centres[0]) / (len(centres) - 1)
    regular = centres[0] + step * np.arange(len(centres))
    if step == 0 or np.abs(centres - regular).max() > LARGEST_IRREGULARITY * abs(step):
        return None
    return float(step)


def _grid_mapping(dataset: xarray.Dataset, variable: xarray.Variable) -> xarray.Variable | None:
    """Give the variable whose attributes describe the reference system."""
    named = text(variable.attrs.get("grid_mapping", "")).partition(":")[0].strip()
    for name in (named, "crs", "spatial_ref"):
        if name in dataset.variables:
            return dataset.variables[name]
    return None


def _well_known_text(mapping: xarray.Variable) -> str | None:
    for name in ("crs_wkt", "spatial_ref"):
        if written := text(mapping.attrs.get(name, "")):
            return written
    if "grid_mapping_name" not in mapping.attrs:
        return None
    try:
        import pyproj
    except ModuleNotFoundError:  # of the extra rasters
        return None
    try:
        return str(pyproj.CRS.from_cf(mapping.attrs).to_wkt())
    except (pyproj.exceptions.CRSError, KeyError, TypeError, ValueError):
        return None


def _stated_transform(
    dataset: xarray.Dataset, mapping: xarray.Variable | None, y: str, x: str
) -> Affine | None:
    """Give the ``GeoTransform`` that GDAL writes, where there are no coordinates to go by."""
    if mapping is None or "GeoTransform" not in mapping.attrs or {y, x} & set(dataset.variables):
        return None
    found = numbers("GeoTransform", mapping.attrs["GeoTransform"])
    return Affine.from_gdal(*found) if len(found) == 6 else None
