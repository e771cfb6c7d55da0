"""Predictors behind one protocol: lines from the first to the last, in each the bands one after the other.

``to_residuals`` and ``from_residuals`` turn cubes into mapped residuals and back with any of them.
"""

from spatial_prediction.compression._protocol import FRACTION_BITS, Prediction, Predictor
from spatial_prediction.compression.predictors._differential import NEIGHBOURS, DifferentialPredictor
from spatial_prediction.compression.predictors._least_squares import LeastSquaresPredictor
from spatial_prediction.compression.predictors._line_coding import from_residuals, to_residuals
from spatial_prediction.compression.predictors._linerwkv import LineRWKVPredictor

__all__ = [
    "FRACTION_BITS",
    "NEIGHBOURS",
    "DifferentialPredictor",
    "LeastSquaresPredictor",
    "LineRWKVPredictor",
    "Prediction",
    "Predictor",
    "from_residuals",
    "to_residuals",
]
