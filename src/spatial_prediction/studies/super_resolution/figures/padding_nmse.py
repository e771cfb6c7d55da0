"""Figure: how well paddings predict what lies beyond the edge of each feature map."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spatial_prediction.plotting import style
from spatial_prediction.studies.super_resolution.figures import looks

LAST_MAP = 10

FEW = 3
"""The most panels in one column; more stand in four columns."""


@style.styled
def padding_nmse(nmse: pd.DataFrame, presets: Mapping[str, int]) -> Figure:
    """Draw the normalised error of each padding by feature map, one panel for each training preset.

    The dashed line at 1 marks padding with the mean of the true values.

    Args:
        nmse: columns preset, padding, feature_map, nmse, where feature_map 0 is the network's input, 1 to 9
            the inputs of its inner convolutions and 10 its output.
        presets: output crop of each preset, in the order of the panels.
    """
    paddings = list(dict.fromkeys(nmse["padding"]))
    rows, columns, width = style.panel_grid(len(presets), FEW, 1, 4)
    ncols = 4 if columns == 1 else 8
    height = 1.65 if columns == 1 else 1.05
    figure = style.new_figure(0.65 + height * rows + 0.13 * -(-len(paddings) // ncols), width)
    panels = list(figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).flat)
    for axes, preset in zip(panels, presets, strict=False):
        _draw_panel(axes, nmse[nmse["preset"] == preset], paddings)
        title = f"Network trained as {preset}" if columns == 1 else preset
        axes.set_title(title, loc="left", fontweight="bold")
    style.plain_log_ticks(panels[0].yaxis)
    if columns == 1:
        panels[0].set_xticks(range(LAST_MAP + 1), ["input", *map(str, range(1, LAST_MAP)), "output"])
    else:
        panels[0].set_xticks(range(0, LAST_MAP + 1, 2), ["in", *map(str, range(2, LAST_MAP, 2)), "out"])
    for position in range(len(presets), len(panels)):
        panels[position].remove()
        panels[position - columns].tick_params(labelbottom=True)
    for axes in panels[max(0, len(presets) - columns) : len(presets)]:
        axes.set_xlabel("Feature map")
    figure.supylabel("Padding error / variance (NMSE)", fontsize=7)
    if paddings:
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=ncols)
    style.settle_ticks(figure)
    return figure


def _draw_panel(axes: Axes, nmse: pd.DataFrame, paddings: list[str]) -> None:
    for padding in paddings:
        line = nmse[nmse["padding"] == padding].sort_values("feature_map")
        look = looks.preset_look(padding)
        axes.plot(line["feature_map"], line["nmse"], **look.line | look.points, label=padding)
    if nmse.empty:
        style.say_empty(axes, "no successful run")
    axes.set_yscale("log")
    axes.axhline(1, **looks.BASELINE_LINE)
    axes.annotate("mean", (1.01, 1), xycoords=("axes fraction", "data"), va="center", color="0.35")
    axes.grid(axis="y")
