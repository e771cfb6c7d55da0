"""NetCDF with the coordinates and the grid mapping of the CF conventions."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.rasters.netcdf_lock import NETCDF_LOCK
from spatial_prediction.upscaling.georeference import Georeference
from spatial_prediction.upscaling.geotiff import CACHE_BYTES
from spatial_prediction.upscaling.output import REFLECTANCE_OF_DN, Output, Write, check_shape
from spatial_prediction.upscaling.settings import BLOCK

GRID_MAPPING = "spatial_ref"
"""Name of the variable that describes the reference system; rioxarray and GDAL call it so."""

_COMPRESSION = {"deflate": "zlib", "zstd": "zstd"}

_GEOGRAPHIC = {
    "x": {"standard_name": "longitude", "long_name": "longitude", "units": "degrees_east"},
    "y": {"standard_name": "latitude", "long_name": "latitude", "units": "degrees_north"},
}


def check_fits(georeference: Georeference, path: str | Path) -> None:
    """Refuse what one-dimensional coordinates cannot say.

    Raises:
        ConfigurationError: rows do not run along x, or ground control points place the image.
    """
    if georeference.is_rotated or (georeference.gcps and georeference.transform is None):
        what = "is rotated" if georeference.is_rotated else "is placed by ground control points"
        raise ConfigurationError(
            f"{path}: the raster {what}, which the coordinates of a netCDF file cannot say; "
            "choose --format cog or gtiff"
        )


@contextlib.contextmanager
def netcdf_written(path: Path, output: Output) -> Iterator[Write]:
    """Write a netCDF-4 file, a variable for each band, as :class:`Writer` says.

    Of blocks that are given in parts, more are kept in memory.
    """
    with _failures_of_hdf5(), _opened(path) as file:
        with NETCDF_LOCK:
            variables = _band_variables(file, output)

        def write(rows: slice, columns: slice, samples: np.ndarray) -> None:
            check_shape(rows, columns, samples)
            with _failures_of_hdf5(), NETCDF_LOCK:
                for variable, band in zip(variables, samples, strict=True):
                    variable[rows, columns] = band

        yield write


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[netCDF4.Dataset]:
    """Open a file for writing while other threads may read another one."""
    with NETCDF_LOCK:
        file = netCDF4.Dataset(path, "w", format="NETCDF4")
    try:
        yield file
    finally:
        with NETCDF_LOCK:
            file.close()


def _band_variables(file: netCDF4.Dataset, output: Output) -> list[netCDF4.Variable]:
    """Make everything but the samples; return a variable for each band."""
    file.setncatts({"Conventions": "CF-1.11", **output.tags})
    file.createDimension("y", output.height)
    file.createDimension("x", output.width)
    mapped = _write_georeference(file, output)
    variables = []
    codec, level = output.compression
    options: dict[str, Any] = {"shuffle": codec != "none"}
    if codec != "none":
        options |= {"compression": _COMPRESSION[codec], "complevel": level}
    for number, name in enumerate(output.bands, 1):
        variable = file.createVariable(
            _variable_name(name, number),
            output.samples.name,
            ("y", "x"),
            **options,
            chunksizes=(min(BLOCK, output.height), min(BLOCK, output.width)),
            fill_value=output.samples.nodata,
        )
        variable.set_auto_maskandscale(False)
        attributes: dict[str, Any] = {
            "long_name": f"reflectance of band {name}",
            "units": "1",
            "scale_factor": REFLECTANCE_OF_DN,
            "add_offset": 0.0,
        }
        variable.setncatts(attributes | ({"grid_mapping": GRID_MAPPING} if mapped else {}))
        if not output.in_whole_blocks:
            variable.set_var_chunk_cache(size=CACHE_BYTES // len(output.bands))
        variables.append(variable)
    return variables


def _write_georeference(file: netCDF4.Dataset, output: Output) -> bool:
    """Write coordinates of pixel centres, and the grid mapping; return whether there is one."""
    place = output.georeference
    if place.transform is None:
        return False
    a, _, c, _, e, f = place.transform[:6]
    centres = {
        "x": c + a * (np.arange(output.width) + 0.5),
        "y": f + e * (np.arange(output.height) + 0.5),
    }
    described: dict[str, dict[str, str]] = {"x": {}, "y": {}}
    if place.crs is not None:
        import pyproj

        system = pyproj.CRS.from_wkt(place.crs)
        mapping = file.createVariable(GRID_MAPPING, "i4")
        mapping.setncatts({name: value for name, value in system.to_cf().items() if value is not None})
        mapping.setncatts({"spatial_ref": place.crs, "GeoTransform": f"{c} {a} 0 {f} 0 {e}"})
        if system.is_geographic:
            described = _GEOGRAPHIC
        else:
            unit = system.axis_info[0].unit_name if system.axis_info else "metre"
            described = {
                axis: {
                    "standard_name": f"projection_{axis}_coordinate",
                    "long_name": f"{axis} of projection",
                    "units": "m" if unit == "metre" else unit,
                }
                for axis in ("x", "y")
            }
    for axis, values in centres.items():
        coordinate = file.createVariable(axis, "f8", (axis,))
        coordinate.setncatts({"axis": axis.upper(), **described[axis]})
        coordinate[:] = values
    return place.crs is not None


def _variable_name(band: str, number: int) -> str:
    """Give a name that netCDF and CF allow; a wavelength or a number is none."""
    return band if band.isidentifier() else f"band_{number}"


@contextlib.contextmanager
def _failures_of_hdf5() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        if "NetCDF" not in str(error) and "HDF" not in str(error):
            raise
        raise OSError(str(error)) from error
