"""Covariance functions of points: families, sums and products, and kernels by name.

Positive parameters are the softplus of unconstrained "raw" ones, in GPyTorch's parametrisation.
"""

from spatial_prediction.gaussian_process.kernels._base import (
    AbstractKernel,
    Disabled,
    OnAxes,
    Product,
    Scaled,
    Sum,
    positive,
    unconstrained,
)
from spatial_prediction.gaussian_process.kernels._names import (
    SPACE_KERNELS,
    TIME_KERNELS,
    kernel_from_name,
    raw_parameters,
    with_raw_parameters,
)
from spatial_prediction.gaussian_process.kernels._oscillating import Periodic, SpectralMixture
from spatial_prediction.gaussian_process.kernels._sphere import OnSphere
from spatial_prediction.gaussian_process.kernels._stationary import RBF, Matern, SoftDisabled

__all__ = [
    "RBF",
    "SPACE_KERNELS",
    "TIME_KERNELS",
    "AbstractKernel",
    "Disabled",
    "Matern",
    "OnAxes",
    "OnSphere",
    "Periodic",
    "Product",
    "Scaled",
    "SoftDisabled",
    "SpectralMixture",
    "Sum",
    "kernel_from_name",
    "positive",
    "raw_parameters",
    "unconstrained",
    "with_raw_parameters",
]
