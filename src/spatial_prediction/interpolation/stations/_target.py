"""The grid to predict on: bounds and a step, or that of a raster."""

import contextlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import xarray
from jaxtyping import Float

from spatial_prediction.errors import ConfigurationError, SceneError
from spatial_prediction.interpolation._geographic import is_geographic
from spatial_prediction.rasters.formats import open_container
from spatial_prediction.rasters.netcdf_axes import spatial_dimensions

GEOGRAPHIC = (
    ("lat", {"standard_name": "latitude", "long_name": "latitude", "units": "degrees_north", "axis": "Y"}),
    ("lon", {"standard_name": "longitude", "long_name": "longitude", "units": "degrees_east", "axis": "X"}),
)
PLANE = (("y", {"axis": "Y"}), ("x", {"axis": "X"}))
PROJECTED = tuple(
    (name, {"standard_name": f"projection_{name}_coordinate", "axis": name.upper()}) for name in ("y", "x")
)

GRID_MAPPING = "spatial_ref"
"""Name of the variable that describes the reference system; rioxarray and GDAL call it so."""

MOST_CELLS = 100_000
"""Along one side of a grid of bounds."""

NETCDF_SUFFIXES = (".nc", ".nc4", ".cdf")


@dataclass(frozen=True)
class TargetGrid:
    """Centres of the cells to predict, and how netCDF describes them.

    Attributes:
        rows: coordinate of the rows, with its name and attributes.
        columns: coordinate of the columns.
        geographic: whether these are latitudes and longitudes in degrees.
        mapping: name and attributes of the variable that describes the reference system; None if none does.
        crs: the reference system as well-known text; None where nothing states it.
    """

    rows: xarray.DataArray
    columns: xarray.DataArray
    geographic: bool
    mapping: tuple[str, dict[str, Any]] | None = None
    crs: str | None = field(default=None, repr=False)

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of rows and columns."""
        return self.rows.size, self.columns.size

    def places(self, *, geographic: bool) -> Float[np.ndarray, "cells 2"]:
        """Latitude and longitude, or y and x, of all cells, row by row.

        Args:
            geographic: whether those of the stations are latitudes and longitudes.

        Raises:
            ConfigurationError: the grid's are of the other kind, and nothing states the projection.
        """
        rows, columns = np.meshgrid(self.rows.to_numpy(), self.columns.to_numpy(), indexing="ij")
        if geographic == self.geographic:
            return np.column_stack([rows.ravel(), columns.ravel()]).astype(np.float64)
        if not geographic:
            raise ConfigurationError(
                "grid: has latitudes and longitudes, and the table y and x; name its columns lat and lon if "
                "they are (--columns lat=y,lon=x), or give a grid in their projection"
            )
        if self.crs is None:
            raise ConfigurationError(
                "grid: has y and x in a projection that it does not state, and the table lat and lon; give "
                "the table columns y and x, or a grid that states its projection"
            )
        import pyproj  # of the extra rasters

        to_degrees = pyproj.Transformer.from_crs(self.crs, "EPSG:4326", always_xy=True)
        longitudes, latitudes = to_degrees.transform(columns.ravel(), rows.ravel())
        return np.column_stack([latitudes, longitudes])


def target_grid(given: str | Path | TargetGrid, *, geographic: bool) -> TargetGrid:
    """Make a grid of bounds and a step, or take a raster's.

    Args:
        given: ``west,south,east,north,step``, outer edges of the outermost cells and their size (a sixth
            number gives cells a height of their own), or a netCDF or GeoTIFF file.
        geographic: whether bounds are degrees; West may be beyond east there, across the date line.

    Raises:
        ConfigurationError: bounds are wrong, or the file has no grid.
    """
    if isinstance(given, TargetGrid):
        return given
    if isinstance(given, str) and "," in given and not Path(given).exists():
        return _of_bounds(given, geographic)
    path = Path(given)
    try:
        return _of_netcdf(path) if path.suffix.lower() in NETCDF_SUFFIXES else _of_raster(path)
    except (SceneError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigurationError(
            f"grid {path}: {reason}; give west,south,east,north,step or a netCDF or GeoTIFF file"
        ) from None


def _of_bounds(given: str, geographic: bool) -> TargetGrid:
    try:
        numbers = [float(part) for part in given.split(",")]
        if len(numbers) not in (5, 6) or not np.isfinite(numbers).all():
            raise ValueError
    except ValueError:
        raise ConfigurationError(
            f"grid {given!r}: give five finite numbers, west,south,east,north,step, or the name of a file"
        ) from None
    west, south, east, north, width, height = (*numbers, numbers[4])[:6]
    if geographic and (max(abs(south), abs(north)) > 90):
        raise ConfigurationError(
            f"grid {given!r}: latitudes {south:g} and {north:g} must lie within 90 degrees; the order is "
            "west,south,east,north,step"
        )
    if geographic and west > east:
        east += 360
    if not (west < east and south < north and width > 0 and height > 0):
        raise ConfigurationError(
            f"grid {given!r}: west must be less than east, south less than north and the step positive"
        )
    sides = GEOGRAPHIC if geographic else PLANE
    axes = [
        _cells(given, start, end, step, name, attributes)
        for (name, attributes), start, end, step in zip(
            sides, (south, west), (north, east), (height, width), strict=True
        )
    ]
    return TargetGrid(axes[0], axes[1], geographic)


def _cells(
    given: str, start: float, end: float, step: float, name: str, attributes: dict[str, Any]
) -> xarray.DataArray:
    count = round((end - start) / step)
    if count > MOST_CELLS:
        raise ConfigurationError(
            f"grid {given!r}: {count:,} cells along {name}, and at most {MOST_CELLS:,} are allowed; take a "
            "larger step"
        )
    if abs(count * step - (end - start)) > 1e-6 * step * max(count, 1) or count < 1:
        raise ConfigurationError(
            f"grid {given!r}: {name} spans {end - start:g}, which cells of {step:g} do not fill; change the "
            "bounds or the step"
        )
    centres = start + (np.arange(count) + 0.5) * ((end - start) / count)
    return xarray.DataArray(centres, {name: centres}, (name,), name, attributes)


def _of_netcdf(path: Path) -> TargetGrid:
    with xarray.open_dataset(path, engine="netcdf4", decode_times=False, decode_coords="all") as dataset:
        name, (y, x) = _spatial_variable(dataset)
        for axis in (y, x):
            if axis not in dataset.coords or dataset[axis].dtype.kind not in "fiu":
                raise SceneError(f"dimension {axis} has no coordinates")
            steps = np.diff(dataset[axis].values)
            if not np.isfinite(dataset[axis]).all() or not (np.all(steps > 0) or np.all(steps < 0)):
                raise SceneError(f"{axis} must be finite, sorted and without duplicates")
        rows, columns = (dataset[axis].load().reset_coords(drop=True) for axis in (y, x))
        chosen = "" if name is None else str(dataset[name].encoding.get("grid_mapping", ""))
        mapping = None
        if chosen in dataset.variables:
            mapping = (chosen, dict(dataset[chosen].attrs))
        geographic = is_geographic(rows, "lat") and is_geographic(columns, "lon")
    crs = None if geographic else _crs(path)
    return TargetGrid(rows, columns, geographic, mapping, crs)


def _spatial_variable(dataset: xarray.Dataset) -> tuple[Any, tuple[str, str]]:
    """Name of the first variable of rows and columns, with these; None for those of coordinates only."""
    for name, variable in dataset.data_vars.items():
        with contextlib.suppress(SceneError):
            return name, spatial_dimensions(dataset, variable.dims)
    return None, spatial_dimensions(dataset, dataset.sizes)


def _crs(path: Path) -> str | None:
    container = open_container(path, ())
    try:
        return container.grid(0).crs if container.labels else None
    finally:
        container.close()


def _of_raster(path: Path) -> TargetGrid:
    container = open_container(path, ())
    try:
        grid = container.grid(0)
    finally:
        container.close()
    if grid.transform is None or grid.transform.b or grid.transform.d:
        raise SceneError("is rotated, or nothing says where its pixels lie")
    import pyproj  # of the extra rasters, without which no GeoTIFF is read

    crs = None if grid.crs is None else pyproj.CRS.from_wkt(grid.crs)
    geographic = crs is not None and crs.is_geographic
    sides = GEOGRAPHIC if geographic else PLANE if crs is None else PROJECTED
    step_x, corner_x, step_y, corner_y = (grid.transform[part] for part in (0, 2, 4, 5))
    axes = []
    for (name, attributes), corner, step, size in zip(
        sides, (corner_y, corner_x), (step_y, step_x), (grid.height, grid.width), strict=True
    ):
        centres = corner + (np.arange(size) + 0.5) * step
        units = {} if crs is None or geographic else {"units": crs.axis_info[0].unit_name}
        axes.append(xarray.DataArray(centres, {name: centres}, (name,), name, attributes | units))
    mapping = None if crs is None else (GRID_MAPPING, {"crs_wkt": grid.crs} | crs.to_cf())
    return TargetGrid(axes[0], axes[1], geographic, mapping, grid.crs)
