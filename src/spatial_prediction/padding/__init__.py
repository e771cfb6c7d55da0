"""Paddings: predict the frame of pixels around a feature map.

Each is a frozen Equinox module for one example of shape (channels, height, width); batch it with
``jax.vmap``, or call ``extend`` on channels-last arrays with any batch axes. One family per file; what lost
against these is in ``contrib``.
"""

from spatial_prediction.names import PADDING_NAMES, TRAINED_NAMES
from spatial_prediction.padding._across_channels import AcrossChannelsPrediction
from spatial_prediction.padding._autocorrelation import AutocorrelationPrediction
from spatial_prediction.padding._base import AbstractPadding, PadWidth
from spatial_prediction.padding._copying import CircularPadding, ReflectPadding, ReplicatePadding, ZeroPadding
from spatial_prediction.padding._covariance import CovariancePrediction
from spatial_prediction.padding._extrapolation import LagrangeExtrapolation, extrapolation_weights
from spatial_prediction.padding._image import pad
from spatial_prediction.padding._memory import LearnedPrediction, RunningPrediction
from spatial_prediction.padding._names import padding_from_name, trained_padding_from_name
from spatial_prediction.padding._random import RandomPadding
from spatial_prediction.padding._sides import Sides, add_strips
from spatial_prediction.padding.linear_prediction.frame import AbstractLinearPrediction

__all__ = [
    "PADDING_NAMES",
    "TRAINED_NAMES",
    "AbstractLinearPrediction",
    "AbstractPadding",
    "AcrossChannelsPrediction",
    "AutocorrelationPrediction",
    "CircularPadding",
    "CovariancePrediction",
    "LagrangeExtrapolation",
    "LearnedPrediction",
    "PadWidth",
    "RandomPadding",
    "ReflectPadding",
    "ReplicatePadding",
    "RunningPrediction",
    "Sides",
    "ZeroPadding",
    "add_strips",
    "extrapolation_weights",
    "pad",
    "padding_from_name",
    "trained_padding_from_name",
]
