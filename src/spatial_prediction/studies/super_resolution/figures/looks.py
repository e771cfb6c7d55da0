"""One look for each preset in every figure, and the units and groups in which errors are shown.

Colour stands for the padding family, marker for the member of it, line style and marker filling for the
output crop. Colours are those of Okabe and Ito (2008), which colour-blind people can distinguish too; markers
distinguish the members in grey.
"""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib import colors

from spatial_prediction.studies.super_resolution.config import LARGEST_OUTPUT_CROP

BILINEAR_LINE: dict[str, Any] = {"color": "0.72", "linewidth": 2.4, "solid_capstyle": "butt", "zorder": 1}
"""How bilinear upscaling, which every network must beat, is drawn: broad, grey and behind the presets."""

BASELINE_LINE: dict[str, Any] = {"color": "0.4", "linestyle": "--", "linewidth": 0.7, "zorder": 1}
"""How the baseline of a comparison is drawn: thin, dashed and behind the presets."""

MSE_UNIT = 1e-6
MSE_LABEL = r"Test MSE ($10^{-6}$ of the [$-$1, 1] scale)"

_BLACK, _VERMILION, _ORANGE, _BLUE = "#000000", "#D55E00", "#E69F00", "#0072B2"
_GREEN, _SKY_BLUE, _PURPLE = "#009E73", "#56B4E9", "#CC79A7"

# padding: (colour, marker, share of white mixed in)
_LOOKS: dict[str, tuple[str, str, float]] = {
    "zero": (_BLACK, "o", 0.0),
    "zero-repl": (_BLACK, "o", 0.0),
    "zero-zero": (_BLACK, "X", 0.45),
    "repl": (_VERMILION, "s", 0.0),
    "refl": (_PURPLE, "D", 0.0),
    "circ": (_PURPLE, "p", 0.35),
    "rand": (_PURPLE, "P", 0.55),
    "extr0": (_ORANGE, "2", 0.0),
    "extr1": (_ORANGE, "v", 0.3),
    "extr2": (_ORANGE, "^", 0.0),
    "extr3": (_ORANGE, "<", 0.0),
    "lp1x1cs": (_GREEN, "P", 0.0),
    "lp2x1cs": (_GREEN, "d", 0.3),
    "lp2x1": (_SKY_BLUE, ">", 0.0),
    "lp2x3": (_BLUE, "*", 0.0),
    "lp2x5": (_BLUE, "h", 0.3),
    "lp3x3": (_BLUE, "8", 0.0),
    "lp4x5": (_BLUE, "p", 0.3),
    "lp6x7": (_BLUE, "X", 0.0),
    "part": (_GREEN, "X", 0.0),
    "diff": (_ORANGE, "D", 0.0),
    "diff_edge": (_ORANGE, "p", 0.4),
    "ebh": (_PURPLE, "^", 0.0),
    "auto": (_VERMILION, "h", 0.5),
    "lp2x3c": (_BLUE, "D", 0.3),
    "lp2x3_batch": (_BLUE, "<", 0.55),
    "lp2x3_band8": (_GREEN, "d", 0.45),
    "lp2x3_decay8": (_GREEN, "v", 0.45),
    "lp1x1_across": (_GREEN, "v", 0.0),
    "lp2x3_learned": (_SKY_BLUE, "^", 0.0),
    "lp2x3_running": (_SKY_BLUE, "s", 0.0),
}
_FAMILY_COLOURS = {"zero": _BLACK, "repl": _VERMILION, "extr": _ORANGE, "lp": _BLUE}
_SPARE_MARKERS = ("D", "p", "v", "^", "<", ">", "h", "d", "P", "X")
_SEED_MARKERS = ("o", "^", "s", "D", "v", "P", "*", "<", "X", ">", "p", "h")
_LINE_STYLES: dict[int, Any] = {0: "-", 1: (0, (4, 1.5)), 5: (0, (1.2, 1.2))}
_FILLINGS: dict[int, Any] = {0: "full", 1: "left", 5: "none"}


@dataclass(frozen=True)
class Look:
    """How one preset is drawn; ``line`` and ``points`` are keyword arguments for ``Axes.plot``."""

    colour: tuple[float, float, float]
    marker: str
    line_style: Any
    filling: Any

    @property
    def line(self) -> dict[str, Any]:
        """Colour and line style."""
        return {"color": self.colour, "linestyle": self.line_style}

    @property
    def points(self) -> dict[str, Any]:
        """Colour, marker and its filling."""
        return {
            "color": self.colour,
            "marker": self.marker,
            "fillstyle": self.filling,
            "markerfacecoloralt": "white",
            "markeredgecolor": self.colour,
        }


def preset_look(preset: str, output_crop: int = 0) -> Look:
    """Return the look of a preset, the same in every figure.

    Args:
        preset: name of a preset or of a padding. Paddings of the study have fixed looks; others get the
            colour of their family (purple if unknown) and a marker that depends only on the name.
        output_crop: output crop of the preset in input pixels.
    """
    padding = preset.removesuffix(f"_oc{output_crop}")
    colour, marker, white = _LOOKS.get(padding) or _look_of_stranger(padding)
    red, green, blue = (channel + (1 - channel) * white for channel in colors.to_rgb(colour))
    return Look(
        colour=(red, green, blue),
        marker=marker,
        line_style=_LINE_STYLES.get(output_crop, (0, (4, 1.5, 1, 1.5))),
        filling=_FILLINGS.get(output_crop, "top"),
    )


def _look_of_stranger(padding: str) -> tuple[str, str, float]:
    colours = (colour for family, colour in _FAMILY_COLOURS.items() if padding.startswith(family))
    colour = next(colours, _PURPLE)
    return colour, _SPARE_MARKERS[zlib.crc32(padding.encode()) % len(_SPARE_MARKERS)], 0.15


def seed_points(seeds: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Give each seed a marker, as keyword arguments for ``Axes.plot``.

    Twelve shapes, filled; hollow from the thirteenth seed on.

    Args:
        seeds: of all runs in a figure.
    """
    ranked = enumerate(sorted(set(seeds)))
    return {
        seed: {
            "marker": _SEED_MARKERS[rank % len(_SEED_MARKERS)],
            "fillstyle": "full" if rank < len(_SEED_MARKERS) else "none",
            "markersize": 3.2,
            "markeredgewidth": 0.4,
            "linestyle": "",
        }
        for rank, seed in ranked
    }


def presets_by_crop(presets: Mapping[str, int]) -> dict[int, list[str]]:
    """Group presets by output crop, crops ascending, presets in the order given."""
    return {
        crop: [name for name in presets if presets[name] == crop] for crop in sorted(set(presets.values()))
    }


def crop_title(output_crop: int) -> str:
    """Describe an output crop in words."""
    return "No output crop" if output_crop == 0 else f"Output crop {output_crop} px"


def last_shell(shells: pd.DataFrame) -> int:
    """Number the innermost shell of a table (column shell); of an empty one, the innermost there could be."""
    return int(shells["shell"].max()) if len(shells) else LARGEST_OUTPUT_CROP
