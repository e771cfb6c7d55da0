"""How residuals lie in memory, those of a pixel together or those of a band, and in which order they come."""

from typing import no_type_check

import numpy as np
from jaxtyping import UInt32

from spatial_prediction.compression._compiled import compiled
from spatial_prediction.errors import StreamError


def by_band(values: UInt32[np.ndarray, "rows columns bands"]) -> UInt32[np.ndarray, "rows columns bands"]:
    """Give the same numbers, those of a band lying together in memory."""
    rows, columns, bands = values.shape
    return _transposed(values.reshape(-1, bands)).reshape(bands, rows, columns).transpose(1, 2, 0)


def by_pixel(values: UInt32[np.ndarray, "rows columns bands"]) -> UInt32[np.ndarray, "rows columns bands"]:
    """Give the same numbers, those of a pixel lying together, from what ``by_band`` gave."""
    rows, columns, bands = values.shape
    return _transposed(values.transpose(2, 0, 1).reshape(bands, -1)).reshape(rows, columns, bands)


def empty_residuals(
    shape: tuple[int, int, int], encoding_order: str
) -> UInt32[np.ndarray, "rows columns bands"]:
    """Give memory for residuals in the layout in which they stand in a stream: by band for BSQ.

    Raises:
        StreamError: there is not enough.
    """
    rows, columns, bands = shape
    try:
        if encoding_order == "BSQ":
            return np.empty((bands, rows, columns), np.uint32).transpose(1, 2, 0)
        return np.empty(shape, np.uint32)
    except MemoryError as error:
        raise StreamError(
            f"the stream is of {rows} rows, {columns} columns and {bands} bands, for which memory does not "
            "suffice; decompress it on another machine, unless it is damaged"
        ) from error


def flattened(
    values: UInt32[np.ndarray, "rows columns bands"],
) -> tuple[UInt32[np.ndarray, " samples"], tuple[int, int, int]]:
    """Give the memory of either layout, and the steps in it from row to row, column to column and so on."""
    rows, columns, bands = values.shape
    if values.flags.c_contiguous:
        return values.reshape(-1), (columns * bands, bands, 1)
    return values.transpose(2, 0, 1).reshape(-1), (columns, 1, rows * columns)


@compiled
@no_type_check
def pieces_of(shape, interleaved):
    """Number of pieces that are coded one after the other: all columns of a row in some of its bands."""
    rows, _, bands = shape
    return rows * -(-bands // max(interleaved, 1))


@compiled
@no_type_check
def piece(number, shape, interleaved):
    """Row of a piece, its first band, and the band after its last."""
    rows, _, bands = shape
    if interleaved:
        groups = -(-bands // interleaved)
        first = number % groups * interleaved
        return number // groups, first, min(first + interleaved, bands)
    return number % rows, number // rows, number // rows + 1


@compiled
@no_type_check
def _transposed(source):
    """Transpose a matrix by squares that fit into the cache, several times as fast as NumPy."""
    rows, columns = source.shape
    result = np.empty((columns, rows), source.dtype)
    for first in range(0, rows, 32):
        for column in range(0, columns, 32):
            for j in range(column, min(column + 32, columns)):
                for i in range(first, min(first + 32, rows)):
                    result[j, i] = source[i, j]
    return result
