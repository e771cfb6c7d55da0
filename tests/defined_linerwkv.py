"""LineRWKV as a predictor by its definition, in batches of any number of columns, with NumPy or JAX."""

import math

import numpy as np

from spatial_prediction.compression._protocol import FRACTION_BITS, Prediction
from spatial_prediction.compression.integer_linerwkv import definition

STATISTICS_LINES = 16


def normalisation(line):
    """Mean and deviation of each band over the columns of a line (columns, bands), in whole numbers."""
    values = [[int(value) for value in band] for band in line.T]
    count = len(line)
    mean = [(2 * sum(band) + count) // (2 * count) for band in values]
    squares = [count * sum(value**2 for value in band) - sum(band) ** 2 for band in values]
    deviation = [max(math.isqrt(square // (count * max(count - 1, 1))), 1) for square in squares]
    return np.array(mean), np.array(deviation)


def normalised(samples, mean, deviation):
    """Samples as the network takes them."""
    return np.clip(((samples - mean) * 2048 + deviation) // (2 * deviation), -32767, 32767).astype(np.int32)


class DefinedPredictor:
    """Predicts what ``LineRWKVPredictor`` predicts, by other means.

    ``batch`` columns are computed at a time, ``xp`` is ``numpy`` or ``jax.numpy``, ``compiled`` may be
    ``jax.jit``.
    """

    def __init__(self, network, *, columns, bands, batch, xp=np, compiled=lambda function: function):
        self._encode = compiled(lambda x: definition.encode(network, x, xp))
        self._step_lines = compiled(lambda memory, x: definition.step(network.lines, memory, x, xp))
        self._step_bands = compiled(lambda memory, x: definition.step(network.bands, memory, x, xp))
        self._decode = compiled(lambda x: definition.decode(network, x, xp))
        self._predicted = compiled(lambda x: definition.predicted(network.band_zero, x, xp))
        self._batches = [slice(first, min(first + batch, columns)) for first in range(0, columns, batch)]
        self._begin = [definition.begin(network.bands, part.stop - part.start, xp) for part in self._batches]
        self._lines = [
            [definition.begin(network.lines, part.stop - part.start, xp) for part in self._batches]
            for _ in range(bands)
        ]
        self._samples = np.zeros((columns, bands), np.int64)
        self._encoded = np.zeros((bands, network.features, columns), np.int32)
        self._expected = np.zeros_like(self._encoded)
        self._row, self._band = 0, 0
        self._values = np.zeros(columns, np.int64)

    def predict(self):
        return Prediction(self._values)

    def update(self, samples):
        band = self._band
        self._samples[:, band] = samples
        if self._row:
            self._take(band)
        else:
            self._values = samples << FRACTION_BITS
        self._band += 1
        if self._band == self._samples.shape[1]:
            self._finish_line()

    def _encode_band(self, band):
        whole = normalised(self._samples[:, band], self._mean[band], self._deviation[band])
        self._encoded[band] = self._encode(whole)
        return whole

    def _take(self, band):
        self._encode_band(band)
        if band == 0:
            self._bands = list(self._begin)
        if band + 1 == self._samples.shape[1]:
            return
        said = []
        for number, part in enumerate(self._batches):
            surprise = self._encoded[band][:, part] - self._expected[band][:, part]
            self._bands[number], spectral = self._step_bands(self._bands[number], surprise)
            said.append(self._decode(self._expected[band + 1][:, part] + np.asarray(spectral)))
        self._values = self._in_samples(said, band + 1)

    def _finish_line(self):
        if self._row == 0:
            self._measure()
            for band in range(self._samples.shape[1]):
                self._encode_band(band)
        for band, memories in enumerate(self._lines):
            for number, part in enumerate(self._batches):
                memories[number], spatial = self._step_lines(memories[number], self._encoded[band][:, part])
                self._expected[band][:, part] = spatial
        first = normalised(self._samples[:, 0], self._mean[0], self._deviation[0])
        said = [
            np.asarray(self._predicted(self._expected[0][:, part])) + 4 * first[part]
            for part in self._batches
        ]
        if self._row % STATISTICS_LINES == STATISTICS_LINES - 1:
            self._measure()
        self._row, self._band = self._row + 1, 0
        self._values = self._in_samples(said, 0)

    def _measure(self):
        self._mean, self._deviation = normalisation(self._samples)

    def _in_samples(self, said, band):
        whole = np.concatenate([np.asarray(each) for each in said]).astype(np.int64)
        return (whole * self._deviation[band] << 8) + (self._mean[band] << FRACTION_BITS)
