"""Any raster, read window by window as DN: the door to this room."""

import contextlib
import logging
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
from affine import Affine
from jaxtyping import Bool, Float32

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.rasters.band_choice import BANDS, chosen_bands
from spatial_prediction.rasters.containers import Container, GroundControlPoint, common_grid
from spatial_prediction.rasters.formats import open_container
from spatial_prediction.rasters.meaning import Meaning, named
from spatial_prediction.rasters.offset import OffsetSetting
from spatial_prediction.rasters.settings import NodataSetting, ScaleSetting

logger = logging.getLogger(__name__)

OFFSET_HINT = (
    "DN may carry +1000 (processing baseline 04.00 and later) though nothing states it; set the offset "
    "(offset, --offset) to -1000 if they do, to 0 if not"
)


class Raster:
    """An open raster: bands on one grid, rows from north to south. A context manager.

    One thread at a time may read.

    Attributes:
        path: the file or folder, or the first of several files.
        height: number of rows.
        width: number of columns.
        band_names: as they were asked for.
        crs: the reference system as well-known text; None where the file states none.
        transform: from (column, row) to (x, y) of pixel corners, north up or rotated as stored; None where
            the file states none.
        gcps: ground control points.
        gcps_crs: the reference system of ``gcps`` as well-known text.
        tags: attributes of the file.
        description: how the samples are read, in a line.
    """

    def __init__(self, path: Path, container: Container, meaning: Meaning):
        self._container = container
        self._meaning = meaning
        grid = common_grid(container, meaning.indices)
        self.path = path
        self.height: int = grid.height
        self.width: int = grid.width
        self.transform: Affine | None = grid.transform
        self.crs: str | None = grid.crs
        self.gcps: tuple[GroundControlPoint, ...] = grid.gcps
        self.gcps_crs: str | None = grid.gcps_crs
        self.tags = dict(container.tags)
        self.band_names = tuple(meaning.names)
        self.description = f"{container.kind}, {grid.height} x {grid.width} pixels; {meaning.in_words()}"

    def read(
        self, rows: slice, columns: slice
    ) -> tuple[Float32[np.ndarray, "bands height width"], Bool[np.ndarray, "height width"]]:
        """Read a window.

        Args:
            rows: from the north on; start and stop lie in the raster, no step.
            columns: from the first one on; likewise.

        Returns:
            DN, that is reflectance x 10,000, with the offset of newer products subtracted, not clipped,
            NaN where a sample is missing; and where all bands have samples.

        Raises:
            ConfigurationError: the window is empty or not inside the raster.
            SceneError: the file is damaged, or holds what contradicts how it is read.
        """
        rows = _inside("rows", rows, self.height)
        columns = _inside("columns", columns, self.width)
        with named(self.path):
            decoded = self._meaning.read(rows, columns)
        dn = np.empty((len(decoded), rows.stop - rows.start, columns.stop - columns.start), np.float32)
        valid = np.ones(dn.shape[1:], bool)
        for band, target in zip(decoded.values(), dn, strict=True):
            target[:] = band.dn
            valid &= ~band.missing
        for doubt in self._meaning.doubts(decoded):
            logger.warning("%s: %s", self.path, doubt)
        return dn, valid

    def close(self) -> None:
        """Close the files."""
        self._container.close()

    def __enter__(self) -> "Raster":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_raster(
    path: str | Path | Sequence[Path],
    *,
    bands: Sequence[str] | None = None,
    offset: OffsetSetting = "auto",
    scale: ScaleSetting = "auto",
    nodata: NodataSetting = "auto",
) -> Raster:
    """Open a raster, decide what its samples mean, and log that in one line.

    Args:
        path: a GeoTIFF, JPEG 2000, netCDF or ENVI file (the header or the samples), a folder of files named
            after bands, such as a Sentinel-2 product (``.SAFE``), or a list of such files.
        bands: names, numbers from 1 on, or wavelengths (``"665 nm"``); by default red, green and blue.
        offset: what is added to stored DN, 0 or -1000; ``"auto"``: what the file states, or else 0.
        scale: what stored numbers are: ``"dn"``, ``"reflectance"``, or a factor that gives reflectance;
            ``"auto"``: what the file's packing says; without one, integers are DN, and floats what their size
            says without a doubt.
        nodata: a number that marks missing samples besides those that the file declares, or ``"none"`` where
            nothing that it declares is missing; ``"auto"``: what the file declares.

    Raises:
        ConfigurationError: an option is none of these.
        SceneError: the raster cannot be read, or what it means cannot be decided; the message names the file,
            what was found and the option that says it.
    """
    paths = [Path(path)] if isinstance(path, str | Path) else [Path(each) for each in path]
    if not paths:
        raise ConfigurationError("path=[]: name at least one file")
    wanted = list(BANDS if bands is None else bands)
    if not wanted or len(set(wanted)) < len(wanted):
        raise ConfigurationError(f"bands={wanted!r}: name at least one band, and each once")
    with contextlib.ExitStack() as closing, named(paths[0]):
        container = open_container(paths if len(paths) > 1 else paths[0], wanted)
        closing.callback(container.close)
        meaning = Meaning(
            container,
            wanted,
            chosen_bands(wanted, container.labels),
            offset=offset,
            scale=scale,
            nodata=nodata,
            file_name=paths[0].name,
        )
        raster = Raster(paths[0], container, meaning)
        logger.info("%s: %s", raster.path, raster.description)
        if hints := meaning.hints():
            logger.warning("%s: %s (%s)", raster.path, OFFSET_HINT, ", ".join(hints))
        closing.pop_all()
    return raster


def _inside(name: str, window: slice, length: int) -> slice:
    start = 0 if window.start is None else window.start
    stop = length if window.stop is None else window.stop
    if window.step not in (None, 1) or not 0 <= start < stop <= length:
        raise ConfigurationError(
            f"{name}={window}: must lie within 0 and {length}, not empty, without a step"
        )
    return slice(start, stop)
