"""Prediction by least squares across bands, lines and columns, refitted on every line that was decoded."""

from collections.abc import Sequence
from typing import no_type_check

import numpy as np

from spatial_prediction.compression._compiled import compiled
from spatial_prediction.compression._protocol import FRACTION_BITS, Prediction, Predictor
from spatial_prediction.compression.predictors._normal_equations import WEIGHT_BITS, gather, solve
from spatial_prediction.errors import ConfigurationError

NEIGHBOURS = 11
"""Features that are not bands before of the same pixel."""
_LARGEST_FEATURE = 2**17


class LeastSquaresPredictor:
    """Predicts a sample linearly from earlier bands of its pixel and from samples beside and above it.

    Features are the bands before in the same pixel; to the left the same band and the one before; in the
    line above the same band and the one before, at the same column and both beside it, and the bands two
    before, one and two after; and what other predictors say, if some are given, so that the weights mix
    them. All are differences from the mean of their band over the line above. Each band has weights of its
    own, which correct the prediction ``above + band before - its above``: the least squares over all lines
    before, where older ones count less. Both sides fit alike, so nothing is sent.
    """

    def __init__(
        self,
        *,
        columns: int,
        bands: int,
        spectral_order: int = 32,
        forgetting: int = 7,
        experts: Sequence[Predictor] = (),
        start: int = 0,
    ) -> None:
        """Make a predictor of cubes.

        Args:
            columns: samples of each band in a line.
            bands: bands of the cube.
            spectral_order: bands before that are used.
            forgetting: each line the weight of those before it falls by ``2**-forgetting``.
            experts: fresh predictors of the same cube, which do without the sample to the left.
            start: prediction of the very first band.

        Raises:
            ConfigurationError: an argument is out of its range.
        """
        if spectral_order < 0 or not 0 <= forgetting < 32:
            raise ConfigurationError(
                f"spectral_order is {spectral_order} and forgetting {forgetting}; give 0 or more, and 0 to 31"
            )
        self._order, self._forgetting = min(spectral_order, bands - 1), forgetting
        self._experts = tuple(experts)
        unknowns = self._order + NEIGHBOURS + len(self._experts)
        self._current = np.zeros((bands, columns), np.int32)
        self._previous: np.ndarray | None = None
        self._mean = np.zeros(bands, np.int64)
        self._features = np.zeros((bands, unknowns, columns), np.int32)
        self._base = np.zeros((bands, columns), np.int32)
        self._normal = np.zeros((bands, unknowns, unknowns), np.int64)
        self._right = np.zeros((bands, unknowns), np.int64)
        self._weights = np.zeros((bands, unknowns), np.int64)
        self._start = start
        self._band = 0

    def predict(self) -> Prediction:
        """Predict the next band of the line."""
        band, opinions = self._band, [self._opinion(expert) for expert in self._experts]
        if self._previous is None:
            before = self._current[band - 1] if band else np.full_like(self._current[0], self._start)
            return Prediction.of_samples(before.astype(np.int64))
        features, values = self._features[band], np.empty(self._current.shape[1], np.int64)
        for feature, opinion in zip(features[self._order + NEIGHBOURS :], opinions, strict=True):
            feature[:] = np.clip(opinion - self._mean[band], -_LARGEST_FEATURE, _LARGEST_FEATURE)
        left = regress(
            self._current, self._previous, band, self._order, features, self._base[band],
            self._weights[band], self._mean[band], values,
        )  # fmt: skip
        return Prediction(values, left)

    def update(self, samples: np.ndarray) -> None:
        """Take in the band that was predicted last, as the decoder has it."""
        own = self._current[self._band]
        own[:] = samples - self._mean[self._band]
        self._features[self._band, self._order, 1:] = own[:-1]
        for expert in self._experts:
            expert.update(samples)
        self._band += 1
        if self._band == len(self._mean):
            self._finish_line()

    def _opinion(self, expert: Predictor) -> np.ndarray:
        values, left = expert.predict()
        if left:
            raise ConfigurationError(
                f"experts: {type(expert).__name__} predicts from the sample to the left; give others"
            )
        return (values + (1 << (FRACTION_BITS - 1))) >> FRACTION_BITS

    def _finish_line(self) -> None:
        if self._previous is not None:
            fit(
                self._features, self._current, self._base, self._forgetting,
                self._normal, self._right, self._weights,
            )  # fmt: skip
        columns = self._current.shape[1]
        change = (2 * self._current.sum(1, dtype=np.int64) + columns) // (2 * columns)
        self._mean += change
        self._previous = self._current - change[:, None].astype(np.int32)
        self._band = 0


@compiled
@no_type_check
def regress(current, previous, band, order, features, base, weights, mean, values):
    """Fill the features of a band from samples less their means, and predict it.

    The experts' features are there, and that of the sample to the left is known of the first column only.

    Returns:
        The weight of the sample to the left.
    """
    bands, columns = current.shape
    above, corner = previous[band], max(band - 1, 0)
    for i in range(order):
        if i < band:
            features[i] = current[band - 1 - i]
    for c in range(columns):
        west, east = max(c - 1, 0), min(c + 1, columns - 1)
        features[order + 1, c] = current[corner, west]
        features[order + 2, c] = above[c]
        features[order + 3, c] = above[west]
        features[order + 4, c] = above[east]
        features[order + 5, c] = previous[corner, c]
        features[order + 6, c] = previous[corner, west]
        features[order + 7, c] = previous[corner, east]
        features[order + 8, c] = previous[max(band - 2, 0), c]
        features[order + 9, c] = previous[min(band + 1, bands - 1), c]
        features[order + 10, c] = previous[min(band + 2, bands - 1), c]
        base[c] = above[c]
        if band:
            base[c] += current[corner, c] - previous[corner, c]
        else:
            features[order + 1, c] = 0  # band zero itself, yet to come
    left = weights[order]
    features[order, 0] = above[0]
    for c in range(columns):
        values[c] = ((base[c] + mean) << WEIGHT_BITS) - left * mean
    values[0] += left * (features[order, 0] + mean)
    for i in range(features.shape[0]):
        if i != order:
            weight = weights[i]
            for c in range(columns):
                values[c] += weight * features[i, c]
    return left


@compiled
@no_type_check
def fit(features, current, base, forgetting, normal, right, weights):
    """Gather the examples of a line and solve for the weights of every band."""
    targets = np.empty(current.shape[1], np.int32)
    for band in range(current.shape[0]):
        for c in range(current.shape[1]):
            targets[c] = current[band, c] - base[band, c]
        gather(features[band], targets, forgetting, normal[band], right[band])
        solve(normal[band], right[band], weights[band])
