"""Gaussian processes in space and time, exact where structure allows it.

A model is conditioned on a grid with a mask (``condition``) or on points (``condition_points``); the
posterior gives its marginal likelihood, predictions anywhere, and the joint density of further observations.
All compute in float64, whatever ``jax_enable_x64`` says, and return NumPy arrays.

``AdditiveGridGP`` is exact for any mask at a cost that does not depend on the number of observations,
``KroneckerGP`` for one mask in all frames, ``DenseGP`` and ``StaticProductGP`` anywhere with a dense matrix;
``SparseVariationalGP`` approximates. ``fitting`` finds parameters, ``starts`` where to begin.
"""

from spatial_prediction.gaussian_process._additive import AdditiveGridGP, AdditiveGridPosterior
from spatial_prediction.gaussian_process._dense import DenseGP, DensePosterior, StaticProductGP
from spatial_prediction.gaussian_process._kronecker import KroneckerGP, KroneckerPosterior
from spatial_prediction.gaussian_process._losses import NegativeLogLikelihood, NegativePredictiveDensity
from spatial_prediction.gaussian_process._variational import SparseVariationalGP, VariationalPosterior
from spatial_prediction.gaussian_process.fitting import FitResult, fit, fit_from, perturbed
from spatial_prediction.gaussian_process.kernels import SPACE_KERNELS, TIME_KERNELS, kernel_from_name
from spatial_prediction.gaussian_process.starts import Standardisation, with_sensible_start

__all__ = [
    "SPACE_KERNELS",
    "TIME_KERNELS",
    "AdditiveGridGP",
    "AdditiveGridPosterior",
    "DenseGP",
    "DensePosterior",
    "FitResult",
    "KroneckerGP",
    "KroneckerPosterior",
    "NegativeLogLikelihood",
    "NegativePredictiveDensity",
    "SparseVariationalGP",
    "Standardisation",
    "StaticProductGP",
    "VariationalPosterior",
    "fit",
    "fit_from",
    "kernel_from_name",
    "perturbed",
    "with_sensible_start",
]
