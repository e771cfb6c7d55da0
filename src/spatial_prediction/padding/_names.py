"""Paddings by their short names, as the paper's presets call them."""

import dataclasses
import difflib
import re
from collections.abc import Callable, Mapping
from typing import Literal

from spatial_prediction.padding._across_channels import AcrossChannelsPrediction
from spatial_prediction.padding._autocorrelation import AutocorrelationPrediction
from spatial_prediction.padding._base import AbstractPadding, PadWidth, as_pad_width
from spatial_prediction.padding._choice import ChosenExtrapolation
from spatial_prediction.padding._copying import CircularPadding, ReflectPadding, ReplicatePadding, ZeroPadding
from spatial_prediction.padding._covariance import CovariancePrediction
from spatial_prediction.padding._extrapolation import LagrangeExtrapolation
from spatial_prediction.padding._memory import LearnedPrediction, RunningPrediction
from spatial_prediction.padding._random import RandomPadding

PADDING_NAMES = (
    "zero", "repl", "refl", "circ", "rand",
    "extr1", "extr2", "extr3",
    "lp1x1cs", "lp2x1cs",
    "lp1x1", "lp2x1", "lp2x3", "lp2x5", "lp3x3", "lp4x5", "lp6x7",
    "lp2x3c", "lp2x3_batch", "lp2x3_band8", "lp2x3_decay8", "lp2x3_across", "auto",
)  # fmt: skip
"""Names in common use. ``extrN`` and all that begin with ``lpHxW`` go on for any number and any H, odd W."""

TRAINED_NAMES = ("lp2x3_learned", "lp2x3_running")
"""Paddings with arrays of their own, which a network trains or remembers; for any H and odd W."""

_COPYING: Mapping[str, Callable[[PadWidth], AbstractPadding]] = {
    "zero": ZeroPadding,
    "repl": ReplicatePadding,
    "refl": ReflectPadding,
    "circ": CircularPadding,
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
    if not isinstance(name, str):
        raise TypeError(
            f"a padding is named by a string such as 'lp2x3', got {name!r}; call a padding object as it is"
        )
    if finite_only:
        return _finite_only(padding_from_name(name, pad_width), name)
    pad_width = as_pad_width(pad_width)
    if name == "rand":
        return RandomPadding(pad_width, seed=0)
    if name == "auto":
        return ChosenExtrapolation(pad_width)
    if name in _COPYING:
        return _COPYING[name](pad_width)
    if match := re.fullmatch(r"extr([1-9]\d*)", name):
        return LagrangeExtrapolation(pad_width, order=int(match[1]))
    if match := re.fullmatch(r"lp([1-9]\d*)x([1-9]\d*)(|c|cs|_batch|_across|_(?:band|decay)[1-9]\d*)", name):
        return _linear_prediction(pad_width, int(match[1]), int(match[2]), option=match[3])
    raise ValueError(_unknown(name))


_CONVOLUTIONS = {
    "part": "PartialConv2d",
    "diff": "DifferentialConv2d",
    "diff_edge": "DifferentialConv2d with edge_kernel=True",
    "ebh": "ExplicitBoundaryConv2d",
}

_ELSEWHERE = {
    "constant": "zero", "zeros": "zero", "same": "zero",
    "edge": "repl", "replicate": "repl", "nearest": "repl",
    "reflect": "refl", "reflection": "refl", "mirror": "refl",
    "wrap": "circ", "circular": "circ", "periodic": "circ", "grid-wrap": "circ",
    "random": "rand",
}  # fmt: skip
"""What NumPy, SciPy, PyTorch and Equinox call them."""


def _unknown(name: str) -> str:
    """Say what a name that is not a padding's stands for elsewhere, and what to use."""
    plain = name.strip().casefold()
    if plain in _CONVOLUTIONS:
        return (
            f"{name!r} is not a padding but a convolution that treats its border itself; use "
            f"spatial_prediction.convolution.{_CONVOLUTIONS[plain]}, or RVSR with padding={plain!r}"
        )
    if re.fullmatch(r"lp[1-9]\d*x[1-9]\d*_(learned|running)", plain):
        return (
            f"{name!r} has arrays of its own for each channel, which nothing here would hold; make it with "
            f"spatial_prediction.padding.trained_padding_from_name({plain!r}, pad_width, channels=...), "
            "keep it beside a convolution without padding and call it first, or use RVSR with "
            f"padding={plain!r}"
        )
    if plain == "symmetric":
        return (
            f"no padding is called {name!r}; the nearest is 'refl', which does not repeat the outermost "
            f"pixel. Known: {', '.join(PADDING_NAMES)}"
        )
    near = (
        [_ELSEWHERE[plain]] if plain in _ELSEWHERE else difflib.get_close_matches(plain, PADDING_NAMES, n=1)
    )
    suggestion = f"did you mean {near[0]!r}? Known" if near else "known"
    return f"no padding is called {name!r}; {suggestion}: {', '.join(PADDING_NAMES)}"


def trained_padding_from_name(
    name: str, pad_width: int | PadWidth, *, channels: int
) -> AbstractPadding | None:
    """Make the padding called ``name`` if it is one with arrays of its own.

    Args:
        name: ``lpHxW_learned``: coefficients trained by gradient descent; ``lpHxW_running``: coefficients
            from a running memory of autocorrelations.
        pad_width: ``((top, bottom), (left, right))`` in pixels, or one number for all sides.
        channels: of the maps.
    """
    if not (match := re.fullmatch(r"lp([1-9]\d*)x([1-9]\d*)_(learned|running)", name)):
        return None
    kind = LearnedPrediction if match[3] == "learned" else RunningPrediction
    return kind.initialised(pad_width, int(match[1]), int(match[2]), channels=channels)


def _finite_only(padding: AbstractPadding, name: str) -> AbstractPadding:
    if not isinstance(padding, AutocorrelationPrediction | CovariancePrediction):
        raise ValueError(
            f"{name!r} cannot be fitted to finite pixels only; lpHxW, lpHxW_batch, lpHxWc, lp1x1cs, lp2x1cs, "
            "lpHxW_bandN and lpHxW_decayN can"
        )
    return dataclasses.replace(padding, finite_only=True)


def _linear_prediction(pad_width: PadWidth, length: int, width: int, option: str) -> AbstractPadding:
    if option in ("c", "cs"):
        return CovariancePrediction(pad_width, length, width, stabilised=option == "cs")
    if option == "_across":
        return AcrossChannelsPrediction(pad_width, length, width)
    if option.startswith("_band"):
        band = int(option.removeprefix("_band"))
        return CovariancePrediction(pad_width, length, width, stabilised=False, band=band)
    if option.startswith("_decay"):
        decay = float(option.removeprefix("_decay"))
        return CovariancePrediction(pad_width, length, width, stabilised=False, decay=decay)
    sums: Literal["direct", "fft"] = "direct" if length * width <= 6 else "fft"
    return AutocorrelationPrediction(pad_width, length, width, sums=sums, over_batch=option == "_batch")
