"""Convolutions that know their border: each treats incomplete windows itself instead of padding its input.

Each comes as a layer in the conventions of ``equinox.nn.Conv2d`` (one example, channels first) and as a
function on channels-last arrays with any batch axes, for networks' hot paths. One method a file.
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
from spatial_prediction.convolution._framed import framed_convolution
from spatial_prediction.convolution._padded import PaddedConv2d
from spatial_prediction.convolution._padded_convolution import padded_convolution
from spatial_prediction.convolution._partial import PartialConv2d, partial_convolution

__all__ = [
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
    "framed_convolution",
    "padded_convolution",
    "partial_convolution",
]
