"""What GDAL says, and does not say, of files that it could not write, and what it writes elsewhere."""

import contextlib
import errno
import os
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from spatial_prediction.files import write_error

if TYPE_CHECKING:
    from rasterio.control import GroundControlPoint


def check_complete(path: Path) -> None:
    """Compare where blocks lie with the size of the file: of what fails at its end, GDAL says nothing.

    Raises:
        OSError: blocks lie beyond the end of the file.
    """
    import rasterio

    size = path.stat().st_size
    with rasterio.open(path) as dataset:
        for band in dataset.indexes:
            for (row, column), _ in dataset.block_windows(band):
                place = f"{column}_{row}"
                offset, length = (
                    int(dataset.get_tag_item(f"BLOCK_{what}_{place}", "TIFF", bidx=band) or 0)
                    for what in ("OFFSET", "SIZE")
                )
                if offset + length > size:
                    raise OSError(f"its end is missing: {offset + length} bytes needed, {size} written")


@contextlib.contextmanager
def writer_failures_named(path: Path) -> Iterator[None]:
    """Turn what GDAL raises while it writes into an error that names ``path`` and the remedy.

    Raises:
        WriteError: whatever GDAL's reason.
    """
    from rasterio._err import CPLE_BaseError
    from rasterio.errors import RasterioError

    try:
        yield
    except (RasterioError, CPLE_BaseError) as error:
        chain: list[BaseException] = [error]
        while (cause := chain[-1].__cause__ or chain[-1].__context__) is not None:
            chain.append(cause)
        reasons = " ".join(map(str, chain)).lower()
        # GDAL's threads give the text of some other error of the system at times: only these are believed.
        believed = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
        number = next((each for each in believed if os.strerror(each).lower() in reasons), None)
        reason = OSError(number, reasons) if number else RuntimeError(f"GDAL: {chain[-1]}")
        raise write_error(path, reason) from error


def points_to_write(points: Sequence["GroundControlPoint"], *, is_point: bool) -> list["GroundControlPoint"]:
    """Give the ground control points to set so that those wanted are read.

    Where samples stand for points, GDAL adds half a pixel to them when it writes, and again when it reads: up
    to 3.12 at least, and how far is measured here. findings/ shows it.

    Args:
        points: as they are to be read.
        is_point: whether the tag AREA_OR_POINT is Point, rather than Area.
    """
    from rasterio.control import GroundControlPoint

    shift = _shift_of_points() if is_point and points else 0.0
    return [
        GroundControlPoint(each.row - shift, each.col - shift, each.x, each.y, each.z, each.id, each.info)
        for each in points
    ]


def _shift_of_points() -> float:
    import rasterio
    from rasterio.control import GroundControlPoint
    from rasterio.errors import NotGeoreferencedWarning

    settings = {"driver": "GTiff", "height": 1, "width": 1, "count": 1, "dtype": "uint8"}
    with rasterio.MemoryFile() as memory, warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with memory.open(**settings) as written:
            written.update_tags(AREA_OR_POINT="Point")
            written.gcps = ([GroundControlPoint(0, 0, 0, 0, 0)], rasterio.CRS.from_epsg(4326))
        with memory.open() as read:
            return float(read.gcps[0][0].row)
