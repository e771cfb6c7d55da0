"""Figure: whether the models' variances can be trusted."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spatial_prediction.plotting import style
from spatial_prediction.studies.interpolation.figures import looks

MEASURES = {
    "coverage": "Coverage of 95 % intervals",
    "nlpd": "Negative log density",
    "correlation": "Correlation of variance\nand squared error",
    "mean_variance": "Root mean variance",
}
"""What is drawn, each on an axis of its own: they differ by a thousand."""

IDEAL = {"coverage": 0.95}


@style.styled
def uncertainty(scores: pd.DataFrame, winners: Mapping[str, str]) -> Figure:
    """Draw coverage, density, correlation and spread of every model, a row of panels for each mask.

    Args:
        scores: rows of one protocol, part and choice of pixels: mask, model, kind and measures; baselines,
            which have none of these, are left out.
        winners: for each mask the model chosen on validation frames.
    """
    models = scores[scores["kind"] == "model"]
    masks = list(dict.fromkeys(models["mask"]))
    most = models.groupby("mask")["model"].size().max() if masks else 1
    figure = style.new_figure(0.45 + max(len(masks), 1) * (0.4 + 0.125 * most), style.PAGE_WIDTH)
    grid = figure.subplots(max(len(masks), 1), len(MEASURES), squeeze=False, sharex="col", sharey="row")
    if not masks:
        style.say_empty(grid[0, 0], "no model")
    for panels, mask in zip(grid, masks, strict=False):
        table = looks.by_error(models[models["mask"] == mask])
        for axes, measure in zip(panels, MEASURES, strict=True):
            _draw_panel(axes, table, measure, winners.get(mask))
        panels[0].set_title(looks.mask_label(mask), loc="left")
    for axes, label in zip(grid[-1], MEASURES.values(), strict=True):
        axes.set_xlabel(label)
    style.settle_ticks(figure)
    return figure


def _draw_panel(axes: Axes, table: pd.DataFrame, measure: str, winner: str | None) -> None:
    values = np.sqrt(table[measure]) if measure == "mean_variance" else table[measure]
    places = np.arange(len(table))
    if measure in IDEAL:
        axes.axvline(IDEAL[measure], color="0.4", linewidth=0.6, linestyle="--")
    colours = [looks.colour(model, "model", winner) for model in table["model"]]
    axes.scatter(values, places, c=colours, s=14)
    axes.set_yticks(places, table["model"])
    axes.set_ylim(len(table) - 0.5, -0.5)
    axes.grid(axis="x")
