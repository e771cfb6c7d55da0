"""Differential pulse-code modulation: prediction by neighbouring samples."""

import numpy as np

from spatial_prediction.compression._protocol import Prediction
from spatial_prediction.errors import ConfigurationError

NEIGHBOURS = ("band", "line", "both")


class DifferentialPredictor:
    """Predicts a sample by neighbours: the band before, the line before, or both with their corner.

    ``both`` is ``line before + band before - band before in the line before``, exact where the spectrum
    changes from line to line by the same amount in all bands. Where a neighbour does not exist the other is
    taken.
    """

    def __init__(self, neighbours: str, *, columns: int, bands: int, start: int = 0) -> None:
        """Make a predictor of cubes.

        Args:
            neighbours: ``"band"``, ``"line"`` or ``"both"``.
            columns: samples of each band in a line.
            bands: bands of the cube.
            start: prediction of the very first band.

        Raises:
            ConfigurationError: there are no such neighbours.
        """
        if neighbours not in NEIGHBOURS:
            raise ConfigurationError(f"neighbours is {neighbours!r}; use one of {', '.join(NEIGHBOURS)}")
        self._neighbours = neighbours
        self._previous: np.ndarray | None = None  # line
        self._current = np.full((bands + 1, columns), start, np.int64)  # band b stands at b + 1
        self._band = 0

    def predict(self) -> Prediction:
        """Predict the next band of the line."""
        return Prediction.of_samples(self._samples())

    def update(self, samples: np.ndarray) -> None:
        """Take in the band that was predicted last, as the decoder has it."""
        self._current[self._band + 1] = samples
        self._band += 1
        if self._band + 1 == len(self._current):
            self._previous, self._current, self._band = self._current, np.zeros_like(self._current), 0

    def _samples(self) -> np.ndarray:
        band, before = self._band, self._current[self._band]
        if self._previous is None or (self._neighbours == "band" and band):
            return before
        above = self._previous[band + 1]
        if self._neighbours == "both" and band:
            return above + before - self._previous[band]
        return above
