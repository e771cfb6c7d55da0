"""Error limits of a period, as the predictor takes them and as the body of a stream holds them."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int64

from spatial_prediction.compression.ccsds123._prediction import ABSENT
from spatial_prediction.compression.ccsds123.parameters import Parameters, PerBand
from spatial_prediction.compression.entropy_coder._bits import Reader, Writer


class Limits(NamedTuple):
    """Error limits for all bands, or of each; None where there are none of a kind.

    Attributes:
        a: Absolute.
        r: Relative, in units of 2^-D.
    """

    a: PerBand | None
    r: PerBand | None

    def by_band(self, bands: int) -> Int64[np.ndarray, "2 bands"]:
        """Limits of both kinds; without any the absolute one is 0, for lossless."""
        limits = np.zeros((2, bands), np.int64)
        if (self.a, self.r) != (None, None):
            limits[0] = ABSENT if self.a is None else self.a
            limits[1] = 0 if self.r is None else self.r
        return limits


def stated_limits(parameters: Parameters, period: int) -> Limits:
    """Give the limits that parameters state for a period."""
    return Limits(*(_entry(parameters, value, period) for value in (parameters.a, parameters.r)))


def write_limits(writer: Writer, parameters: Parameters, limits: Limits) -> None:
    """Write the limits that hold from here on, if limits ever change."""
    if parameters.u is None:
        return
    for entry, width in zip(limits, (parameters.D_A, parameters.D_R), strict=True):
        if entry is not None and width is not None:
            for each in [entry] if isinstance(entry, int) else entry:
                writer.write(each, width)


def read_limits(reader: Reader, parameters: Parameters) -> Limits:
    """Read the limits that hold from here on; backwards, those that hold up to here.

    Raises:
        StreamError: the stream ends before.
    """
    found = [_entry(parameters, value, 0) for value in (parameters.a, parameters.r)]
    if parameters.u is not None:
        widths = (parameters.D_A, parameters.D_R)
        for kind in (1, 0) if reader.backwards else (0, 1):
            if found[kind] is not None:
                found[kind] = _read_entry(reader, found[kind], widths[kind] or 0)
    return Limits(*found)


def _read_entry(reader: Reader, like: PerBand, width: int) -> PerBand:
    if isinstance(like, int):
        return reader.read(width)
    values = [reader.read(width) for _ in like]
    return tuple(values[::-1] if reader.backwards else values)


def _entry(parameters: Parameters, value: Any, period: int) -> Any:
    return value if parameters.u is None or value is None else value[period]
