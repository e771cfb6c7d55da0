"""Writing scenes as the published data set stores them: one netCDF file per scene, in openEO's layout."""

import datetime
from pathlib import Path

import netCDF4
import numpy as np
from jaxtyping import Int16

from spatial_prediction.errors import SceneError
from spatial_prediction.files import write_error, written_aside
from spatial_prediction.rasters.band_choice import BANDS

FILL_VALUE = -32768
"""DN that marks a missing sample."""
EPOCH = datetime.date(1990, 1, 1)
"""Day from which openEO counts."""


def write_scene(
    path: str | Path,
    bands: Int16[np.ndarray, "height width 3"],
    *,
    date: datetime.date,
    x0: float,
    y0: float,
    pixel_size: float = 10.0,
    epsg_wkt: str,
    title: str = "",
) -> None:
    """Write one scene, complete or not at all.

    The file is NETCDF4_CLASSIC with dimensions t (1), y and x; int16 variables B02, B03 and B04, compressed;
    y runs from north to south; the scalar ``crs`` carries the reference system. It holds no time of writing:
    the same arguments and netCDF library give the same bytes.

    Args:
        path: where to write; its folder is made if need be, a file that stands there is replaced.
        bands: DN (reflectance x 10,000) of red, green and blue, none of them missing; the first row is the
            northernmost, the first column the westernmost.
        date: day on which the scene was taken.
        x0: easting of the scene's western edge (of the pixels, not of their centres), in metres.
        y0: northing of the scene's northern edge, in metres.
        pixel_size: height and width of a pixel, in metres.
        epsg_wkt: the coordinate reference system as well-known text.
        title: what the scene is, for people who open the file.

    Raises:
        WriteError: the disk is full, the folder read-only, and so on.
        SceneError: if ``bands`` is not an int16 array of that shape, is empty, or holds the fill value.
    """
    if bands.ndim != 3 or bands.shape[2] != 3 or bands.dtype != np.int16 or bands.size == 0:
        raise SceneError(
            f"{path}: cannot write a scene of shape {bands.shape} and type {bands.dtype}; "
            "hand in int16 DN of shape (height, width, 3)."
        )
    if (bands == FILL_VALUE).any():
        raise SceneError(
            f"{path}: cannot write a scene with samples of {FILL_VALUE}, which would be read as missing; "
            "crop the scene or fill them first."
        )
    with written_aside(path) as temporary:
        try:
            with netCDF4.Dataset(temporary, "w", format="NETCDF4_CLASSIC") as file:
                _write_content(file, bands, date, x0, y0, pixel_size, epsg_wkt, title)
        except RuntimeError as error:  # of the netCDF library, which hides the system's reason
            raise write_error(path, error) from None


def _write_content(
    file: netCDF4.Dataset,
    bands: Int16[np.ndarray, "height width 3"],
    date: datetime.date,
    x0: float,
    y0: float,
    pixel_size: float,
    epsg_wkt: str,
    title: str,
) -> None:
    height, width, _ = bands.shape
    file.Conventions = "CF-1.9"
    if title:
        file.title = title
    file.createDimension("t", 1)
    file.createDimension("y", height)
    file.createDimension("x", width)
    _write_time(file, date)
    _write_axis(file, "x", x0 + pixel_size * (np.arange(width) + 0.5))
    _write_axis(file, "y", y0 - pixel_size * (np.arange(height) + 0.5))
    file.createVariable("crs", "S1").setncatts({"crs_wkt": epsg_wkt, "spatial_ref": epsg_wkt})
    for name in sorted(BANDS):
        _write_band(file, name, bands[..., BANDS.index(name)])


def _write_time(file: netCDF4.Dataset, date: datetime.date) -> None:
    time = file.createVariable("t", "i4", ("t",))
    time.setncatts(
        {"standard_name": "t", "long_name": "t", "units": f"days since {EPOCH.isoformat()}", "axis": "T"}
    )
    time[:] = (date - EPOCH).days


def _write_axis(file: netCDF4.Dataset, name: str, centres: np.ndarray) -> None:
    axis = file.createVariable(name, "f8", (name,))
    axis.setncatts(
        {
            "standard_name": f"projection_{name}_coordinate",
            "long_name": f"{name} coordinate of projection",
            "units": "m",
        }
    )
    axis[:] = centres


def _write_band(file: netCDF4.Dataset, name: str, dn: Int16[np.ndarray, "height width"]) -> None:
    band = file.createVariable(
        name,
        "i2",
        ("t", "y", "x"),
        compression="zlib",
        complevel=6,
        shuffle=True,
        chunksizes=(1, *dn.shape),
        fill_value=FILL_VALUE,
    )
    band.setncatts({"long_name": name, "units": "", "grid_mapping": "crs"})
    band[0] = dn
