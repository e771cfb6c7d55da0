"""Which format a file has, by its first bytes."""

from collections.abc import Sequence
from pathlib import Path

from spatial_prediction.errors import SceneError
from spatial_prediction.rasters.containers import Container

GDAL_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51")
"""TIFF and BigTIFF in both byte orders; JPEG 2000 in its container and bare."""
ENVI_MAGIC = b"ENVI"
NETCDF_MAGIC = (b"CDF", b"\x89HDF\r\n\x1a\n")


def open_container(path: Path | Sequence[Path], bands: Sequence[str]) -> Container:
    """Open a file, a folder of files named after bands, or a list of them.

    Args:
        path: the file, folder or files.
        bands: which bands are wanted; of files named after bands, only those of these are opened.

    Raises:
        SceneError: it cannot be opened; the message says why and what to do, and does not name the file.
    """
    if not isinstance(path, Path) or path.is_dir():
        from spatial_prediction.rasters.band_files import BandFiles

        return BandFiles(path, bands)
    if not path.is_file():
        raise SceneError("no such file; check the folder and the name")
    try:
        with open(path, "rb") as file:
            start = file.read(12)
    except PermissionError as error:
        raise SceneError("no permission to read the file; change its permissions") from error
    suffix = path.suffix.lower()
    if start.startswith(NETCDF_MAGIC):
        return _netcdf(path)
    if start.startswith(GDAL_MAGIC):
        return _geotiff(path)
    from spatial_prediction.rasters.envi import ENVI, header_of

    header = path if start.startswith(ENVI_MAGIC) else header_of(path)
    if header is not None:
        return ENVI(header, None if header == path else path)
    if suffix in (".tif", ".tiff", ".jp2", ".j2k"):
        return _geotiff(path)
    if suffix in (".bsq", ".bil", ".bip", ".img", ".dat", ".raw"):
        raise SceneError(
            f"has no header beside it ({path.stem}.hdr or {path.name}.hdr), which says what it holds; "
            "put it there"
        )
    return _netcdf(path)


def _netcdf(path: Path) -> Container:
    from spatial_prediction.rasters.netcdf import NetCDF

    return NetCDF(path)


def _geotiff(path: Path) -> Container:
    try:
        from spatial_prediction.rasters.geotiff import GeoTIFF

        return GeoTIFF(path)
    except ModuleNotFoundError as error:
        raise SceneError(
            f"needs the package {error.name!r}, which is not installed; this package's extra 'rasters' "
            "brings it (pip install '.[rasters]')"
        ) from error
