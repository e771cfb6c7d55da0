"""Names of paddings and of other ways to handle a border, read into values; nothing else parses one.

A value says what a name means, by one small class for each family of names. ``spatial_prediction.padding``
and ``spatial_prediction.models`` make objects of it; what only checks a name needs neither, nor JAX.
"""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

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

PlainRule: TypeAlias = Literal["zero", "repl", "refl", "circ", "rand", "auto"]
FitMethod: TypeAlias = Literal["autocorrelation", "batch", "covariance", "stabilised", "across"]
ConvolutionMethod: TypeAlias = Literal["part", "diff", "diff_edge", "ebh"]

CONVOLUTION_NAMES: tuple[ConvolutionMethod, ...] = get_args(ConvolutionMethod)
"""Convolutions that treat incomplete windows themselves."""


@dataclass(frozen=True)
class PlainPadding:
    """``zero``, ``repl``, ``refl``, ``circ``, ``rand``, ``auto``: a rule without numbers."""

    rule: PlainRule


@dataclass(frozen=True)
class Extrapolation:
    """``extrN``: Lagrange extrapolation from the N nearest pixels."""

    order: int


@dataclass(frozen=True)
class LinearPrediction:
    """``lpHxW`` and what may follow: linear prediction, fitted to the map.

    Attributes:
        length: H, pixels of the neighbourhood along the padding direction.
        width: W, pixels across it, odd.
        method: how it is fitted: ``lpHxW``, ``lpHxW_batch``, ``lpHxWc``, ``lpHxWcs``, ``lpHxW_across``, as
            ``FitMethod`` lists them.
    """

    length: int
    width: int
    method: FitMethod


@dataclass(frozen=True)
class LocalPrediction:
    """``lpHxW_bandN``, ``lpHxW_decayN``: the covariance method near each side.

    Attributes:
        length: H, pixels of the neighbourhood along the padding direction.
        width: W, pixels across it, odd.
        band: pixels along a side that it is fitted to.
        decay: pixels from a side after which weights have fallen to 1/e.
    """

    length: int
    width: int
    band: int | None = None
    decay: float | None = None


@dataclass(frozen=True)
class TrainedPrediction:
    """``lpHxW_learned``, ``lpHxW_running``: linear prediction whose coefficients the network holds.

    Attributes:
        length: H, pixels of the neighbourhood along the padding direction.
        width: W, pixels across it, odd.
        coefficients: trained by gradient descent, or following from a running memory of the maps.
    """

    length: int
    width: int
    coefficients: Literal["learned", "running"]


@dataclass(frozen=True)
class OwnConvolution:
    """``part``, ``diff``, ``diff_edge``, ``ebh``: a convolution that treats incomplete windows itself."""

    method: ConvolutionMethod


PaddingName: TypeAlias = PlainPadding | Extrapolation | LinearPrediction | LocalPrediction
BorderName: TypeAlias = PaddingName | TrainedPrediction | OwnConvolution


def parse_padding_name(name: str) -> PaddingName:
    """Read the name of a padding that a map by itself is padded with.

    Raises:
        ValueError: no padding has that name, or none can do what it says; the message says what can be used.
        TypeError: ``name`` is not a string.
    """
    value = _read(name)
    if isinstance(value, PaddingName):
        return value
    plain = _plain(name)
    match _read(plain):
        case OwnConvolution(method):
            raise ValueError(
                f"{name!r} is not a padding but a convolution that treats its border itself; use "
                f"spatial_prediction.convolution.{_LAYERS[method]}, or in a network "
                f"spatial_prediction.models.border_from_name({plain!r})"
            )
        case TrainedPrediction():
            raise ValueError(
                f"{name!r} has arrays of its own for each channel, which nothing here would hold; make it by "
                f"spatial_prediction.padding.trained_padding_from_name({plain!r}, pad_width, channels=...), "
                "keep it beside a convolution without padding and call it first, or use in a network "
                f"spatial_prediction.models.border_from_name({plain!r})"
            )
    raise ValueError(_unknown("padding", name, PADDING_NAMES, _PADDING_FORMS))


def parse_border_name(name: str) -> BorderName:
    """Read the name of a padding or of another way in which a network's convolutions handle their border.

    Raises:
        ValueError: nothing has that name, or none can do what it says; the message says what can be used.
        TypeError: ``name`` is not a string.
    """
    value = _read(name)
    if value is None:
        near = (*PADDING_NAMES, *TRAINED_NAMES, *CONVOLUTION_NAMES)
        raise ValueError(_unknown("border handling", name, near, _BORDER_FORMS))
    return value


def suggestion(name: str, known: Iterable[str], *, forms: Iterable[str] | None = None) -> str:
    """Say which of the ``known`` names a wrong one may stand for, and list them, or the ``forms`` they have.

    Returns:
        ``did you mean 'a'? Known: a, b``, or ``known: a, b`` where none is near.
    """
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1)
    return f"{f'did you mean {near[0]!r}? Known' if near else 'known'}: {', '.join(forms or known)}"


_LONGEST = 64
"""Characters of the longest name: enough for any, and few enough to be read and shown whole."""

_NUMBERED = re.compile(
    r"extr(?P<order>[1-9]\d*)"
    r"|lp(?P<length>[1-9]\d*)x(?P<width>[1-9]\d*)"
    r"(?P<ending>|c|cs|_batch|_across|_learned|_running|_band(?P<band>[1-9]\d*)|_decay(?P<decay>[1-9]\d*))",
    re.ASCII,
)

_PLAIN_NAMES: tuple[PlainRule, ...] = get_args(PlainRule)
_METHODS: dict[str, FitMethod] = {
    "": "autocorrelation",
    "c": "covariance",
    "cs": "stabilised",
    "_batch": "batch",
    "_across": "across",
}

_PADDING_FORMS = (
    "zero", "repl", "refl", "circ", "rand", "auto", "extrN", "lp1x1cs", "lp2x1cs", "and with odd W lpHxW",
    "lpHxWc", "lpHxW_batch", "lpHxW_bandN", "lpHxW_decayN", "lpHxW_across",
)  # fmt: skip
_BORDER_FORMS = (*CONVOLUTION_NAMES, *_PADDING_FORMS, "lpHxW_learned", "lpHxW_running")

_LAYERS: dict[ConvolutionMethod, str] = {
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


def _read(name: str) -> BorderName | None:
    """Read a name of any kind; None if nothing has it."""
    if not isinstance(name, str):
        raise TypeError(
            f"a padding or border handling is named by a string such as 'lp2x3', got {name!r}; "
            "use a padding object as it is"
        )
    if name in _PLAIN_NAMES:
        return PlainPadding(name)
    if name in CONVOLUTION_NAMES:
        return OwnConvolution(name)
    found = _NUMBERED.fullmatch(name) if len(name) <= _LONGEST else None
    if not found:
        return None
    return Extrapolation(int(found["order"])) if found["order"] else _read_prediction(name, found)


def _read_prediction(
    name: str, found: re.Match[str]
) -> LinearPrediction | LocalPrediction | TrainedPrediction:
    length, width, ending = int(found["length"]), int(found["width"]), found["ending"]
    if width % 2 == 0:
        raise ValueError(
            f"the width W of {name!r} (pixels across the padding direction) must be odd, got {width}; "
            f"use {width - 1} or {width + 1}"
        )
    if ending in ("_learned", "_running"):
        return TrainedPrediction(length, width, "learned" if ending == "_learned" else "running")
    if ending == "cs" and (length, width) not in ((1, 1), (2, 1)):
        raise ValueError(
            f"only 1x1 and 2x1 neighbourhoods can be stabilised, not that of {name!r}; use lp1x1cs or "
            f"lp2x1cs, or lp{length}x{width}c as it is"
        )
    if found["decay"]:
        return LocalPrediction(length, width, decay=float(found["decay"]))
    if not found["band"]:
        return LinearPrediction(length, width, _METHODS[ending])
    if (band := int(found["band"])) <= length:
        raise ValueError(
            f"the band of {name!r} must be wider than the neighbourhood is long; use at least {length + 1}"
        )
    return LocalPrediction(length, width, band=band)


def _plain(name: str) -> str:
    return name.strip().casefold()


def _unknown(kind: str, name: str, near: Iterable[str], forms: Iterable[str]) -> str:
    """Say that nothing of this kind has that name, what it may stand for elsewhere, and what there is."""
    shown = repr(name) if len(name) <= _LONGEST else f"{name[:_LONGEST]!r}… ({len(name)} characters)"
    message, plain = f"no {kind} is called {shown}", _plain(name)
    if plain == "symmetric":
        return (
            f"{message}; the nearest is 'refl', which does not repeat the outermost pixel. "
            f"Known: {', '.join(forms)}"
        )
    return f"{message}; {suggestion(_ELSEWHERE.get(plain, plain), near, forms=forms)}"
