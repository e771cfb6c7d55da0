"""Figure: networks given other paddings than they were trained with."""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from spatial_prediction.plotting import formatting, style
from spatial_prediction.studies.super_resolution.figures import looks
from spatial_prediction.studies.super_resolution.figures.seams import DEVIATION_LABEL

_PANELS = {
    "deviation": DEVIATION_LABEL,
    "shell_0": r"MSE next to seams ($10^{-6}$)",
}


@style.styled
def transfer(results: pd.DataFrame, trained: Mapping[str, str]) -> Figure:
    """Draw deviation and outermost error as coloured numbers, a row a network, a column a padding.

    Args:
        results: as ``metrics.transfer_results`` returns them.
        trained: padding that each preset was trained with, in the order of the rows; these cells are framed.
    """
    rows = [
        (preset, int(crop))
        for preset in trained
        for crop in sorted(results.loc[results["preset"] == preset, "output_crop"].unique())
    ]
    columns = list(results["padding"].unique())
    figure = style.new_figure(0.8 + 0.24 * max(len(rows), 2), style.PAGE_WIDTH)
    panels = figure.subplots(1, 2, sharey=True)
    for axes, (quantity, title) in zip(panels, _PANELS.items(), strict=True):
        axes.set_title(title)
        if not rows:
            style.say_empty(axes, "no successful run")
            continue
        means = results[results["quantity"] == quantity].set_index(["preset", "output_crop", "padding"])[
            "mean"
        ]
        values = np.array(
            [[means.get((*row, column), math.nan) for column in columns] for row in rows], np.float64
        )
        _draw(axes, values / looks.MSE_UNIT)
        axes.set_xticks(range(len(columns)), columns)
        axes.set_xlabel("Padding of the tiles")
        for place, (preset, _) in enumerate(rows):
            if trained[preset] in columns:
                corner = (columns.index(trained[preset]) - 0.5, place - 0.5)
                axes.add_patch(Rectangle(corner, 1, 1, fill=False, linewidth=1.4, clip_on=False))
    if rows:
        panels[0].set_yticks(range(len(rows)), [_row_name(*row) for row in rows])
    return figure


def _row_name(preset: str, crop: int) -> str:
    return f"{preset}, cropped by {crop} px" if crop else preset


def _draw(axes: Axes, values: np.ndarray) -> None:
    positive = values[np.isfinite(values) & (values > 0)]
    low, high = positive.min(initial=math.inf), positive.max(initial=0.0)
    scale = LogNorm(low, max(high, 1.001 * low)) if len(positive) else None
    colours = colormaps["cividis_r"]
    axes.imshow(values, cmap=colours, norm=scale, aspect="auto")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    for (row, column), value in np.ndenumerate(values):
        dark = scale is not None and value > 0 and float(scale(value)) > 0.5
        text = formatting.number(value, formatting.significant_decimals(value, 3))
        axes.text(column, row, text, ha="center", va="center", color="white" if dark else "black")
