"""Figure: how well paddings predict what lies beyond the edge of each feature map."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spatial_prediction.figures import style

LAST_MAP = 10


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
    figure = style.new_figure(0.65 + 1.65 * len(presets) + 0.13 * -(-len(paddings) // 4))
    panels = figure.subplots(len(presets), squeeze=False, sharex=True, sharey=True)[:, 0]
    for axes, preset in zip(panels, presets, strict=True):
        _draw_panel(axes, nmse[nmse["preset"] == preset], paddings)
        axes.set_title(f"Network trained as {preset}", loc="left", fontweight="bold")
    style.plain_log_ticks(panels[0].yaxis)
    panels[-1].set_xticks(range(LAST_MAP + 1), ["input", *map(str, range(1, LAST_MAP)), "output"])
    panels[-1].set_xlabel("Feature map")
    figure.supylabel("Padding error / variance (NMSE)", fontsize=7)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def _draw_panel(axes: Axes, nmse: pd.DataFrame, paddings: list[str]) -> None:
    for padding in paddings:
        line = nmse[nmse["padding"] == padding].sort_values("feature_map")
        look = style.preset_look(padding)
        axes.plot(line["feature_map"], line["nmse"], **look.line | look.points, label=padding)
    if nmse.empty:
        style.say_empty(axes, "no successful run")
    axes.set_yscale("log")
    axes.axhline(1, color="0.4", linestyle="--", linewidth=0.7, zorder=1)
    axes.annotate("mean", (1.01, 1), xycoords=("axes fraction", "data"), va="center", color="0.35")
    axes.grid(axis="y")
