"""A file or other stream that holds a compressed cube, a group of rows at a time.

Layout, integers little endian:

    magic, 8 bytes; length of the header, 4; the header, JSON in UTF-8; CRC-32 of these, 4
    the compressed groups, one after another
    for each group: where it ends, 8, and its CRC-32, 4
    CRC-32 of this index, 4; number of groups, 4; magic of the end, 8

A writer only appends, so that it can be a pipe. A reader begins at the end, finds any group without reading
others, and notices a file that was not written to its end.
"""

import dataclasses
import io
import itertools
import json
import re
import struct
import zlib
from typing import Any

import numpy as np

from spatial_prediction.errors import ConfigurationError, StreamError

MAGIC = b"\x89SPC1\r\n\x1a"
"""As of PNG: a transfer as text damages it. The digit is the version of the layout."""

END = b"\x89SPCend\n"

DTYPES = ("|u1", "|i1", "<u2", ">u2", "<i2", ">i2", "<u4", ">u4", "<i4", ">i4")
"""Types of samples, as NumPy writes them."""

LARGEST_SIZE = 1 << 16
"""Columns and bands, as in the standard."""

_PREFIX = struct.Struct("<8sI")
_CRC = struct.Struct("<I")
_ENTRY = struct.Struct("<QI")
_TRAILER = struct.Struct("<II8s")
_LARGEST_HEADER = 1 << 24
_MENDING = "transfer or compress it again"


@dataclasses.dataclass(frozen=True)
class Description:
    """What a container holds.

    Attributes:
        shape: Rows, columns and bands.
        dtype: Type of samples with byte order, as NumPy writes it: ``"<u2"``.
        predictor: Name of what groups were compressed with.
        rows_per_group: Rows of every group but the last, which may have fewer.
        delta: Largest error of a sample, or one for each band.
        metadata: Anything that JSON can hold: wavelengths, georeference.
        network: SHA-256 of the network that the predictor needs (``IntegerNetwork.identity``), if any.
    """

    shape: tuple[int, int, int]
    dtype: str
    predictor: str
    rows_per_group: int
    delta: int | tuple[int, ...] = 0
    metadata: dict[str, Any] = dataclasses.field(default_factory=dict)
    network: str | None = None

    @property
    def groups(self) -> int:
        """Number of groups."""
        return -(-self.shape[0] // self.rows_per_group)

    def rows_of(self, group: int) -> slice:
        """Rows of a group."""
        first = group * self.rows_per_group
        return slice(first, min(first + self.rows_per_group, self.shape[0]))

    def check(self) -> None:
        """Check types and ranges.

        Raises:
            ConfigurationError: something is not as described above.
        """
        numbers = (*self.shape, self.rows_per_group)
        if len(self.shape) != 3 or not all(_whole(number) and number > 0 for number in numbers):
            raise ConfigurationError(
                f"shape={self.shape}, rows_per_group={self.rows_per_group}: must be from 1"
            )
        if max(self.shape[1:]) > LARGEST_SIZE:
            raise ConfigurationError(f"shape={self.shape}: columns and bands must be up to {LARGEST_SIZE}")
        if self.dtype not in DTYPES:
            raise ConfigurationError(f"dtype={self.dtype!r}: must be one of {', '.join(DTYPES)}")
        deltas = (self.delta,) if isinstance(self.delta, int) else self.delta
        if not isinstance(deltas, tuple) or len(deltas) not in (1, self.shape[2]):
            raise ConfigurationError(f"delta={self.delta}: must be one whole number, or one for each band")
        largest = (1 << min(8 * int(self.dtype[2]) - 1, 16)) - 1
        if not all(_whole(delta) and 0 <= delta <= largest for delta in deltas):
            raise ConfigurationError(f"delta={self.delta}: must be whole numbers from 0 to {largest}")
        if not isinstance(self.predictor, str) or not isinstance(self.metadata, dict):
            raise ConfigurationError("predictor and metadata: must be a name and a dictionary")
        if self.network is not None and not (
            isinstance(self.network, str) and re.fullmatch("[0-9a-f]{64}", self.network)
        ):
            raise ConfigurationError(f"network={self.network!r}: must be 64 hexadecimal digits")


class ContainerWriter:
    """Appends a container to an open binary file.

    Args:
        file: Written to from where it stands.
        description: What will be written.

    Raises:
        ConfigurationError: the description is not usable.
    """

    def __init__(self, file: io.BufferedIOBase, description: Description) -> None:
        description.check()
        self.description = description
        self._file = file
        text = _as_json(description)
        if len(text) > _LARGEST_HEADER:
            raise ConfigurationError(f"metadata: takes {len(text)} bytes, more than {_LARGEST_HEADER}")
        start = _PREFIX.pack(MAGIC, len(text)) + text
        file.write(start + _CRC.pack(zlib.crc32(start)))
        self._end = len(start) + _CRC.size
        self._index = bytearray()

    def write_group(self, stream: bytes) -> None:
        """Append the next group, compressed."""
        self._file.write(stream)
        self._end += len(stream)
        self._index += _ENTRY.pack(self._end, zlib.crc32(stream))

    def finish(self) -> None:
        """Append the index, without which nothing can be read.

        Raises:
            ConfigurationError: there are more groups or fewer than described.
        """
        count = len(self._index) // _ENTRY.size
        if count != self.description.groups:
            raise ConfigurationError(f"{count} groups were written, {self.description.groups} are described")
        self._file.write(self._index + _TRAILER.pack(zlib.crc32(self._index), count, END))


class ContainerReader:
    """Finds groups in a container.

    Args:
        file: An open binary file with nothing else in it, in which one can seek.

    Attributes:
        description: What it holds.

    Raises:
        StreamError: it is no container, is damaged, or was not written to its end.
    """

    def __init__(self, file: io.BufferedIOBase) -> None:
        self._file = file
        size = file.seek(0, 2)
        file.seek(0)
        prefix = file.read(_PREFIX.size)
        if len(prefix) < _PREFIX.size or not prefix.startswith(MAGIC):
            raise StreamError("this is no compressed cube: it begins otherwise; check which file was meant")
        length = _PREFIX.unpack(prefix)[1]
        text, crc = file.read(min(length, _LARGEST_HEADER)), file.read(_CRC.size)
        if _CRC.pack(zlib.crc32(prefix + text)) != crc:
            raise StreamError(f"the header of the compressed cube is damaged; {_MENDING}")
        self.description = _description(text)
        self._read_index(file.tell(), size)

    def _read_index(self, start: int, size: int) -> None:
        count = self.description.groups
        length = count * _ENTRY.size
        first = size - _TRAILER.size - length
        if first < start:
            raise StreamError(f"the compressed cube was not written to its end; {_MENDING}")
        self._file.seek(first)
        index = self._file.read(length)
        if self._file.read(_TRAILER.size) != _TRAILER.pack(zlib.crc32(index), count, END):
            raise StreamError(f"the compressed cube is damaged or was not written to its end; {_MENDING}")
        entries = list(_ENTRY.iter_unpack(index))
        self._ends = [start, *(end for end, _ in entries)]
        self._crcs = [crc for _, crc in entries]
        if self._ends != sorted(self._ends) or self._ends[-1] != first:
            raise StreamError(f"the index of the compressed cube is damaged; {_MENDING}")

    @property
    def sizes(self) -> list[int]:
        """Bytes of each group."""
        return [end - begin for begin, end in itertools.pairwise(self._ends)]

    def read_group(self, group: int) -> bytes:
        """Give a group, compressed.

        Raises:
            IndexError: there is no such group.
            StreamError: it is damaged.
        """
        if not 0 <= group < self.description.groups:
            raise IndexError(f"group {group}: there are groups 0 to {self.description.groups - 1}")
        begin, end = self._ends[group : group + 2]
        self._file.seek(begin)
        stream = self._file.read(end - begin)
        if zlib.crc32(stream) != self._crcs[group]:
            rows = self.description.rows_of(group)
            raise StreamError(f"rows {rows.start} to {rows.stop - 1} of the cube are damaged; {_MENDING}")
        return stream


def _as_json(description: Description) -> bytes:
    fields = dataclasses.asdict(description)
    if fields["network"] is None:
        del fields["network"]
    try:
        text = json.dumps(fields, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"metadata: must be what JSON can hold ({error})") from error
    return text.encode()


def _whole(value: object) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _description(text: bytes) -> Description:
    """Read the header; names that a later version may add are left out."""
    known = {field.name for field in dataclasses.fields(Description)}
    try:
        read = {name: value for name, value in json.loads(text).items() if name in known}
        for name in ("shape", "delta"):
            if isinstance(read.get(name), list):
                read[name] = tuple(read[name])
        description = Description(**read)
        description.check()
    except (ValueError, TypeError, AttributeError, RecursionError, ConfigurationError) as error:
        raise StreamError(
            f"the header of the compressed cube cannot be read ({error}); {_MENDING}"
        ) from error
    return description
