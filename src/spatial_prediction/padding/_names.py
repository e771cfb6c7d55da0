"""Paddings by their short names, as the paper's presets call them."""

import difflib
import re
from collections.abc import Callable, Mapping
from typing import Literal

from spatial_prediction.padding._autocorrelation import AutocorrelationPrediction
from spatial_prediction.padding._base import AbstractPadding, PadWidth, as_pad_width
from spatial_prediction.padding._copying import (
    CircularPadding,
    ReflectPadding,
    ReplicatePadding,
    ZeroPadding,
)
from spatial_prediction.padding._covariance import CovariancePrediction
from spatial_prediction.padding._extrapolation import LagrangeExtrapolation
from spatial_prediction.padding._random import RandomPadding

PADDING_NAMES = (
    "zero", "repl", "refl", "circ", "rand",
    "extr1", "extr2", "extr3",
    "lp1x1cs", "lp2x1cs",
    "lp1x1", "lp2x1", "lp2x3", "lp2x5", "lp3x3", "lp4x5", "lp6x7",
)  # fmt: skip
"""Names in common use. ``extrN``, ``lpHxW`` and ``lpHxWc`` go on for any order and any H, odd W."""

_COPYING: Mapping[str, Callable[[PadWidth], AbstractPadding]] = {
    "zero": ZeroPadding,
    "repl": ReplicatePadding,
    "refl": ReflectPadding,
    "circ": CircularPadding,
}


def padding_from_name(name: str, pad_width: int | PadWidth) -> AbstractPadding:
    """Make the padding called ``name``.

    Args:
        name: ``zero``, ``repl``, ``refl``, ``circ``; ``rand``: random with seed 0; ``extrN``: Lagrange
            extrapolation from the N nearest pixels; ``lpHxW``: linear prediction from H pixels along the
            padding direction and W (odd) across it, autocorrelation method with Tukey window, direct sums
            up to six pixels and transforms beyond, as published; ``lpHxWc``: covariance method;
            ``lp1x1cs``, ``lp2x1cs``: the same, stabilised.
        pad_width: ``((top, bottom), (left, right))`` in pixels, or one number for all sides.

    Raises:
        ValueError: no padding has that name, or the pad width is not usable.
    """
    pad_width = as_pad_width(pad_width)
    if name == "rand":
        return RandomPadding(pad_width, seed=0)
    if name in _COPYING:
        return _COPYING[name](pad_width)
    if match := re.fullmatch(r"extr([1-9]\d*)", name):
        return LagrangeExtrapolation(pad_width, order=int(match[1]))
    if match := re.fullmatch(r"lp([1-9]\d*)x([1-9]\d*)(cs?)?", name):
        length, width = int(match[1]), int(match[2])
        if match[3]:
            return CovariancePrediction(pad_width, length, width, stabilised=match[3] == "cs")
        sums: Literal["direct", "fft"] = "direct" if length * width <= 6 else "fft"
        return AutocorrelationPrediction(pad_width, length, width, sums=sums)
    hint = difflib.get_close_matches(name, PADDING_NAMES, n=1)
    suggestion = f"did you mean {hint[0]!r}? Known" if hint else "known"
    raise ValueError(f"no padding is called {name!r}; {suggestion}: {', '.join(PADDING_NAMES)}")
