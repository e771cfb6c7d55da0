"""The sample-adaptive coder (CCSDS 123.0-B-2, 5.4.3.2): Golomb codes of powers of two, limited in length.

The exponent follows a running mean of each band. The counter that the sum of residuals is compared with
depends on the number of the pixel only, so a band's state is its sum.
"""

from collections.abc import Sequence
from typing import no_type_check

import numpy as np
from jaxtyping import UInt32

from spatial_prediction.compression._compiled import compiled, leading_zeros
from spatial_prediction.compression.entropy_coder._bits import (
    Reader,
    Writer,
    append,
    damaged,
    refill,
    top,
    truncated,
)
from spatial_prediction.compression.entropy_coder._memory import flattened, piece, pieces_of
from spatial_prediction.compression.entropy_coder._settings import CoderSettings


def initial_sums(exponents: Sequence[int], settings: CoderSettings) -> np.ndarray:
    """First sum of each band, from k''."""
    counter, spare = 1 << settings.gamma_0, 30 - settings.D
    adjusted = [k if k <= spare else 2 * k - spare for k in exponents]
    return np.array([(((3 << (k + 6)) - 49) * counter) >> 7 for k in adjusted], np.int64)


class SampleAdaptiveEncoder:
    """Writes residuals, some rows at a time (all at once in BSQ)."""

    def __init__(self, settings: CoderSettings, exponents: Sequence[int]) -> None:
        self.writer = Writer()
        self.settings = settings
        self._sums = initial_sums(exponents, settings)
        self._pixels = 0

    def write_rows(self, residuals: UInt32[np.ndarray, "rows columns bands"]) -> None:
        """Append the codewords of the next rows."""
        settings, writer = self.settings, self.writer
        writer.reserve(residuals.size * (settings.U_max + settings.D))
        writer.position = _encode(
            *flattened(residuals),
            residuals.shape,
            self._sums,
            self._pixels,
            settings.numbers,
            writer.words,
            writer.position,
        )
        self._pixels += residuals.shape[0] * residuals.shape[1]

    def finish(self) -> Writer:
        """Give the stream."""
        return self.writer


class SampleAdaptiveDecoder:
    """Reads residuals, some rows at a time (all at once in BSQ), from the beginning of a stream."""

    def __init__(self, reader: Reader, settings: CoderSettings, exponents: Sequence[int]) -> None:
        self.reader = reader
        self.settings = settings
        self._sums = initial_sums(exponents, settings)
        self._pixels = 0

    def read_rows(self, residuals: UInt32[np.ndarray, "rows columns bands"]) -> None:
        """Fill ``residuals`` with those of the next rows.

        Raises:
            StreamError: the stream ends before, or has a codeword that no encoder writes.
        """
        settings, reader = self.settings, self.reader
        if residuals.size > reader.left:
            raise truncated()
        reader.position, largest = _decode(
            *flattened(residuals),
            residuals.shape,
            self._sums,
            self._pixels,
            settings.numbers,
            reader.words,
            reader.position,
        )
        self._pixels += residuals.shape[0] * residuals.shape[1]
        if reader.position > reader.end:
            raise truncated()
        if largest >= 1 << settings.D:
            raise damaged(f"a residual is {largest}, which has more than {settings.D} bits")


@compiled
@no_type_check
def counter_of(ordinal, gamma_star):
    """Value of a counter that was advanced from 2^gamma_0 to ``ordinal``, and halved whenever full."""
    full = 1 << gamma_star
    half = full >> 1
    return ordinal if ordinal < full else half | (ordinal & (half - 1))


@compiled
@no_type_check
def _exponent(total, counter, D):
    """Largest k <= D - 2 with counter 2^k <= total + 49/128 counter, 0 where there is none."""
    threshold = total + ((49 * counter) >> 7)
    k = max(leading_zeros(counter) - leading_zeros(threshold), 0)
    k -= np.int64((counter << k) > threshold)
    return min(max(k, 0), D - 2)


@compiled
@no_type_check
def _encode(residuals, steps, shape, sums, pixels, settings, words, position):
    interleaved, D, U_max, gamma_0, gamma_star = settings
    columns = shape[1]
    row_step, column_step, band_step = steps
    word, pending = position >> 5, position & 31
    accumulator = np.int64(words[word]) >> (32 - pending)
    for number in range(pieces_of(shape, interleaved)):
        row, first, last = piece(number, shape, interleaved)
        for column in range(columns):
            ordinal = pixels + row * columns + column
            pixel = row * row_step + column * column_step
            if ordinal == 0:
                for band in range(first, last):
                    word, pending, accumulator = append(
                        words, word, pending, accumulator, np.int64(residuals[band * band_step]), D
                    )
                continue
            counter = counter_of(ordinal - 1 + (1 << gamma_0), gamma_star)
            full = np.int64(counter == (1 << gamma_star) - 1)
            for band in range(first, last):
                residual = np.int64(residuals[pixel + band * band_step])
                total = sums[band]
                k = _exponent(total, counter, D)
                sums[band] = (total + residual + full) >> full
                zeros = residual >> k
                ending = (1 << k) | (residual & ((1 << k) - 1))
                if zeros + k < 32 and zeros < U_max:
                    word, pending, accumulator = append(
                        words, word, pending, accumulator, ending, zeros + 1 + k
                    )
                    continue
                width = k + 1
                if zeros >= U_max:
                    zeros, ending, width = U_max, residual, D
                word, pending, accumulator = append(words, word, pending, accumulator, 0, zeros)
                word, pending, accumulator = append(words, word, pending, accumulator, ending, width)
    words[word] = accumulator << (32 - pending)
    return word * 32 + pending


@compiled
@no_type_check
def _decode(residuals, steps, shape, sums, pixels, settings, words, position):
    interleaved, D, U_max, gamma_0, gamma_star = settings
    columns = shape[1]
    row_step, column_step, band_step = steps
    word, available, largest = (position >> 5) + 1, 32 - (position & 31), np.int64(0)
    window = np.int64(words[word - 1]) << (64 - available)
    for number in range(pieces_of(shape, interleaved)):
        row, first, last = piece(number, shape, interleaved)
        for column in range(columns):
            ordinal = pixels + row * columns + column
            pixel = row * row_step + column * column_step
            counter = counter_of(ordinal - 1 + (1 << gamma_0), gamma_star)
            full = np.int64(counter == (1 << gamma_star) - 1)
            for band in range(first, last):
                word, available, window = refill(words, word, available, window)
                if ordinal == 0:
                    residuals[band * band_step] = top(window, D)
                    window <<= D
                    available -= D
                    continue
                total = sums[band]
                k = _exponent(total, counter, D)
                zeros = leading_zeros(window)
                if zeros < U_max:
                    window <<= zeros + 1
                    available -= zeros + 1
                    if available < k:
                        word, available, window = refill(words, word, available, window)
                    residual = (zeros << k) | top(window, k)
                    window <<= k
                    available -= k
                else:
                    window <<= U_max
                    available -= U_max
                    word, available, window = refill(words, word, available, window)
                    residual = top(window, D)
                    window <<= D
                    available -= D
                sums[band] = (total + residual + full) >> full
                residuals[pixel + band * band_step] = residual
                largest = max(largest, residual)
    return word * 32 - available, largest
