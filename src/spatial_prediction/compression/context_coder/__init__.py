"""An adaptive arithmetic coder for mapped residuals, whose statistics depend on the neighbourhood.

Golomb codes spend whole bits and know a mean for each band. Here each residual is cut into binary decisions,
each coded with the probability that it had lately where residuals around it were as large, absolutely and
against the mean of the band: those to the left and above, and those of the two bands before, as large as they
are for their bands.
"""

import numpy as np
from jaxtyping import Integer, UInt16

from spatial_prediction.compression.context_coder._arithmetic import (
    POSITION,
    begun,
    room,
    shift_in,
    shift_out,
)
from spatial_prediction.compression.context_coder._neighbourhood import LARGEST, Statistics
from spatial_prediction.compression.context_coder._rows import MOST_BYTES_EACH, decode_row, encode_row
from spatial_prediction.errors import ConfigurationError, StreamError

__all__ = ["decode_residuals", "encode_residuals"]

_MOST_RESIDUALS_EACH = 6000  # in a byte, where each is one decision of the highest probability


def encode_residuals(residuals: Integer[np.ndarray, "rows columns bands"]) -> bytes:
    """Code mapped residuals of 0 to 65535; the stream holds neither shape nor checksum.

    Raises:
        ConfigurationError: a residual is out of this range.
    """
    if residuals.size and not (residuals.min() >= 0 and residuals.max() <= LARGEST):
        raise ConfigurationError(
            f"residuals: from {residuals.min()} to {residuals.max()}; give mapped residuals, 0 to {LARGEST}"
        )
    rows, columns, bands = residuals.shape
    statistics = Statistics(columns, bands)
    coder = begun(1)
    parts = []
    for row in range(rows):
        out = room(MOST_BYTES_EACH * columns * bands, coder)
        encode_row(_lines(residuals[row]), *statistics.arrays, coder, out)
        parts.append(out[: coder[POSITION]].tobytes())
    out = room(5, coder)
    for _ in range(5):
        shift_out(coder, out)
    parts.append(out[: coder[POSITION]].tobytes())
    return b"".join(parts)[1:]  # the first byte is always zero


def decode_residuals(stream: bytes, shape: tuple[int, int, int]) -> UInt16[np.ndarray, "rows columns bands"]:
    """Undo :func:`encode_residuals`.

    Args:
        stream: what it returned.
        shape: rows, columns and bands.

    Raises:
        StreamError: the stream ends too early or is not one of this coder.
    """
    rows, columns, bands = shape
    if rows * columns * bands > _MOST_RESIDUALS_EACH * (len(stream) + 8):  # before memory is taken for them
        raise StreamError(
            f"stream: {len(stream)} bytes cannot hold {rows} x {columns} x {bands} residuals; "
            "fetch it again, or give the shape it was made with"
        )
    statistics = Statistics(columns, bands)
    source = np.frombuffer(stream, np.uint8)
    coder = begun(0)
    for _ in range(4):
        shift_in(coder, source)
    residuals = np.empty(shape, np.uint16)
    line = np.empty((bands, columns), np.int64)
    for row in range(rows):
        valid = decode_row(line, *statistics.arrays, coder, source)
        if not valid or coder[POSITION] > len(source):
            raise StreamError(
                f"stream: {len(source)} bytes, damaged or too short for {rows} x {columns} x {bands} "
                f"residuals (row {row}); fetch it again, or give the shape it was made with"
            )
        residuals[row] = line.T
    return residuals


def _lines(row: np.ndarray) -> np.ndarray:
    return row.T.astype(np.int64, order="C")
