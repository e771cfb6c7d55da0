"""What is known around a residual, by which its decisions are told apart."""

from typing import no_type_check

import numpy as np

from spatial_prediction.compression._compiled import compiled, leading_zeros
from spatial_prediction.compression.context_coder._arithmetic import untrained

LARGEST = 2**16 - 1
UNARY = 24
"""Decisions before a residual stands as it is."""
_NODES = UNARY + 3  # and those on the two highest bits of what is left
_ENERGIES, _RATIOS = 72, 6


class Statistics:
    """Probabilities of the decisions, the row before, and means of each band."""

    def __init__(self, columns: int, bands: int) -> None:
        models = untrained((_ENERGIES, _RATIOS, _NODES))
        above = np.full((bands, columns), -1, np.int64)
        means = np.full(bands, -1, np.int64)
        self.arrays = models, above, means


@compiled
@no_type_check
def first_mean(means, band):
    """64 times the mean of a band so far; in the first row that of the band before."""
    if means[band] >= 0:
        return means[band]
    return means[band - 1] if band else 64 * 256


@compiled
@no_type_check
def scale_of(mean, means, band):
    """Return 1024 times the factor by which a band's residuals become as large as those of a mean."""
    return (mean << 10) // max(means[band], 1) if band >= 0 else 0


@compiled
@no_type_check
def context(line, above, band, c, mean, scales):
    """Classify what is around a residual.

    Returns:
        The class of 24 times the mean of all, by its logarithm in steps of a quarter of an octave; the class
        of the neighbours against what is usual; and how many low bits are not coded one by one.
    """
    usual = mean >> 6
    left = line[band, c - 1] if c else usual
    up, beside = usual, 2 * usual
    if above[band, c] >= 0:
        up = above[band, c]
        beside = above[band, max(c - 1, 0)] + above[band, min(c + 1, line.shape[1] - 1)]
    first = min((line[band - 1, c] * scales[0]) >> 10, LARGEST) if band else usual
    second = min((line[band - 2, c] * scales[1]) >> 10, LARGEST) if band > 1 else first
    near = 2 * (left + up) + beside + 3 * (first + second)
    energy = near + ((12 * mean) >> 6) + 8
    height = 63 - leading_zeros(energy)
    ratio = 0
    for threshold in (10, 15, 21, 28, 40):  # twentieths of the usual
        ratio += 1280 * near >= 12 * threshold * mean
    return 4 * (height - 3) + ((energy >> (height - 2)) & 3), ratio, max(height - 5, 0)
