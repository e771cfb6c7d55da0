"""What every format gives: stored samples, and what the file says of them; not what they mean.

A container's rows run from north to south and its columns as stored, whatever the file's own order is.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from affine import Affine
from jaxtyping import Bool, Shaped

from spatial_prediction.errors import SceneError


class BandLabel(NamedTuple):
    """What a file calls a band.

    Attributes:
        name: its own, such as ``B04`` or ``red``; empty where the file gives it none.
        place: where it is, as messages show it: a variable, ``reflectance[2]``, a number from 1 on.
        wavelength: of its centre, in nanometres; None where the file does not state it.
        of_several: it is one of several along a dimension; a variable or file of its own comes before it.
    """

    name: str
    place: str
    wavelength: float | None = None
    of_several: bool = False


class GroundControlPoint(NamedTuple):
    """A pixel position whose place is known.

    Attributes:
        row: from the northern edge of the first row on, in pixels.
        column: from the western edge of the first column on, in pixels.
        x: easting or longitude, in the units of the points' reference system.
        y: northing or latitude, in the same units.
        z: height, in metres; 0 where it is unknown.
    """

    row: float
    column: float
    x: float
    y: float
    z: float


class Grid(NamedTuple):
    """Shape and place of a band.

    Attributes:
        height: number of rows.
        width: number of columns.
        transform: from (column, row) to (x, y) of pixel corners; None where the file does not say.
        crs: the reference system as well-known text; None where the file does not say.
        gcps: ground control points, in ``gcps_crs``.
        gcps_crs: their reference system as well-known text.
    """

    height: int
    width: int
    transform: Affine | None = None
    crs: str | None = None
    gcps: tuple[GroundControlPoint, ...] = ()
    gcps_crs: str | None = None


class Band(NamedTuple):
    """What a file says of the samples of a band.

    Attributes:
        dtype: of the samples as stored.
        attributes: of the band, under the names of CF and netCDF: ``scale_factor``, ``_FillValue`` and so on.
        default_fill: what the format puts where nothing was written; None where it has no such value.
    """

    dtype: np.dtype
    attributes: Mapping[str, Any]
    default_fill: float | None = None


class Samples(NamedTuple):
    """A window, as stored.

    Attributes:
        stored: one array of (height, width) for each band.
        masked: True where the container itself says that there is nothing, by a mask or an alpha band; None
            where it has neither.
    """

    stored: Sequence[Shaped[np.ndarray, "height width"]]
    masked: Bool[np.ndarray, "height width"] | None = None

    def as_masked(self) -> list[np.ndarray]:
        """Give the arrays as masked ones, where there is a mask."""
        if self.masked is None:
            return list(self.stored)
        return [np.ma.masked_array(each, self.masked) for each in self.stored]


@runtime_checkable
class Container(Protocol):
    """An open file, or several that belong together.

    Every method raises ``SceneError`` where the file cannot be used, with a message that names no file.

    Attributes:
        labels: of all bands.
        tags: attributes of the file.
        kind: what it is, in a word or two for messages.
    """

    labels: Sequence[BandLabel]
    tags: Mapping[str, Any]
    kind: str

    def grid(self, band: int) -> Grid:
        """Give shape and place of a band, by its index in ``labels``."""

    def band(self, band: int) -> Band:
        """Give what the file says of a band's samples."""

    def read(self, bands: Sequence[int], rows: slice, columns: slice) -> Samples:
        """Read a window of bands; only that window is held in memory."""

    def close(self) -> None:
        """Close the file."""


def common_grid(container: Container, bands: Sequence[int]) -> Grid:
    """Give the one grid that several bands share.

    Raises:
        SceneError: they have several.
    """
    grids = {container.labels[band].place: container.grid(band) for band in bands}
    first, *others = grids.items()
    for place, grid in others:
        if grid != first[1]:
            raise SceneError(
                f"the bands lie on different grids: {first[0]} has {_in_words(first[1])}, {place} "
                f"{_in_words(grid)}; resample them to one grid, or name others (bands, --bands)"
            )
    return first[1]


def _in_words(grid: Grid) -> str:
    shape = f"{grid.height} x {grid.width} pixels"
    if grid.transform is None:
        return shape
    origin = f"({grid.transform.c:.10g}, {grid.transform.f:.10g})"
    return f"{shape} of {abs(grid.transform.a):.6g} from {origin}"


def flipped(rows: slice, height: int) -> slice:
    """Give the rows of a file that runs from south to north which hold ``rows`` counted from the north."""
    return slice(height - rows.stop, height - rows.start)
