"""Figure: what a seam costs, and what it costs to have none."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spatial_prediction.plotting import style
from spatial_prediction.studies.super_resolution.figures import looks
from spatial_prediction.studies.super_resolution.figures.seams import DEVIATION_LABEL, SMALLEST

LOOKS: dict[str, dict[str, Any]] = {
    "padding": {"color": "#000000", "marker": "o", "label": "tiles abut"},
    "crop": {"color": "#0072B2", "marker": "s", "label": "overlap, cropped"},
    "blend linear": {"color": "#E69F00", "marker": "^", "label": "linear blend"},
    "blend hann": {"color": "#009E73", "marker": "D", "label": "Hann blend"},
    "blend gaussian": {"color": "#CC79A7", "marker": "v", "label": "Gaussian blend"},
}
"""Colours of Okabe and Ito, as in the other figures; here they stand for strategies."""

EXACT_LINE: dict[str, Any] = {"color": "0.4", "linestyle": "--", "linewidth": 0.7, "zorder": 1}


@style.styled
def strategies(costs: pd.DataFrame) -> Figure:
    """Draw deviation and error against relative compute, a row of panels for each preset.

    Args:
        costs: as ``metrics.strategy_costs`` returns them. The strategy ``exact`` is drawn as a vertical
            line, for on a logarithmic axis nothing is zero.
    """
    presets = list(costs["preset"].unique())
    rows = max(len(presets), 1)
    figure = style.new_figure(0.5 + 1.9 * rows, style.PAGE_WIDTH)
    panels = figure.subplots(rows, 2, squeeze=False, sharex=True)
    if not presets:
        for axes in panels.flat:
            style.say_empty(axes, "no successful run")
    for (left, right), preset in zip(panels, presets, strict=False):
        of_preset = costs[costs["preset"] == preset]
        _draw(left, of_preset, "seam_deviation", looks.MSE_UNIT, SMALLEST)
        _draw(right, of_preset, "error_percent", 1.0, None)
        left.set_title(preset, loc="left", fontweight="bold")
        left.set_ylabel(DEVIATION_LABEL)
        right.set_ylabel("MSE against untiled (%)")
        shown = of_preset.loc[of_preset["seam_deviation"] >= SMALLEST, "seam_deviation"] / looks.MSE_UNIT
        style.log_if_wide(left.yaxis, shown.tolist())
    for axes in panels[-1]:
        axes.set_xlabel("Relative compute (pixels read for each kept)")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside upper center", ncols=len(handles))
    style.settle_ticks(figure)
    return figure


def _draw(axes: Axes, costs: pd.DataFrame, column: str, unit: float, smallest: float | None) -> None:
    abutting: Sequence[str] = ("padding",)
    for strategy, look in LOOKS.items():
        line = costs[costs["strategy"] == strategy].sort_values("relative_cost")
        if smallest is not None:
            line = line[line[column] >= smallest]
        if line.empty:
            continue
        style_of_line = "" if strategy in abutting else "-"
        axes.plot(line["relative_cost"], line[column] / unit, **look, linestyle=style_of_line, linewidth=0.7)
        ends = line.dropna(subset=[f"{column}_low", f"{column}_high"])
        low, high = (ends[f"{column}_{end}"] / unit for end in ("low", "high"))
        axes.vlines(ends["relative_cost"], low, high, color=look["color"], linewidth=0.7, alpha=0.6)
    for cost in costs.loc[costs["strategy"] == "exact", "relative_cost"]:
        axes.axvline(cost, **EXACT_LINE, label="exact: no seam")
    axes.grid(True)
