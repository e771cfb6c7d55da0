"""Figure: deviation of a tiled from an untiled prediction, by distance from the seam."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from spatial_prediction.plotting import style
from spatial_prediction.studies.super_resolution.config import LARGEST_OUTPUT_CROP, UPSCALE_FACTOR
from spatial_prediction.studies.super_resolution.figures import looks

DEVIATION_LABEL = r"Deviation at seams ($10^{-6}$)"

SMALLEST = 1e-9
"""The least deviation that is drawn; rounding makes less than a thousandth of it."""

LEGEND_COLUMNS = 3


@style.styled
def seams(deviations: pd.DataFrame, presets: Mapping[str, int]) -> Figure:
    """Draw one line for each preset, with its interval as a band, as far from the seam as a network sees.

    Args:
        deviations: columns preset, distance (output pixels from the seam, 0 at it), mean, low, high; NaN
            ends are not drawn.
        presets: output crop of each preset, in the order of the legend.
    """
    figure = style.new_figure(2.3 + 0.13 * -(-len(presets) // LEGEND_COLUMNS))
    axes = figure.subplots()
    reach = UPSCALE_FACTOR * LARGEST_OUTPUT_CROP
    shown = deviations[(deviations["distance"] < reach) & (deviations["mean"] >= SMALLEST)]
    for preset, crop in presets.items():
        line = shown[shown["preset"] == preset].sort_values("distance")
        look = looks.preset_look(preset, crop)
        label = preset if preset in set(deviations["preset"]) else f"{preset} (no run)"
        axes.plot(
            line["distance"] + 0.5,
            line["mean"] / looks.MSE_UNIT,
            **(look.line | look.points),
            markersize=3,
            markevery=UPSCALE_FACTOR,
            label=label,
        )
        ends = line.dropna(subset=["low", "high"])
        if len(ends):
            axes.fill_between(
                ends["distance"] + 0.5,
                ends["low"].clip(lower=SMALLEST) / looks.MSE_UNIT,
                ends["high"] / looks.MSE_UNIT,
                color=look.colour,
                alpha=0.15,
                linewidth=0,
            )
    if shown.empty:
        style.say_empty(axes, "no successful run")
        axes.set_yticks([])
    axes.set_xlim(0, reach)
    axes.set_xticks(range(0, reach + 1, UPSCALE_FACTOR))
    axes.grid(axis="x")
    style.log_if_wide(axes.yaxis, (shown["mean"] / looks.MSE_UNIT).tolist())
    axes.set_xlabel("Distance from the seam (output pixels)")
    axes.set_ylabel(DEVIATION_LABEL)
    figure.legend(loc="outside upper center", ncols=LEGEND_COLUMNS)
    style.settle_ticks(figure)
    return figure
