"""How the samples of an ENVI raster, or of any file of plain numbers, lie one after another.

GDAL reads a file that is shorter than its header says as zeros, so lengths are compared here.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from spatial_prediction.errors import SceneError
from spatial_prediction.rasters.attributes import one_number, shown

DTYPES = {
    1: "u1",
    2: "i2",
    3: "i4",
    4: "f4",
    5: "f8",
    12: "u2",
    13: "u4",
    14: "i8",
    15: "u8",
}
"""NumPy's names of ENVI's ``data type``; complex ones (6, 9) are no reflectance."""

AXES = {"bsq": (0, 1, 2), "bil": (1, 0, 2), "bip": (1, 2, 0)}
"""In which order a file has the axes of (bands, lines, samples), the slowest first."""


class Layout(NamedTuple):
    """Shape, type and order of the samples of a file.

    Attributes:
        bands: number of bands.
        lines: number of rows.
        samples: number of columns.
        dtype: with its byte order.
        interleave: one of ``AXES``.
        skipped: bytes before the first sample.
    """

    bands: int
    lines: int
    samples: int
    dtype: np.dtype
    interleave: str
    skipped: int = 0

    @property
    def size(self) -> int:
        """Bytes of the whole file."""
        return self.skipped + self.bands * self.lines * self.samples * self.dtype.itemsize

    def check_length(self, path: Path) -> None:
        """Compare with the length of a file.

        Raises:
            SceneError: the file is shorter or longer.
        """
        held = path.stat().st_size
        if held != self.size:
            raise SceneError(
                f"{path.name} holds {held} bytes, and its header says {self.size} ({self.in_words()}): "
                f"{'truncated' if held < self.size else 'the header is of another file'}; fetch both again"
            )

    def in_words(self) -> str:
        """Say what makes up the size."""
        return (
            f"{self.skipped} and {self.bands} bands x {self.lines} lines x {self.samples} samples of "
            f"{self.dtype.name}"
        )

    def mapped(self, path: Path) -> np.ndarray:
        """Map the samples of a file of that length as (bands, lines, samples), read-only."""
        order = AXES[self.interleave]
        stored = tuple((self.bands, self.lines, self.samples)[axis] for axis in order)
        mapped = np.memmap(path, self.dtype, mode="r", offset=self.skipped, shape=stored)
        return mapped.transpose(np.argsort(order))


def layout_of(header: Mapping[str, str]) -> Layout:
    """Read the layout that a header states.

    Raises:
        SceneError: the header lacks it, or states what cannot be.
    """
    bands, lines, samples = (_count(header, name, least=1) for name in ("bands", "lines", "samples"))
    dtype = _stored_dtype(header)
    interleave = str(header.get("interleave", "")).lower()
    if interleave not in AXES:
        raise SceneError(
            f"the header's interleave = {shown(interleave)} is none of {', '.join(AXES)}; correct it"
        )
    skipped = _count(header, "header offset", least=0, default="0")
    return Layout(bands, lines, samples, dtype, interleave, skipped)


def _count(header: Mapping[str, str], name: str, *, least: int, default: str = "") -> int:
    value = one_number(name, header.get(name, default))
    if value < least or not value.is_integer():
        raise SceneError(f"the header's {name} = {value:g} is no count from {least} on; correct it")
    return int(value)


def _stored_dtype(header: Mapping[str, str]) -> np.dtype:
    kind, order = (header.get(name, "") for name in ("data type", "byte order"))
    number = one_number("data type", kind)
    if number not in DTYPES:
        raise SceneError(
            f"the header's data type = {shown(kind)} is none that holds reflectance "
            f"({', '.join(map(str, DTYPES))}); export DN as 16-bit integers (2 or 12)"
        )
    if str(order) not in ("", "0", "1"):
        raise SceneError(f"the header's byte order = {shown(order)} is neither 0 nor 1; correct it")
    return np.dtype(f"{'>' if str(order) == '1' else '<'}{DTYPES[int(number)]}")
