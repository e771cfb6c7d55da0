"""Figure: how far networks are from shift equivariance where four tiles meet."""

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from spatial_prediction.plotting import style
from spatial_prediction.studies.super_resolution.figures.picture_columns import picture_columns
from spatial_prediction.studies.super_resolution.figures.stitched_corners import mark_crossing

SCALE = (1e-4, 1e-1)
"""Reflectance shown as black and as the brightest colour, the same in every figure of every study."""

LEAST_WIDTH, BAR = 2.6, 0.65
"""Room for the colour bar and its label: width of the figure, height below the pictures; inches."""

COLOURS = "inferno"
"""Equal steps look equal, in grey and to colour-blind people too."""


@style.styled
def shift_deviation(
    deviations: Mapping[str, np.ndarray], rms: Mapping[str, float], scenes: Sequence[int]
) -> Figure:
    """Show how far four tiles deviate from one window around the point in which they meet.

    Args:
        deviations: by preset, reflectance (scenes, side, side).
        rms: by preset, root of their mean square, reflectance, for the titles.
        scenes: their numbers, for the labels of the rows.
    """
    if not deviations:
        figure = style.new_figure(1.0)
        axes = figure.subplots()
        axes.set_axis_off()
        style.say_empty(axes, "no successful run")
        return figure
    scale = LogNorm(*SCALE, clip=True)
    columns = {
        f"{preset}\nrms {rms[preset] / 1e-3:.2g} $\\cdot$ 10$^{{-3}}$": _coloured(deviation, scale)
        for preset, deviation in deviations.items()
    }
    figure, panels = picture_columns(
        columns,
        width=style.PAGE_WIDTH,
        least_width=LEAST_WIDTH,
        row_labels=[f"scene {scene}" for scene in scenes],
        beneath=BAR,
    )
    for column, images in zip(panels.values(), deviations.values(), strict=True):
        for axes in column:
            mark_crossing(axes, images.shape[1])
    bar = figure.colorbar(
        ScalarMappable(scale, COLOURS),
        ax=figure.axes,
        location="bottom",
        extend="both",
        shrink=0.6,
        aspect=40,
        pad=0.02,
    )
    bar.set_label("Deviation of four tiles from one window\n(reflectance, root mean square over bands)")
    bar.outline.set_linewidth(0.4)
    return figure


def _coloured(deviation: np.ndarray, scale: LogNorm) -> np.ndarray:
    """Turn numbers into colours, RGB in [0, 1]."""
    flat = scale(np.maximum(deviation, SCALE[0]).ravel())
    return matplotlib.colormaps[COLOURS](flat)[:, :3].reshape(*deviation.shape, 3)
