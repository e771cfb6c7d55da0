"""Prediction with the integer form of LineRWKV."""

import math

import numpy as np

from spatial_prediction.compression.linerwkv._coding import (
    begin_line,
    encode_row,
    memory_for,
    next_band,
    normalise_row,
)
from spatial_prediction.compression.linerwkv._integer import PREDICTION_BITS, IntegerNetwork
from spatial_prediction.compression.predictors._protocol import FRACTION_BITS, Prediction

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
        self._normalised = np.zeros(len(self._memory.row) - 2, np.int32)
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
            self._encode(band)
            if band + 1 < bands:
                next_band(self._network, self._memory, band, self._normalised)
                self._denormalise(band + 1)
        else:
            self._values = self._samples[band] << FRACTION_BITS
        self._band += 1
        if self._band == bands:
            self._finish_line()

    def _finish_line(self) -> None:
        if self._line == 0:
            self._measure()
            for band in range(len(self._samples)):
                self._encode(band)
        begin_line(self._network, self._memory, self._normalised)
        if self._line % STATISTICS_LINES == STATISTICS_LINES - 1:
            self._measure()
        self._line, self._band = self._line + 1, 0
        self._denormalise(0)

    def _encode(self, band: int) -> None:
        memory = self._memory
        normalise_row(self._samples[band], self._mean[band], self._deviation[band], memory.row)
        if band == 0:
            memory.band_zero[:] = memory.row
        encode_row(self._network, memory, self._samples.shape[1], band)

    def _denormalise(self, band: int) -> None:
        normalised = self._normalised[: self._samples.shape[1]].astype(np.int64)
        fraction = normalised * self._deviation[band] << (FRACTION_BITS - PREDICTION_BITS)
        self._values = fraction + (self._mean[band] << FRACTION_BITS)

    def _measure(self) -> None:
        """Take mean and standard deviation of each band from the line just finished."""
        columns = self._samples.shape[1]
        total = self._samples.sum(1)
        self._mean = (2 * total + columns) // (2 * columns)
        square = columns * (self._samples**2).sum(1) - total**2
        variance = square // (columns * max(columns - 1, 1))
        self._deviation = np.maximum([math.isqrt(int(each)) for each in variance], 1)
