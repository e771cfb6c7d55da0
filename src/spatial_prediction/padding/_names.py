"""Paddings made from their short names, as the paper's presets call them."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Literal

from spatial_prediction.names import (
    Extrapolation,
    LinearPrediction,
    LocalPrediction,
    PaddingName,
    PlainPadding,
    PlainRule,
    TrainedPrediction,
    parse_border_name,
    parse_padding_name,
)
from spatial_prediction.padding._across_channels import AcrossChannelsPrediction
from spatial_prediction.padding._autocorrelation import AutocorrelationPrediction
from spatial_prediction.padding._base import AbstractPadding, PadWidth, as_pad_width
from spatial_prediction.padding._copying import CircularPadding, ReflectPadding, ReplicatePadding, ZeroPadding
from spatial_prediction.padding._covariance import CovariancePrediction
from spatial_prediction.padding._extrapolation import LagrangeExtrapolation
from spatial_prediction.padding._memory import LearnedPrediction, RunningPrediction
from spatial_prediction.padding._random import RandomPadding
from spatial_prediction.padding.contrib import ChosenExtrapolation, LeastSquaresPrediction
from spatial_prediction.padding.linear_prediction.frame import AbstractLinearPrediction

_PLAIN: Mapping[PlainRule, Callable[[PadWidth], AbstractPadding]] = {
    "zero": ZeroPadding,
    "repl": ReplicatePadding,
    "refl": ReflectPadding,
    "circ": CircularPadding,
    "rand": lambda pad_width: RandomPadding(pad_width, seed=0),
    "auto": ChosenExtrapolation,
}


def padding_from_name(name: str, pad_width: int | PadWidth, *, finite_only: bool = False) -> AbstractPadding:
    """Make the padding called ``name``.

    Args:
        name: ``zero``, ``repl``, ``refl``, ``circ``; ``rand``: random with seed 0; ``extrN``: Lagrange
            extrapolation from the N nearest pixels; ``lpHxW``: linear prediction from H pixels along the
            padding direction and W (odd) across it, autocorrelation method with Tukey window, direct sums
            up to six pixels and transforms beyond, as published; ``lpHxW_batch``: with statistics over the
            batch; ``lpHxWc``: covariance method; ``lp1x1cs``, ``lp2x1cs``: the same, stabilised;
            ``lpHxW_bandN``: covariance method in a band of N pixels along each side; ``lpHxW_decayN``: with
            weights that fall by 1/e every N pixels from it; ``lpHxW_across``: from all channels;
            ``auto``: mean or extrapolation of order 1, 2 or 3, chosen for each map.
        pad_width: ``((top, bottom), (left, right))`` in pixels, or one number for all sides.
        finite_only: fit linear prediction to the finite pixels of each channel, of which one NaN would
            otherwise make the whole frame NaN; see :class:`AbstractLinearPrediction`.

    Raises:
        ValueError: no padding has that name, the pad width is not usable, or ``finite_only`` is asked of a
            padding that is no linear prediction of each channel by itself.
        TypeError: ``name`` is not a string.
    """
    padding = _made(parse_padding_name(name), as_pad_width(pad_width))
    if not finite_only:
        return padding
    if not isinstance(padding, AbstractLinearPrediction):
        raise ValueError(
            f"{name!r} cannot be fitted to finite pixels only; lpHxW, lpHxW_batch, lpHxWc, lp1x1cs, lp2x1cs, "
            "lpHxW_bandN and lpHxW_decayN can"
        )
    return dataclasses.replace(padding, finite_only=True)


def trained_padding_from_name(name: str, pad_width: int | PadWidth, *, channels: int) -> AbstractPadding:
    """Make the padding with arrays of its own that is called ``name``, as it is before training.

    Args:
        name: ``lpHxW_learned``: coefficients trained by gradient descent; ``lpHxW_running``: coefficients
            from a running memory of autocorrelations.
        pad_width: ``((top, bottom), (left, right))`` in pixels, or one number for all sides.
        channels: of the maps.

    Raises:
        ValueError: no padding with arrays of its own has that name, or the pad width is not usable.
        TypeError: ``name`` is not a string.
    """
    value = parse_border_name(name)
    if not isinstance(value, TrainedPrediction):
        raise ValueError(
            f"{name!r} has no arrays of its own, as lpHxW_learned and lpHxW_running have; make it with "
            "padding_from_name"
        )
    kind = LearnedPrediction if value.coefficients == "learned" else RunningPrediction
    return kind.initialised(pad_width, value.length, value.width, channels=channels)


def _made(value: PaddingName, pad_width: PadWidth) -> AbstractPadding:
    match value:
        case PlainPadding(rule):
            return _PLAIN[rule](pad_width)
        case Extrapolation(order):
            return LagrangeExtrapolation(pad_width, order=order)
        case LinearPrediction(length, width, "autocorrelation" | "batch" as method):
            sums: Literal["direct", "fft"] = "direct" if length * width <= 6 else "fft"
            over_batch = method == "batch"
            return AutocorrelationPrediction(pad_width, length, width, sums=sums, over_batch=over_batch)
        case LinearPrediction(length, width, "across"):
            return AcrossChannelsPrediction(pad_width, length, width)
        case LinearPrediction(1 | 2 as length, 1, "covariance" | "stabilised" as method):
            return CovariancePrediction(pad_width, length, stabilised=method == "stabilised")
        case LinearPrediction(length, width):
            return LeastSquaresPrediction(pad_width, length, width)
        case LocalPrediction(length, width, band, decay):
            return LeastSquaresPrediction(pad_width, length, width, band=band, decay=decay)
