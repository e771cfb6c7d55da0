"""What is read for a tile, and in what batches it is predicted."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Bool, Float32

from spatial_prediction.rasters.raster import Raster
from spatial_prediction.tiling import TilePlan, masked_pixels

Fill: TypeAlias = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Puts values in the place of masked pixels: image (bands, height, width) and mask to an image."""


class Window(NamedTuple):
    """What is read for a tile.

    Attributes:
        row: of the plan.
        column: of the plan.
        dn: missing pixels filled; None where the tile has no valid pixel.
        valid: where pixels are not missing.
        kept: the pixels that are the tile's own.
        inside: a margin can be cut off all sides.
    """

    row: int
    column: int
    dn: Float32[np.ndarray, "height width bands"] | None
    valid: Bool[np.ndarray, "height width"]
    kept: Bool[np.ndarray, "height width"]
    inside: bool


def read_window(raster: Raster, plan: TilePlan, row: int, column: int, *, margin: int, fill: Fill) -> Window:
    """Read a tile's window, channels last.

    Args:
        raster: the image.
        plan: of the tiles.
        row: of the plan.
        column: of the plan.
        margin: input pixels that are cut off windows inside the image.
        fill: what the network sees in place of missing pixels.
    """
    rows, columns = plan.rows[row], plan.columns[column]
    dn, valid = raster.read(rows.read, columns.read)
    missing = masked_pixels(dn, ~valid)
    if missing[_within(rows.reach, rows.read), _within(columns.reach, columns.read)].all():
        filled = None
    else:
        filled = np.ascontiguousarray(np.moveaxis(fill(dn, missing), 0, -1))
    kept = np.zeros(missing.shape, bool)
    kept[_within(rows.keep, rows.read), _within(columns.keep, columns.read)] = True
    inside = all(
        span.reach.start - span.read.start >= margin and span.read.stop - span.reach.stop >= margin
        for span in (rows, columns)
    )
    return Window(row, column, filled, ~missing, kept, inside)


def batches_of(windows: Iterable[Window], size: int) -> Iterator[list[Window]]:
    """Group windows that are alike, in their order, at most ``size``; those without pixels by themselves."""
    group: list[Window] = []
    for window in windows:
        if group and (len(group) == size or not _alike(group[0], window)):
            yield group
            group = []
        group.append(window)
    if group:
        yield group


def filled_up(arrays: list[np.ndarray], size: int) -> np.ndarray:
    """Stack arrays; the last fills up the batch, so that one compiled program serves all."""
    return np.stack([*arrays, *[arrays[-1]] * (size - len(arrays))])


def _alike(first: Window, other: Window) -> bool:
    if first.dn is None or other.dn is None:
        return False
    return first.inside == other.inside and first.dn.shape == other.dn.shape


def _within(pixels: slice, window: slice) -> slice:
    return slice(pixels.start - window.start, pixels.stop - window.start)
