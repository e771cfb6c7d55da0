"""What paddings can do at best: their expected error on noise that a Gaussian has blurred.

White noise in the plane, of mean 0, blurred by a Gaussian with a standard deviation of ``blur`` pixels and
sampled at the pixels, has the autocorrelation ``exp(-(dy^2 + dx^2) / (4 blur^2))``. With it the expected
squared error of a padding follows without any image.
"""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from spatial_prediction import names
from spatial_prediction.errors import ConfigurationError

BLURS = 200
"""Points of a curve."""


def expected_nmse(padding: str, blur: Float[np.ndarray, "*blurs"]) -> Float[np.ndarray, "*blurs"]:
    """Expected squared error of the first pixel beyond an edge, over the variance of the noise.

    For linear prediction that is the error of the best coefficients, which any fit approaches as the map
    grows. The autocorrelation is a product of one along and one across the padding direction, so that pixels
    beside the column of the predicted one add nothing: the width of the neighbourhood makes no difference.

    Args:
        padding: ``zero``, ``repl``, ``refl``, ``extrN``, or any name that begins with ``lpHxW``.
        blur: standard deviations of the Gaussian, pixels, above 0.

    Returns:
        NMSE in the shape of ``blur``, float64; 1 is the error of padding with the mean.

    Raises:
        ConfigurationError: ``blur`` is not positive, or nothing is known of the padding.

    Source: arXiv 2502.12300, appendix E, whose sigma is that of the autocorrelation, sqrt(2) times the
    blur's; for linear prediction the determinant of the Gaussian's Toeplitz matrix in closed form.
    """
    if not (blur > 0).all():
        raise ConfigurationError(f"blur: {blur.min()} is not above 0; give standard deviations in pixels")
    try:
        name = names.parse_padding_name(padding)
    except ValueError as error:
        raise ConfigurationError(f"padding: {error}") from None
    match name:
        case names.PlainPadding("zero"):
            return np.ones_like(blur)
        case names.PlainPadding("repl"):
            return _difference_variance(1, blur)
        case names.PlainPadding("refl"):
            return 2 - 2 * _autocorrelation(2, blur)
        case names.Extrapolation(order):
            return _difference_variance(order, blur)
        case names.LinearPrediction(length):
            # ratio of two determinants of matrices q^((i - j)^2), q the autocorrelation at one pixel
            return np.prod([-np.expm1(-lag / (2 * blur**2)) for lag in range(1, length + 1)], axis=0)
    raise ConfigurationError(
        f"padding: no expected error is known of {padding!r}; use zero, repl, refl, extrN or lpHxW"
    )


def blur_curves(paddings: Sequence[str], largest_blur: float) -> pd.DataFrame:
    """Expected errors of paddings for ``BLURS`` blurs, spaced evenly up to the largest.

    Returns:
        Columns padding, blur (standard deviation of the Gaussian, pixels), nmse.

    Raises:
        ConfigurationError: as :func:`expected_nmse`.
    """
    blurs = largest_blur * np.arange(1, BLURS + 1) / BLURS
    curves = [
        pd.DataFrame({"padding": padding, "blur": blurs, "nmse": expected_nmse(padding, blurs)})
        for padding in paddings
    ]
    return pd.concat(curves, ignore_index=True)


def _difference_variance(order: int, blur: np.ndarray) -> np.ndarray:
    """Variance of a finite difference, which is the error of extrapolation from ``order`` pixels."""
    lags = range(-order, order + 1)
    weights = [(-1) ** lag * math.comb(2 * order, order + lag) for lag in lags]
    terms = [weight * _autocorrelation(lag, blur) for weight, lag in zip(weights, lags, strict=True)]
    return np.sum(terms, axis=0)


def _autocorrelation(lag: int, blur: np.ndarray) -> np.ndarray:
    return np.exp(-((lag / (2 * blur)) ** 2))
