"""Figure: what paddings can do at best on noise that is blurred more and more."""

import pandas as pd
from matplotlib.figure import Figure

from spatial_prediction.plotting import style
from spatial_prediction.studies.super_resolution.figures import looks

LEGEND_COLUMNS = 4
MARKERS = 8
"""Markers along a line, which distinguish the lines in grey."""


@style.styled
def blur_theory(curves: pd.DataFrame) -> Figure:
    """Draw the expected error of paddings against the blur of the noise that they continue.

    Args:
        curves: columns padding, blur (standard deviation of the Gaussian, pixels), nmse.
    """
    paddings = list(dict.fromkeys(curves["padding"]))
    figure = style.new_figure(2.5 + 0.13 * -(-len(paddings) // LEGEND_COLUMNS))
    axes = figure.subplots()
    for place, padding in enumerate(paddings):
        curve = curves[curves["padding"] == padding].sort_values("blur")
        look = looks.preset_look(padding)
        every = max(1, len(curve) // MARKERS)
        # lines that coincide for a while have their markers in different places
        first = place * every // len(paddings)
        axes.plot(
            curve["blur"],
            curve["nmse"],
            **look.line | look.points,
            markevery=(first, every),
            label=padding,
        )
    axes.set(yscale="log", xlabel="Standard deviation of the blur (pixels)")
    axes.set_ylabel("Expected error / variance (NMSE)")
    axes.set_xlim(0, curves["blur"].max())
    axes.grid()
    figure.legend(loc="outside lower center", ncols=LEGEND_COLUMNS)
    style.settle_ticks(figure)
    return figure
