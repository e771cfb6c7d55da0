"""Figure: calibration of the predictive intervals."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spatial_prediction.plotting import style
from spatial_prediction.studies.interpolation.figures import looks
from spatial_prediction.studies.interpolation.metrics import PIT_BINS, coverage_curve

SHOWN_BINS = 20
"""Bins of the histograms, each of several that are stored."""


@style.styled
def calibration(scores: pd.DataFrame, winners: Mapping[str, str]) -> Figure:
    """Draw, for each mask, coverage against nominal level and the winner's PIT histogram.

    On the diagonal, intervals hold what they promise; below it they are too narrow. A flat histogram shows
    the same for the whole distribution.

    Args:
        scores: rows of one protocol, part and choice of pixels: mask, model, kind and ``pit``.
        winners: for each mask the model chosen on validation frames.
    """
    models = scores[scores["kind"] == "model"]
    masks = list(dict.fromkeys(models["mask"]))
    rows = max(len(masks), 1)
    figure = style.new_figure(0.3 + 1.75 * rows, style.COLUMN_WIDTH)
    grid = figure.subplots(rows, 2, squeeze=False)
    if not masks:
        style.say_empty(grid[0, 0], "no model")
    for (curve, histogram), mask in zip(grid, masks, strict=False):
        curve.plot([0, 1], [0, 1], color="0.4", linewidth=0.6, linestyle="--")
        for _, row in models[models["mask"] == mask].iterrows():
            counts = np.asarray(row["pit"], dtype=np.int64)
            if counts.sum() == 0:
                continue
            chosen = row["model"] == winners.get(mask)
            look = {"color": looks.WINNER, "zorder": 3} if chosen else {"color": looks.MODEL, "alpha": 0.35}
            curve.plot(*coverage_curve(counts), **look, linewidth=1.2 if chosen else 0.6)
            if chosen:
                _draw_histogram(histogram, counts)
                histogram.set_title(f"{row['model']}, chosen")
        curve.set(xlim=(0, 1), ylim=(0, 1), title=looks.mask_label(mask))
        for axes in (curve, histogram):
            axes.set_box_aspect(1)
        curve.set_ylabel("Share inside")
        histogram.set_ylabel("Density")
        curve.grid()
    grid[-1, 0].set_xlabel("Nominal level of the interval")
    grid[-1, 1].set_xlabel("Probability integral transform")
    style.settle_ticks(figure)
    return figure


def _draw_histogram(axes: Axes, counts: np.ndarray) -> None:
    density = counts.reshape(SHOWN_BINS, PIT_BINS // SHOWN_BINS).sum(axis=1) * SHOWN_BINS / counts.sum()
    edges = np.linspace(0, 1, SHOWN_BINS + 1)
    axes.stairs(density, edges, fill=True, color=looks.WINNER, alpha=0.6)
    axes.axhline(1.0, color="0.4", linewidth=0.6, linestyle="--")
    axes.set_xlim(0, 1)
