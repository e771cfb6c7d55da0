"""Which reader opens a cube, by its first bytes, and which writer restores it."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from spatial_prediction.cube_files.protocol import Source, Writer
from spatial_prediction.errors import ConfigurationError, SceneError, StreamError
from spatial_prediction.rasters.formats import ENVI_MAGIC, GDAL_MAGIC, NETCDF_MAGIC


class RawSettings(NamedTuple):
    """What a file of plain numbers holds.

    Attributes:
        shape: rows, columns and bands.
        dtype: with its byte order.
        interleave: bsq, bil or bip.
        header_offset: bytes before the first sample.
    """

    shape: tuple[int, int, int]
    dtype: np.dtype
    interleave: str = "bsq"
    header_offset: int = 0


def open_cube(
    path: Path,
    *,
    raw: RawSettings | None = None,
    variables: Sequence[str] = (),
    axes: tuple[str, str] | None = None,
) -> Source:
    """Open a cube.

    Args:
        path: ENVI (header or samples), GeoTIFF, netCDF, or with ``raw`` a file of plain numbers.
        raw: what a file of plain numbers holds.
        variables: of a netCDF file that make up the cube.
        axes: dimensions of rows and columns of a netCDF file.

    Raises:
        ConfigurationError: an argument does not belong to the format, or is not usable.
        SceneError: the file cannot be used; the message does not name it.
    """
    if path.is_dir():
        raise SceneError("is a folder; name the file of the cube")
    if not path.is_file():
        raise SceneError("no such file; check the folder and the name")
    try:
        with open(path, "rb") as file:
            start = file.read(12)
    except PermissionError as error:
        raise SceneError("no permission to read the file; change its permissions") from error
    is_netcdf = start.startswith(NETCDF_MAGIC)
    if (variables or axes) and (raw is not None or not is_netcdf):
        raise ConfigurationError(
            "--variable, --axes: are of netCDF files, and the cube is none; leave them out"
        )
    if raw is not None:
        from spatial_prediction.cube_files.raw import open_raw

        return open_raw(path, raw.shape, raw.dtype, interleave=raw.interleave, skipped=raw.header_offset)
    if is_netcdf:
        from spatial_prediction.cube_files.netcdf import NetCDFCube

        return NetCDFCube(path, variables=variables, axes=axes)
    if start.startswith(GDAL_MAGIC):
        from spatial_prediction.cube_files.geotiff import GeoTIFFCube

        return GeoTIFFCube(path)
    from spatial_prediction.cube_files.envi import ENVICube
    from spatial_prediction.rasters.envi import header_of

    header = path if start.startswith(ENVI_MAGIC) else header_of(path)
    if header is None:
        raise SceneError(
            f"is neither GeoTIFF nor netCDF, and has no header beside it ({path.stem}.hdr or "
            f"{path.name}.hdr); put one there, or say what the file holds by --shape, --dtype, --interleave"
        )
    return ENVICube(header, None if header == path else path)


def writer_of(kind: str) -> Writer:
    """Give the writer of a format, by the name that metadata give it.

    Raises:
        StreamError: there is none.
    """
    if kind == "raw":
        from spatial_prediction.cube_files.raw import raw_written

        return raw_written
    if kind == "ENVI":
        from spatial_prediction.cube_files.envi import envi_written

        return envi_written
    if kind == "GeoTIFF":
        from spatial_prediction.cube_files.geotiff import geotiff_written

        return geotiff_written
    if kind == "netCDF":
        from spatial_prediction.cube_files.netcdf import netcdf_written

        return netcdf_written
    raise StreamError(f"was a file of the format {kind!r}, which is not known here; use a newer version")
