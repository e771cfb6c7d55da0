"""Streams of bits, most significant first, kept in words of 32 bits in the processor's byte order."""

from typing import no_type_check

import numpy as np
from jaxtyping import UInt32

from spatial_prediction.compression._compiled import compiled
from spatial_prediction.errors import StreamError

WORD = 32
"""Bits of a word; the most that compiled loops write or read at once."""

_MIRRORED_BYTES = np.packbits(np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)[:, ::-1], axis=1)


class Writer:
    """Bits written so far.

    Attributes:
        words: Their words; all bits behind ``position`` are zero.
        position: Number of bits written.
    """

    def __init__(self) -> None:
        self.words: UInt32[np.ndarray, " words"] = np.zeros(64, np.uint32)
        self.position = 0

    def reserve(self, bits: int) -> None:
        """Make room for ``bits`` more. Memory never written to is not taken from the system."""
        needed = (self.position + bits) // WORD + 2
        if needed > len(self.words):
            words = np.zeros(max(needed, 2 * len(self.words)), np.uint32)
            words[: len(self.words)] = self.words
            self.words = words

    def write(self, value: int, width: int) -> None:
        """Append ``width`` bits; a negative value in two's complement."""
        self.reserve(width)
        value &= (1 << width) - 1
        while width:
            used = self.position % WORD
            count = min(width, WORD - used)
            width -= count
            part = (value >> width) & ((1 << count) - 1)
            self.words[self.position // WORD] |= np.uint32(part << (WORD - used - count))
            self.position += count

    def fill(self, size: int = 8) -> None:
        """Append zeros up to a multiple of ``size`` bits."""
        self.write(0, -self.position % size)

    def to_bytes(self) -> bytes:
        """Give what was written, the last byte filled with zeros."""
        count = -(-self.position // 8)
        return self.words[: count // 4 + 1].astype(">u4").tobytes()[:count]


class Reader:
    """A stream that is read from its beginning or, ``backwards``, from its end.

    Attributes:
        words: The stream, or its mirror image, and two words of zeros.
        position: Number of bits read.
        end: Number of bits there are.
    """

    def __init__(self, stream: bytes, *, backwards: bool = False) -> None:
        data = np.frombuffer(stream, np.uint8)
        if backwards:
            data = _MIRRORED_BYTES[data[::-1], 0]
        padded = np.zeros(len(data) // 4 * 4 + 12, np.uint8)
        padded[: len(data)] = data
        self.words: UInt32[np.ndarray, " words"] = padded.view(">u4").astype(np.uint32)
        self.position = 0
        self.end = 8 * len(data)
        self.backwards = backwards

    @property
    def left(self) -> int:
        """Number of bits that were not read."""
        return self.end - self.position

    def read(self, width: int) -> int:
        """Take the next ``width`` bits.

        Raises:
            StreamError: the stream ends before.
        """
        if width > self.left:
            raise truncated()
        value, wanted = 0, width
        while wanted:
            used = self.position % WORD
            count = min(wanted, WORD - used)
            part = int(self.words[self.position // WORD]) >> (WORD - used - count)
            value = value << count | (part & ((1 << count) - 1))
            self.position += count
            wanted -= count
        return int(f"{value:0{width}b}"[::-1], 2) if self.backwards and width else value


def truncated() -> StreamError:
    """Make the error of a stream that ends too early."""
    return StreamError("the stream is damaged: it ends before its image does; transfer or compress it again")


def damaged(what: str) -> StreamError:
    """Make the error of a stream that no encoder wrote."""
    return StreamError(f"the stream is damaged: {what}; transfer or compress it again")


def check_fill(reader: Reader, size: int) -> None:
    """Check that fewer than ``size`` bits are left, all of them zero.

    Raises:
        StreamError: there is more, or something else.
    """
    if reader.left >= size:
        raise damaged(f"{reader.left // 8} bytes are left when its image is whole")
    if reader.read(reader.left):
        raise damaged("the bits that fill its last bytes are not zero")


@compiled
@no_type_check
def append(words, word, pending, accumulator, value, width):
    """Write at most 32 bits; the low ``pending`` (< 32) bits of ``accumulator`` come before them."""
    accumulator = (accumulator << width) | value
    pending += width
    if pending >= 32:
        pending -= 32
        words[word] = accumulator >> pending
        word += 1
    return word, pending, accumulator


@compiled
@no_type_check
def refill(words, word, available, window):
    """Have at least 32 bits at the top of ``window``, of which ``available`` count; zeros behind the end."""
    if available < 32:
        if word < len(words):
            window |= np.int64(words[word]) << (32 - available)
        word += 1
        available += 32
    return word, available, window


@compiled
@no_type_check
def top(window, width):
    """Value of the ``width`` highest bits, 0 to 63."""
    return ((window >> 1) & 0x7FFFFFFFFFFFFFFF) >> (63 - width)
