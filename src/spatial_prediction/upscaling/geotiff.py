"""GeoTIFF in blocks, and the Cloud-Optimised GeoTIFF that is made of one."""

import contextlib
import math
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from spatial_prediction.rasters.gdal_writing import check_complete, points_to_write
from spatial_prediction.upscaling.output import REFLECTANCE_OF_DN, Output, Write, check_shape
from spatial_prediction.upscaling.settings import BLOCK

CACHE_BYTES = 256 << 20
"""Of blocks that GDAL keeps: a row of them under way, across a scene of 16,000 columns."""

_LEVEL_NAMES = {"deflate": "zlevel", "zstd": "zstd_level"}


def gdal_settings() -> Any:
    """Give the context in which GDAL does its part.

    Its temporary overviews stay uncompressed: by default they are compressed for a moment, which takes longer
    than all else about a COG. What does not fit into a file is not put beside it.
    """
    import rasterio

    return rasterio.Env(GDAL_CACHEMAX=CACHE_BYTES, COG_TMP_COMPRESSION="NONE", GDAL_PAM_ENABLED="NO")


@contextlib.contextmanager
def geotiff_written(path: Path, output: Output) -> Iterator[Write]:
    """Write a tiled GeoTIFF, as :class:`Writer` says.

    Blocks that are given in parts go into an uncompressed file first: a block that is compressed again leaves
    a hole behind.
    """
    codec = _codec(output)
    if not needs_copy(output):
        with _pixels_written(path, output, codec) as write:
            yield write
    else:
        layout = {"tiled": True, "blockxsize": BLOCK, "blockysize": BLOCK}
        with _copied(path, output, {"driver": "GTiff", **layout, **codec}) as write:
            yield write
    check_complete(path)


def needs_copy(output: Output) -> bool:
    """Whether a GeoTIFF in blocks is written twice."""
    return output.compression.codec != "none" and not output.in_whole_blocks


@contextlib.contextmanager
def cog_written(path: Path, output: Output) -> Iterator[Write]:
    """Write a Cloud-Optimised GeoTIFF, as :class:`Writer` says.

    Pixels and overviews lie aside first, then all is put in the order that a COG has. Overviews are averages:
    GDAL's own choice overshoots at edges and lets missing pixels grow.
    """
    options = {
        "driver": "COG",
        "blocksize": BLOCK,
        "overviews": "FORCE_USE_EXISTING",
        "num_threads": "ALL_CPUS",
        "compress": "none",
        **_codec(output),
    }
    codec, level = output.compression
    if level is not None:
        options["level"] = options.pop(_LEVEL_NAMES[codec])
    with _copied(path, output, options, overviews=True) as write:
        yield write
    check_complete(path)
    _check_cog(path)


@contextlib.contextmanager
def _copied(
    path: Path, output: Output, options: dict[str, Any], *, overviews: bool = False
) -> Iterator[Write]:
    """Write pixels into a file of their own, with overviews or not; copy that with other creation options."""
    from rasterio.shutil import copy

    pixels = path.with_name(f"{path.stem}.pixels.tif")
    try:
        missing = _Missing(output)
        with _pixels_written(pixels, output, {}) as write:

            def write_and_look(rows: slice, columns: slice, samples: np.ndarray) -> None:
                write(rows, columns, samples)
                missing.look(samples)

            yield write_and_look if overviews else write
        if overviews:
            _add_overviews(pixels, output, nothing_missing=missing.nothing)
        check_complete(pixels)
        copy(pixels, path, bigtiff="IF_SAFER", **options)
    finally:
        pixels.unlink(missing_ok=True)


class _Missing:
    """Whether samples are missing: nodata among them, or blocks that were never written."""

    def __init__(self, output: Output):
        self._nodata = output.samples.nodata
        self._left = output.height * output.width * len(output.bands)

    def look(self, samples: np.ndarray) -> None:
        """Take notice of samples that were written, each once."""
        same = np.isnan(samples) if np.isnan(self._nodata) else samples == self._nodata
        self._left -= samples.size - int(np.count_nonzero(same))

    @property
    def nothing(self) -> bool:
        """Whether every sample has been written."""
        return self._left == 0


def _add_overviews(path: Path, output: Output, *, nothing_missing: bool) -> None:
    """Add averages of 2 x 2, 4 x 4, ... pixels, down to a single block, which leave out missing ones.

    Where nothing is missing, the file names no nodata meanwhile: GDAL finds the same averages in a third of
    the time.
    """
    import rasterio
    from rasterio.enums import Resampling

    halvings = math.ceil(math.log2(max(output.height, output.width) / BLOCK))
    if halvings < 1:
        return
    with rasterio.open(path, "r+") as dataset:
        if nothing_missing:
            dataset.nodata = None
        dataset.build_overviews([2**level for level in range(1, halvings + 1)], Resampling.average)
    if nothing_missing:
        with rasterio.open(path, "r+") as dataset:
            dataset.nodata = output.samples.nodata


@contextlib.contextmanager
def _pixels_written(path: Path, output: Output, codec: dict[str, Any]) -> Iterator[Write]:
    """Write a tiled GeoTIFF with all its metadata. Blocks that are never written read as nodata."""
    import rasterio
    from rasterio.control import GroundControlPoint
    from rasterio.enums import ColorInterp
    from rasterio.errors import NotGeoreferencedWarning
    from rasterio.windows import Window

    place = output.georeference
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # the user has been warned by then
        dataset = rasterio.open(
            path,
            "w",
            driver="GTiff",
            height=output.height,
            width=output.width,
            count=len(output.bands),
            dtype=output.samples.name,
            nodata=output.samples.nodata,
            crs=place.crs if place.transform is not None or not place.gcps else None,
            transform=place.transform,
            tiled=True,
            blockxsize=BLOCK,
            blockysize=BLOCK,
            interleave="band",
            sparse_ok=True,
            bigtiff="IF_SAFER",
            **codec,
        )
    with dataset:
        if place.gcps and place.transform is None:
            points = points_to_write(
                [GroundControlPoint(*point) for point in place.gcps], is_point=output.is_point
            )
            dataset.gcps = (points, rasterio.CRS.from_wkt(place.gcps_crs) if place.gcps_crs else None)
        own = {
            "SPATIAL_PREDICTION_GDAL_VERSION": rasterio.__gdal_version__,
            "AREA_OR_POINT": "Point" if output.is_point else "Area",
        }
        dataset.update_tags(**{**output.tags, **own})
        dataset.scales = [REFLECTANCE_OF_DN] * len(output.bands)
        dataset.descriptions = output.bands
        dataset.colorinterp = [ColorInterp.red, ColorInterp.green, ColorInterp.blue]

        def write(rows: slice, columns: slice, samples: np.ndarray) -> None:
            check_shape(rows, columns, samples)
            dataset.write(samples, window=Window.from_slices(rows, columns))

        yield write


def _codec(output: Output) -> dict[str, Any]:
    """Creation options of the GTiff driver."""
    codec, level = output.compression
    if codec == "none":
        return {}
    options: dict[str, Any] = {
        "compress": codec,
        "predictor": 3 if output.samples.name == "float32" else 2,
        "num_threads": "ALL_CPUS",
    }
    if level is not None:
        options[_LEVEL_NAMES[codec]] = level
    return options


def _check_cog(path: Path) -> None:
    """Validate a Cloud-Optimised GeoTIFF strictly.

    Raises:
        OSError: it is none.
    """
    from rio_cogeo.cogeo import cog_validate

    valid, faults, warned = cog_validate(path, strict=True, quiet=True)
    if not valid:
        raise OSError(f"it is no valid COG: {'; '.join([*faults, *warned])}")
