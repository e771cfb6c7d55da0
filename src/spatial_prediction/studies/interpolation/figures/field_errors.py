"""Figure: errors of models and baselines on hidden pixels of test frames."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from spatial_prediction.plotting import style
from spatial_prediction.studies.interpolation.figures import looks

LINE, HEADING, LEGEND = 0.125, 0.4, 0.3
"""Inches for a model's name, for what else a row of panels needs, and for what stands once."""


@style.styled
def field_errors(scores: pd.DataFrame, winners: Mapping[str, str]) -> Figure:
    """Draw MAE and RMSE, a panel for each mask.

    Args:
        scores: rows of one protocol, part and choice of pixels: mask, model, kind, mae, rmse.
        winners: for each mask the model chosen on validation frames.
    """
    masks = list(dict.fromkeys(scores["mask"]))
    rows, columns, width = style.panel_grid(len(masks), 1, 1, 2)
    most = scores.groupby("mask")["model"].size().max() if masks else 1
    figure = style.new_figure(LEGEND + rows * (HEADING + LINE * most), width)
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes, mask in zip(panels, masks, strict=False):
        _draw_panel(axes, looks.by_error(scores[scores["mask"] == mask]), winners.get(mask))
        axes.set_title(looks.mask_label(mask))
    for axes in panels[len(masks) :]:
        axes.remove()
    names: dict[str, dict[str, Any]] = {
        "MAE": {"color": "black"},
        "RMSE": {"color": "black", "markerfacecolor": "white"},
        "model": {"color": looks.MODEL},
        "chosen on validation": {"color": looks.WINNER},
        "baseline": {"color": looks.BASELINE},
    }
    handles = [Line2D([], [], linestyle="", marker="o", label=name, **look) for name, look in names.items()]
    figure.legend(
        handles=handles, loc="outside upper center", ncols=len(names), handlelength=0.8, columnspacing=0.8
    )
    figure.supxlabel("Error, in units of the field's largest value", fontsize=7)
    style.settle_ticks(figure)
    return figure


def _draw_panel(axes: Axes, table: pd.DataFrame, winner: str | None) -> None:
    places = np.arange(len(table))
    for place, (_, row) in zip(places, table.iterrows(), strict=True):
        colour = looks.colour(row["model"], row["kind"], winner)
        axes.plot([row["mae"], row["rmse"]], [place, place], color=colour, linewidth=0.6)
        axes.plot(row["mae"], place, marker="o", color=colour)
        axes.plot(row["rmse"], place, marker="o", color=colour, markerfacecolor="white")
    axes.set_yticks(places, table["model"])
    axes.set_ylim(len(table) - 0.5, -0.5)
    axes.set_xlim(left=0)
    axes.grid(axis="x")
