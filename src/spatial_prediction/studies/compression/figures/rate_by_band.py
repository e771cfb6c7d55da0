"""Figure: bits that each band takes, by predictor."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spatial_prediction.plotting import style
from spatial_prediction.studies.compression.figures import looks
from spatial_prediction.studies.compression.figures.residuals import Residuals

PANEL, LEGEND = 2.0, 0.45
"""Inches for a panel and for what stands once."""


@style.styled
def rate_by_band(residuals: Sequence[Residuals]) -> Figure:
    """Draw bits per sample of each band, a panel for each cube; all predictors with one entropy coder.

    Args:
        residuals: of several predictors on any cubes.
    """
    cubes = list(dict.fromkeys(each.cube for each in residuals))
    figure = style.new_figure(LEGEND + PANEL * len(cubes), style.PAGE_WIDTH)
    panels = figure.subplots(len(cubes), 1, squeeze=False)[:, 0]
    for axes, cube in zip(panels, cubes, strict=True):
        _draw_panel(axes, [each for each in residuals if each.cube == cube])
        axes.set_title(cube)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    panels[-1].set_xlabel("Band")
    style.settle_ticks(figure)
    return figure


def _draw_panel(axes: Axes, residuals: Sequence[Residuals]) -> None:
    for each in residuals:
        bands = np.arange(1, len(each.band_bits) + 1)
        colour = looks.COLOURS[each.codec]
        axes.plot(bands, each.band_bits, color=colour, linewidth=0.8, label=looks.label(each.codec))
    # the first band has none to be predicted from, and would squeeze the others
    most = max(float(np.max(each.band_bits[1:], initial=0.0)) for each in residuals)
    axes.set_ylim(0, 1.08 * most if most else None)
    axes.set_xlim(0.5, len(residuals[0].band_bits) + 0.5)
    axes.set_ylabel("Bits per sample")
    axes.grid()
