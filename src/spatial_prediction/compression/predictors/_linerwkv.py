"""Prediction with the integer form of LineRWKV."""

import math
from typing import no_type_check

import numpy as np

from spatial_prediction.compression._compiled import compiled
from spatial_prediction.compression._protocol import FRACTION_BITS, Prediction
from spatial_prediction.compression.integer_linerwkv.coding import (
    begin_line,
    denormalise,
    memory_for,
    take_band,
)
from spatial_prediction.compression.integer_linerwkv.network import IntegerNetwork
from spatial_prediction.compression.predictors._quantiser import map_residuals, unmap_residuals

STATISTICS_LINES = 16
"""Lines for which the samples of one line are the statistics."""


class LineRWKVPredictor:
    """The network, with statistics of lines that are known to the decoder.

    The first line is predicted band from band. Mean and deviation of each band over the columns are taken
    from the first line, then anew from every sixteenth, for the lines after it: nothing is sent beside the
    residuals.
    """

    def __init__(self, network: IntegerNetwork, *, columns: int, bands: int, start: int = 0) -> None:
        """Make a predictor of cubes.

        Args:
            network: integer form of the network.
            columns: samples of each band in a line.
            bands: bands of the cube.
            start: prediction of the very first band.
        """
        first = network.encoder_in
        padded = np.pad(first.weight, ((0, 0), (0, 0), (0, 5)))  # to eight inputs, as kernels take them
        self._network = network._replace(encoder_in=first._replace(weight=padded))
        self._memory = memory_for(network, columns, bands)
        self._samples = np.zeros((bands, columns), np.int64)
        self._mean = np.zeros(bands, np.int64)
        self._deviation = np.ones(bands, np.int64)
        self._line, self._band = 0, 0
        self._values = np.full(columns, start << FRACTION_BITS, np.int64)

    def predict(self) -> Prediction:
        """Predict the next band of the line."""
        return Prediction(self._values)

    def update(self, samples: np.ndarray) -> None:
        """Take in the band that was predicted last, as the decoder has it."""
        band, bands = self._band, len(self._samples)
        self._samples[band] = samples
        if self._line:
            self._take(band, predicting=True)
        else:
            self._values = self._samples[band] << FRACTION_BITS
        self._band += 1
        if self._band == bands:
            self._finish_line()

    def map_line(self, line: np.ndarray, errors: np.ndarray, low: int, high: int, mapped: np.ndarray) -> None:
        """Map the residuals of a line, see ``LinePredictor``."""
        self._samples[:] = line
        self._code_line(errors, low, high, mapped, encoding=True)

    def unmap_line(
        self, mapped: np.ndarray, errors: np.ndarray, low: int, high: int, line: np.ndarray
    ) -> int:
        """Undo :meth:`map_line`, see ``LinePredictor``."""
        right = self._code_line(errors, low, high, mapped, encoding=False)
        line[:] = self._samples
        return right

    def _code_line(
        self, errors: np.ndarray, low: int, high: int, mapped: np.ndarray, *, encoding: bool
    ) -> int:
        right = code_line(
            self._network, self._memory, self._samples, self._mean, self._deviation, self._values, errors,
            low, high, mapped, encoding, self._line == 0,
        )  # fmt: skip
        self._finish_line()
        return int(right)

    def _take(self, band: int, *, predicting: bool) -> None:
        take_band(
            self._network, self._memory, band, self._samples, self._mean, self._deviation, self._values,
            predicting,
        )  # fmt: skip

    def _finish_line(self) -> None:
        if self._line == 0:
            self._measure()
            for band in range(len(self._samples)):
                self._take(band, predicting=False)
        begin_line(self._network, self._memory)
        if self._line % STATISTICS_LINES == STATISTICS_LINES - 1:
            self._measure()
        self._line, self._band = self._line + 1, 0
        denormalise(self._memory.prediction, self._mean[0], self._deviation[0], self._values)

    def _measure(self) -> None:
        """Take mean and standard deviation of each band from the line just finished."""
        columns = self._samples.shape[1]
        total = self._samples.sum(1)
        self._mean = (2 * total + columns) // (2 * columns)
        square = columns * (self._samples**2).sum(1) - total**2
        variance = square // (columns * max(columns - 1, 1))
        self._deviation = np.array([max(math.isqrt(int(each)), 1) for each in variance], np.int64)


@compiled
@no_type_check
def code_line(network, memory, samples, mean, deviation, values, errors, low, high, mapped, encoding, first):
    """Code the bands of a line, one after the other.

    Args:
        network: of :func:`take_band`, as are the arguments up to ``values``.
        memory: likewise.
        samples: the line, (bands, columns) int64, which becomes what the decoder has.
        mean: likewise.
        deviation: likewise.
        values: prediction of the first band, likewise.
        errors: largest of each band, (bands,) int64.
        low: smallest value of a sample.
        high: largest value of a sample.
        mapped: residuals, (bands, columns) int64, which are given, or filled when encoding.
        encoding: which of the two.
        first: whether it is the first line, which is predicted band from band.

    Returns:
        The number of bands, or the first one whose residuals are out of their range.
    """
    decoded = np.empty(samples.shape[1], np.int64)
    for band in range(samples.shape[0]):
        if encoding:
            map_residuals(samples[band], values, 0, errors[band], low, high, mapped[band], decoded)
        elif not unmap_residuals(mapped[band], values, 0, errors[band], low, high, decoded):
            return band
        samples[band] = decoded
        if first:
            for c in range(len(decoded)):
                values[c] = decoded[c] << FRACTION_BITS
        else:
            take_band(network, memory, band, samples, mean, deviation, values, True)
    return samples.shape[0]
