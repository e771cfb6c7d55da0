"""Convolutions with border handling.

``convolve`` is the plain convolution, with any padding or none; the other methods handle incomplete windows
themselves. Each exists as a function on channels-last arrays with any batch axes, for networks' hot paths,
and as a layer with the conventions of ``equinox.nn.Conv2d`` (one example, channels first); the layer of
``convolve`` is ``PaddedConv2d``. One method per file.
"""

from spatial_prediction.convolution._conversion import (
    ChangedLayer,
    PaddingReport,
    RefusedLayer,
    convert_padding,
)
from spatial_prediction.convolution._convolve import convolve
from spatial_prediction.convolution._differential import DifferentialConv2d, differential_convolution
from spatial_prediction.convolution._explicit import (
    ExplicitBoundaryConv2d,
    by_region,
    explicit_boundary_convolution,
)
from spatial_prediction.convolution._layer import AbstractConv2d
from spatial_prediction.convolution._padded import PaddedConv2d
from spatial_prediction.convolution._partial import PartialConv2d, partial_convolution

__all__ = [
    "AbstractConv2d",
    "ChangedLayer",
    "DifferentialConv2d",
    "ExplicitBoundaryConv2d",
    "PaddedConv2d",
    "PaddingReport",
    "PartialConv2d",
    "RefusedLayer",
    "by_region",
    "convert_padding",
    "convolve",
    "differential_convolution",
    "explicit_boundary_convolution",
    "partial_convolution",
]
