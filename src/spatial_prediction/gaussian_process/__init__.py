"""Gaussian processes in space and time, exact where structure allows it.

A model is conditioned on a grid with a mask (``condition``); the posterior gives its marginal likelihood,
predictions anywhere, and the joint density of further observations. All compute in float64, whatever
``jax_enable_x64`` says, and return NumPy arrays.
"""

from spatial_prediction.gaussian_process._additive import AdditiveGridGP, AdditiveGridPosterior
from spatial_prediction.gaussian_process.kernels import SPACE_KERNELS, TIME_KERNELS, kernel_from_name

__all__ = ["SPACE_KERNELS", "TIME_KERNELS", "AdditiveGridGP", "AdditiveGridPosterior", "kernel_from_name"]
