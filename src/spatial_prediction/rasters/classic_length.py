"""How long a netCDF file of the classic format must be, by its own header.

The netCDF library reads zeros beyond the end of a truncated file of this format. The header says where the
samples of each variable begin, and so, by itself, where the last ones end. Formats: CDF-1 (classic), CDF-2
(64-bit offsets) and CDF-5 (64-bit data).
"""

import math
from pathlib import Path
from typing import BinaryIO, NamedTuple

_STREAMING = {4: 2**32 - 1, 8: 2**64 - 1}
"""Number of records where the writer did not know it, by the width of counts."""

_BYTES_OF_TYPE = {1: 1, 2: 1, 3: 2, 4: 4, 5: 4, 6: 8, 7: 1, 8: 2, 9: 4, 10: 8, 11: 8}


class _Variable(NamedTuple):
    begin: int
    record_bytes: int
    of_records: bool


def needed_bytes(path: str | Path) -> int:
    """Give the position after the last sample of a file of the classic format.

    Padding after the last sample is not counted, as not every writer writes it.

    Args:
        path: A file that the netCDF library has opened as one of the classic format.

    Raises:
        EOFError: the header itself is truncated.
    """
    with open(path, "rb") as file:
        header = _Header(file)
        variables = header.variables()
    fixed = [each.begin + each.record_bytes for each in variables if not each.of_records]
    records = [each for each in variables if each.of_records]
    if header.records in (0, None) or not records:
        return max(fixed, default=0)
    # Records of several variables lie interleaved, each padded; those of a single variable follow without
    # gaps.
    sizes = [each.record_bytes for each in records]
    stride = sizes[0] if len(sizes) == 1 else sum(_padded(size) for size in sizes)
    last = [each.begin + (header.records - 1) * stride + each.record_bytes for each in records]
    return max(fixed + last)


class _Header:
    """The header, read in its order: magic, records, dimensions, attributes, variables."""

    def __init__(self, file: BinaryIO):
        self.file = file
        version = self._read(4)[3]
        self.count_bytes = 8 if version == 5 else 4
        self.offset_bytes = 4 if version == 1 else 8
        records = self._count()
        self.records = None if records == _STREAMING[self.count_bytes] else records
        self.lengths = [self._dimension() for _ in range(self._list_length())]
        self._skip_attributes()

    def variables(self) -> list[_Variable]:
        return [self._variable() for _ in range(self._list_length())]

    def _read(self, size: int) -> bytes:
        content = self.file.read(size)
        if len(content) < size:
            raise EOFError("the header is truncated")
        return content

    def _number(self, size: int) -> int:
        return int.from_bytes(self._read(size), "big")

    def _count(self) -> int:
        return self._number(self.count_bytes)

    def _skip(self, size: int) -> None:
        self.file.seek(_padded(size), 1)

    def _list_length(self) -> int:
        self._number(4)  # a tag
        return self._count()

    def _dimension(self) -> int:
        self._skip(self._count())
        return self._count()

    def _skip_attributes(self) -> None:
        for _ in range(self._list_length()):
            self._skip(self._count())
            kind = self._number(4)
            self._skip(self._count() * _BYTES_OF_TYPE[kind])

    def _variable(self) -> _Variable:
        self._skip(self._count())
        shape = [self.lengths[self._count()] for _ in range(self._count())]
        self._skip_attributes()
        kind = self._number(4)
        self._count()  # the size in bytes, which overflows for large variables
        begin = self._number(self.offset_bytes)
        of_records = shape[:1] == [0]  # the dimension of records has the length 0 here
        return _Variable(begin, math.prod(shape[of_records:]) * _BYTES_OF_TYPE[kind], of_records)


def _padded(size: int) -> int:
    """Give the bytes that ``size`` bytes take in the format, where everything fills multiples of 4."""
    return -(-size // 4) * 4
