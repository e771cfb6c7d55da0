"""Prediction with the integer form of LineRWKV."""

import math

import numpy as np

from spatial_prediction.compression._protocol import FRACTION_BITS, Prediction
from spatial_prediction.compression.integer_linerwkv.coding import (
    denormalise,
    finish_line,
    memory_for,
    take_band,
)
from spatial_prediction.compression.integer_linerwkv.network import IntegerNetwork

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
        finish_line(self._network, self._memory)
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
