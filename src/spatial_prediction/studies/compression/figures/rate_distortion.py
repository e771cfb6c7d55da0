"""Figure: bits against the largest error that is allowed, and what they buy."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spatial_prediction.plotting import style
from spatial_prediction.studies.compression.figures import looks

PANEL, LEGEND = 2.3, 0.75
"""Inches for a row of panels and for what stands once."""


@style.styled
def rate_distortion(measurements: pd.DataFrame) -> Figure:
    """Draw, for each cube, bits against the largest error, and the peak signal-to-noise ratio against bits.

    Only codecs that were measured with several errors are drawn.

    Args:
        measurements: columns cube, codec, delta, bits_per_sample, psnr.
    """
    several = measurements.groupby("codec")["delta"].nunique()
    drawn = measurements[measurements["codec"].isin(several[several > 1].index)]
    cubes = list(dict.fromkeys(measurements["cube"]))
    figure = style.new_figure(LEGEND + PANEL * len(cubes), style.PAGE_WIDTH)
    grid = figure.subplots(len(cubes), 2, squeeze=False)
    for (rates, quality), cube in zip(grid, cubes, strict=True):
        _draw_cube(rates, quality, drawn[drawn["cube"] == cube])
        rates.set_title(cube)
        quality.set_title(cube)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    if labels:
        figure.legend(handles, labels, loc="outside upper center", ncols=3)
    grid[-1, 0].set_xlabel("Largest error allowed (DN)")
    grid[-1, 1].set_xlabel("Bits per sample")
    style.settle_ticks(figure)
    return figure


def _draw_cube(rates: Axes, quality: Axes, table: pd.DataFrame) -> None:
    for codec in looks.in_order(list(dict.fromkeys(table["codec"]))):
        rows = table[table["codec"] == codec].sort_values("delta")
        look = looks.look(codec) | {"linewidth": 0.8, "markersize": 3}
        rates.plot(rows["delta"], rows["bits_per_sample"], **look)
        lossy = rows[np.isfinite(rows["psnr"])]
        quality.plot(lossy["bits_per_sample"], lossy["psnr"], **look)
    if table.empty:
        for axes in (rates, quality):
            style.say_empty(axes, "no codec with several errors")
    rates.set_ylim(bottom=0)
    rates.set_ylabel("Bits per sample")
    quality.set_ylabel("PSNR (dB)")
    for axes in (rates, quality):
        axes.grid()
