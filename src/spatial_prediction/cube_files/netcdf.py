"""netCDF cubes: variables on one grid, and everything else that the file says."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import xarray
from xarray.backends import NetCDF4DataStore

from spatial_prediction.cube_files import netcdf_content
from spatial_prediction.cube_files.netcdf_variables import CubeVariables, cube_variables
from spatial_prediction.cube_files.protocol import (
    Cube,
    Restored,
    Write,
    check_ending,
    in_range,
    metadata_read,
)
from spatial_prediction.errors import SceneError
from spatial_prediction.files import write_error, written_aside
from spatial_prediction.output_files import check_output, only_writer
from spatial_prediction.rasters.netcdf import opened_file
from spatial_prediction.rasters.netcdf_lock import NETCDF_LOCK

ENDINGS = (".nc", ".nc4", ".cdf")


class NetCDFCube:
    """A netCDF file, a ``Source``.

    Args:
        path: of the file.
        variables: that make up the cube; by default the largest and all of its type and grid.
        axes: dimensions of rows and columns; None: what the file says.
    """

    kind = "netCDF"
    not_kept: tuple[str, ...] = ()

    def __init__(self, path: Path, *, variables: Sequence[str] = (), axes: tuple[str, str] | None = None):
        with NETCDF_LOCK, contextlib.ExitStack() as closing:
            file = self._file = closing.enter_context(opened_file(path))
            if file.groups or file.cmptypes or file.vltypes or file.enumtypes:
                raise SceneError(
                    "has groups or types of its own, which would be lost; copy the cube and its coordinates "
                    "to the root of a file of plain types"
                )
            file.set_auto_maskandscale(False)
            file.set_auto_chartostring(False)
            dataset = xarray.open_dataset(
                NetCDF4DataStore(file, lock=NETCDF_LOCK), decode_cf=False, cache=False
            )
            file.set_auto_maskandscale(False)
            self._cube = cube_variables(file, dataset, names=variables, axes=axes)
            self.files: tuple[Path, ...] = (path,)
            self.shape = self._cube.shape
            self.dtype = np.dtype(file[self._cube.names[0]].dtype)
            chunks = file[self._cube.names[0]].chunking()
            row_axis = self._cube.dimensions[0].index(self._cube.rows)
            self.rows_at_once = chunks[row_axis] if isinstance(chunks, list) else 1
            self.nodata = tuple(
                sorted({value for name in self._cube.names for value in _missing(file[name], self.dtype)})
            )
            self.metadata = _metadata(file, self._cube)
            closing.pop_all()

    def read(self, rows: slice) -> Cube:
        """Read rows of all variables of the cube."""
        try:
            with NETCDF_LOCK:
                return self._cube.read(self._file, rows).astype(self.dtype, copy=False)
        except (OSError, RuntimeError) as error:
            raise SceneError(
                f"cannot be read ({error}): the file is damaged; fetch or write it again"
            ) from error

    def close(self) -> None:
        """Close the file."""
        with NETCDF_LOCK:
            self._file.close()


def _missing(variable: netCDF4.Variable, dtype: np.dtype) -> Iterator[int]:
    for name in ("_FillValue", "missing_value"):
        values = np.ravel(variable.getncattr(name)) if name in variable.ncattrs() else np.array([])
        if values.dtype.kind in "iuf":
            yield from (int(value) for value in values if in_range(float(value), dtype))


def _metadata(file: netCDF4.Dataset, cube: CubeVariables) -> dict[str, Any]:
    kept = []
    for name, variable in file.variables.items():
        described = netcdf_content.layout_of_variable(variable)
        if name not in cube.names:
            described["samples"] = netcdf_content.packed(variable)
        kept.append(described)
    sizes = {each["name"]: len(str(each.get("samples", ""))) for each in kept}
    if sum(sizes.values()) > netcdf_content.LARGEST:
        largest = max(sizes, key=lambda name: sizes[name])
        raise SceneError(
            f"variables beside the cube take {sum(sizes.values()) / 1e6:.1f} MB ({largest} most of it), more "
            f"than {netcdf_content.LARGEST / 1e6:.1f}; name more by --variable, or store them in another file"
        )
    return {
        "format": "netCDF",
        "data_model": file.data_model,
        "dimensions": [
            [name, len(dimension), dimension.isunlimited()] for name, dimension in file.dimensions.items()
        ],
        "attributes": netcdf_content.attributes_of(file),
        "variables": kept,
        "cube": {
            "names": list(cube.names),
            "dimensions": [list(each) for each in cube.dimensions],
            "rows": cube.rows,
            "columns": cube.columns,
        },
    }


@contextlib.contextmanager
def netcdf_written(restored: Restored) -> Iterator[Write]:
    """Write a netCDF file; a ``Writer``."""
    check_ending(restored.path, ENDINGS, "netCDF")
    check_output(restored.path, {"input": restored.source}, overwrite=restored.overwrite)
    with (
        only_writer(restored.path),
        written_aside(restored.path) as temporary,
        _failures_named(restored.path),
    ):
        with NETCDF_LOCK, metadata_read(restored.source):
            file = netCDF4.Dataset(temporary, "w", format=restored.metadata["data_model"])
        try:
            with NETCDF_LOCK, metadata_read(restored.source):
                cube = _begun(file, restored)
            first = 0

            def write(rows: Cube) -> None:
                nonlocal first
                with NETCDF_LOCK:
                    cube.write(file, first, rows)
                first += len(rows)

            yield write
        finally:
            with NETCDF_LOCK:
                file.close()


@contextlib.contextmanager
def _failures_named(path: Path) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # of the netCDF library, which hides the system's reason
        raise write_error(path, error) from None


def _begun(file: netCDF4.Dataset, restored: Restored) -> CubeVariables:
    """Make everything but the samples of the cube."""
    metadata, rows = restored.metadata, restored.rows
    described = metadata["cube"]
    sizes = {name: size for name, size, _ in metadata["dimensions"]}
    cube = CubeVariables(
        tuple(described["names"]),
        tuple(map(tuple, described["dimensions"])),
        sizes,
        described["rows"],
        described["columns"],
    )
    if cube.shape != restored.description.shape:
        raise ValueError(f"its variables have the shape {cube.shape}")
    for name, size, unlimited in metadata["dimensions"]:
        length = restored.height if name == cube.rows else size
        file.createDimension(name, None if unlimited else length)
    file.setncatts(
        {name: netcdf_content.attribute_value(kind, value) for name, kind, value in metadata["attributes"]}
    )
    for kept in metadata["variables"]:
        variable = netcdf_content.make_variable(file, kept)
        if kept["name"] in cube.names:
            continue
        samples = netcdf_content.unpacked(kept, tuple(sizes[name] for name in kept["dimensions"]))
        index = tuple(rows if name == cube.rows else slice(None) for name in kept["dimensions"])
        samples = samples[index]
        if samples.ndim == 0:
            variable[...] = samples[()]
        elif samples.size:
            variable[tuple(slice(0, size) for size in samples.shape)] = samples
    if not restored.is_whole:
        _move_transforms(file, cube, restored)
    return cube


def _move_transforms(file: netCDF4.Dataset, cube: CubeVariables, restored: Restored) -> None:
    """Correct what GDAL writes beside coordinates: where the northern edge of the first row lies."""
    first = restored.rows.start
    if cube.rows in file.variables:
        centres = file[cube.rows]
        if centres.ndim == 1 and len(centres) > 1 and centres[-1] > centres[0]:  # from south to north
            first = restored.description.shape[0] - restored.rows.stop
    for variable in file.variables.values():
        if "GeoTransform" in variable.ncattrs():
            words = str(variable.getncattr("GeoTransform")).split()
            if len(words) == 6:
                x, _, row_x, y, _, row_y = map(float, words)
                words[0], words[3] = repr(x + first * row_x), repr(y + first * row_y)
                variable.setncattr("GeoTransform", " ".join(words))
