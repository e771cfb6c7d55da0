"""The hybrid coder (CCSDS 123.0-B-2, 5.4.3.3): where little is left, one word stands for several samples.

A stream is read from its end: it ends with the statistics of each band, from which the decoder goes back.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt32

from spatial_prediction.compression.entropy_coder._bits import (
    Reader,
    Writer,
    damaged,
    truncated,
)
from spatial_prediction.compression.entropy_coder._hybrid_loops import decode, encode
from spatial_prediction.compression.entropy_coder._low_entropy import MOST_SYMBOLS, codes
from spatial_prediction.compression.entropy_coder._memory import flattened
from spatial_prediction.compression.entropy_coder._settings import CoderSettings


class HybridEncoder:
    """Writes residuals, some rows at a time (all at once in BSQ)."""

    def __init__(self, settings: CoderSettings, bands: int, first_sums: int | Sequence[int] | None) -> None:
        self.writer = Writer()
        self.settings = settings
        first = 4 << settings.gamma_0 if first_sums is None else first_sums
        self._sums = np.array(np.broadcast_to(np.array(first, np.int64), (bands,)))
        self._pixels = 0
        self._prefixes = codes().roots.copy()

    def write_rows(self, residuals: UInt32[np.ndarray, "rows columns bands"]) -> None:
        """Append the codewords of the next rows."""
        settings, writer = self.settings, self.writer
        # A sample brings at most a bit of its sum, one word of the codes and one codeword.
        writer.reserve(residuals.size * (settings.U_max + settings.D + 32))
        writer.position = encode(
            *flattened(residuals),
            residuals.shape,
            self._sums,
            self._pixels,
            settings.numbers,
            codes(),
            self._prefixes,
            writer.words,
            writer.position,
        )
        self._pixels += residuals.shape[0] * residuals.shape[1]

    def finish(self) -> Writer:
        """Give the stream, ended by what words of symbols lack and the last statistics."""
        tables, settings = codes(), self.settings
        for node in self._prefixes:
            self.writer.write(int(tables.word[node]), int(tables.width[node]))
        for total in self._sums:
            self.writer.write(int(total), 2 + settings.D + settings.gamma_star)
        self.writer.write(1, 1)
        return self.writer


class HybridDecoder:
    """Reads residuals, some rows at a time (all at once in BSQ), from the last to the first.

    Args:
        reader: Of the body, backwards.
        settings: Those it was written with.
        bands: Number of bands.
        pixels: Number of pixels.
        word: Bits of which the stream has whole multiples.

    Raises:
        StreamError: its end is not one.
    """

    def __init__(self, reader: Reader, settings: CoderSettings, bands: int, pixels: int, word: int) -> None:
        self.reader = reader
        self.settings = settings
        self._pixels = pixels
        width = 2 + settings.D + settings.gamma_star
        if bands * (width + settings.D) + _fewest_bits(bands, pixels, settings) > reader.left:
            raise truncated()
        filled = 0
        while not reader.read(1):
            filled += 1
            if filled >= word:
                raise damaged(f"more than {word} bits fill its last word")
        self._sums = np.array([reader.read(width) for _ in range(bands)][::-1], np.int64)
        tables = codes()
        self._prefixes = np.zeros(16, np.int64)
        for code in reversed(range(16)):
            place = int(tables.read_end[code])
            while place > 0:
                place = int(tables.branches[place, reader.read(1)])
            if place == 0:
                raise damaged("its words of several samples have no end")
            self._prefixes[code] = -1 - place

    def read_rows(self, residuals: UInt32[np.ndarray, "rows columns bands"]) -> None:
        """Fill ``residuals`` with those of the rows before.

        Raises:
            StreamError: the stream begins later, or has something that no encoder writes.
        """
        settings, reader = self.settings, self.reader
        self._pixels -= residuals.shape[0] * residuals.shape[1]
        reader.position, right = decode(
            *flattened(residuals),
            residuals.shape,
            self._sums,
            self._pixels,
            settings.numbers,
            codes(),
            self._prefixes,
            reader.words,
            reader.position,
            reader.end,
        )
        if reader.position > reader.end:
            raise truncated()
        if not right:
            raise damaged("it has codewords that no encoder writes")

    def finish(self) -> None:
        """Check that the stream is read up to its beginning, and that it begins as one does.

        Raises:
            StreamError: it does not.
        """
        if self.reader.left:
            raise damaged(f"{self.reader.left} bits stand before its first sample")
        if (self._prefixes != codes().roots).any():
            raise damaged("it begins within a word of several samples")
        if int(np.max(self._sums)) >> (self.settings.D + self.settings.gamma_0):
            raise damaged("a band's first sum is larger than any can be")


def _fewest_bits(bands: int, pixels: int, settings: CoderSettings) -> int:
    """Bits that any image takes beside its first pixel: halved sums, and complete words of the codes."""
    first, full = 1 << settings.gamma_0, 1 << settings.gamma_star
    halvings = max(0, (pixels - 2 - (full - 1 - first)) // (full >> 1) + 1)
    waiting = 16 * (MOST_SYMBOLS - 1)
    return bands * halvings + max(0, bands * (pixels - 1) - waiting) // MOST_SYMBOLS
