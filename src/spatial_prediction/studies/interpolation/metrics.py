"""How good a prediction with its variance is: errors, and whether the variance can be trusted."""

import numpy as np
from jaxtyping import Float, Int
from scipy.special import ndtr

Values = Float[np.ndarray, " pixels"]

QUANTILE_95 = 1.959963984540054
"""A normal deviate is within plus or minus this with probability 0.95."""

PIT_BINS = 100
"""Bins of the histogram of the probability integral transform."""

METRICS = ("mae", "rmse", "bias", "correlation", "mean_variance", "coverage", "nlpd")
"""What :func:`scores` measures."""

OF_VARIANCE = ("correlation", "mean_variance", "coverage", "nlpd")
"""Those that need a variance."""


def scores(truth: Values, mean: Values, variance: Values | None = None) -> dict[str, float]:
    """Measure a prediction over pixels, all pooled.

    Args:
        truth: what is predicted; must not be empty.
        mean: the prediction.
        variance: its predictive variance, noise included; None where a method gives none.

    Returns:
        ``mae``, ``rmse`` and ``bias`` (mean of prediction less truth) in the unit of the values; and, NaN
        without a variance, ``correlation`` of variance and squared error (0 where either is constant),
        ``mean_variance``, ``coverage`` of central 95 % intervals, and ``nlpd``, the negative logarithm of the
        predictive density (normal), mean over pixels.
    """
    error = mean - truth
    measured = {
        "mae": np.abs(error).mean(),
        "rmse": np.sqrt((error**2).mean()),
        "bias": error.mean(),
    } | dict.fromkeys(OF_VARIANCE, np.nan)
    if variance is not None:
        measured |= {
            "correlation": _correlation(variance, error**2),
            "mean_variance": variance.mean(),
            "coverage": (np.abs(error) <= QUANTILE_95 * np.sqrt(variance)).mean(),
            "nlpd": (np.log(2 * np.pi * variance) / 2 + error**2 / (2 * variance)).mean(),
        }
    return {name: float(value) for name, value in measured.items()}


def pit_histogram(truth: Values, mean: Values, variance: Values) -> Int[np.ndarray, " bins"]:
    """Count where truth lies in its predictive distribution, from 0 to 1 in ``PIT_BINS`` equal bins.

    A calibrated prediction gives equal counts, one too sure of itself a U, one too modest a hump.
    """
    transformed = ndtr((truth - mean) / np.sqrt(variance))
    return np.histogram(transformed, bins=PIT_BINS, range=(0.0, 1.0))[0]


def coverage_curve(
    histogram: Int[np.ndarray, " bins"],
) -> tuple[Float[np.ndarray, " levels"], Float[np.ndarray, " levels"]]:
    """Central intervals: nominal level, and the share of truths that lie inside, from a PIT histogram."""
    half = len(histogram) // 2
    inside = np.cumsum(histogram[half - 1 :: -1] + histogram[half:])
    return np.arange(1, half + 1) / half, inside / max(histogram.sum(), 1)


def _correlation(first: Values, second: Values) -> float:
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])
