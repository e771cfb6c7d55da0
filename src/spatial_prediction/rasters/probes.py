"""Small windows all over a raster, to judge it by without reading it."""

from collections.abc import Iterator

import numpy as np

from spatial_prediction.rasters.containers import Grid

PROBES = (3, 9)
"""Windows along each axis; the second where the first hold nothing."""

PROBE_SIZE = 32
"""Rows and columns of a window."""


def probe_windows(grid: Grid) -> Iterator[list[tuple[slice, slice]]]:
    """Give windows as rows and columns, first a few, then more; all of a small raster."""
    for count in PROBES:
        yield [
            (rows, columns) for rows in _along(grid.height, count) for columns in _along(grid.width, count)
        ]


def _along(length: int, count: int) -> list[slice]:
    if length <= count * PROBE_SIZE:
        return [slice(0, length)]
    starts = np.linspace(0, length - PROBE_SIZE, count).astype(int)
    return [slice(int(start), int(start) + PROBE_SIZE) for start in starts]
