"""What a coder asks of a predictor."""

from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np

FRACTION_BITS = 20
"""Fractional bits of predictions and of the weight of the sample to the left."""


class Prediction(NamedTuple):
    """Prediction of a band of a line, as far as it is known before the band is.

    That of column c is ``values[c] + left * (decoded sample of column c - 1)``, and ``values[0]`` of the
    first; rounded to the nearest and clipped to the range of the samples by the coder.

    Attributes:
        values: (columns,) int64 with ``FRACTION_BITS``, below 2**56 in magnitude.
        left: weight with ``FRACTION_BITS``, below 2**32 in magnitude.
    """

    values: np.ndarray
    left: int = 0

    @classmethod
    def of_samples(cls, samples: np.ndarray) -> "Prediction":
        """Predict whole numbers (columns,) int64."""
        return cls(samples << FRACTION_BITS)


@runtime_checkable
class Predictor(Protocol):
    """Predicts a cube from what was decoded of it, one band of one line at a time.

    The calls alternate: ``predict``, then ``update`` with that band as the decoder has it; bands one after
    the other, then the next line. Encoder and decoder make the same calls with the same numbers, so that
    both see the same predictions, provided that these are computed in integers only.
    """

    def predict(self) -> Prediction:
        """Predict the next band of the line; what is returned holds until ``update``."""

    def update(self, samples: np.ndarray) -> None:
        """Take in the band (columns,) int64 that was predicted last, as the decoder has it."""


@runtime_checkable
class LinePredictor(Predictor, Protocol):
    """A predictor that codes whole lines by itself, for speed, with the same result as band by band.

    Both take the largest error of each band, (bands,) int64, and the range of the samples.
    """

    def map_line(self, line: np.ndarray, errors: np.ndarray, low: int, high: int, mapped: np.ndarray) -> None:
        """Map the residuals of a line (bands, columns) int64 into ``mapped``, likewise."""

    def unmap_line(
        self, mapped: np.ndarray, errors: np.ndarray, low: int, high: int, line: np.ndarray
    ) -> int:
        """Undo :meth:`map_line`; return the number of bands, or the first one that is out of its range."""
