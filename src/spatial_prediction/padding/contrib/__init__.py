"""Paddings that were tried and lost, kept so that anyone can see what they do and measure them again.

Their names work wherever others do. They are written in ``jax.numpy`` without compiled kernels, and only
what makes objects of names knows of them. Prediction errors stand in docs/padding_nmse.md, times in
docs/padding_cost.md, errors of trained networks in docs/rivals.md:

- ``auto``, :class:`ChosenExtrapolation`, takes replication nearly everywhere on images. It predicts a third
  worse than ``lp2x3`` at twice its time, and networks with it err at the border a little more than with
  replication.
- ``lpHxW_bandN`` and ``lpHxW_decayN``, :class:`LeastSquaresPrediction`, take statistics near the border.
  Where these are enough they cannot be distinguished from statistics of the whole map, and cost more; a band
  of 4 pixels does harm, and networks with ``lp2x3_band8`` diverged.
- ``lpHxWc`` larger than the published 1x1 and 2x1, :class:`LeastSquaresPrediction` over the whole map, is
  some 2 % better than the autocorrelation method of the same size, for almost twice the time even when it had
  a kernel of its own.
"""

from spatial_prediction.padding.contrib._chosen_extrapolation import ChosenExtrapolation
from spatial_prediction.padding.contrib._least_squares import LeastSquaresPrediction

__all__ = ["ChosenExtrapolation", "LeastSquaresPrediction"]
