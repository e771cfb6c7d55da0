"""Figure: test MSE by distance from the border."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spatial_prediction.figures import style

SPACING, SPREAD = 0.1, 0.6
"""Distance between neighbouring presets, and between the first and the last at most, in shells."""

MOST_BESIDE_DATA = 9
"""Presets whose legend fits beside the data. More have it above them."""

LEGEND_ROW = 0.075
"""Height of three presets in the legend, as a share of the panel."""


@style.styled
def mse_by_shell(shells: pd.DataFrame, presets: Mapping[str, int]) -> Figure:
    """Draw the test MSE in each shell, one panel an output crop, one line a preset.

    Shells that the training loss left out are shaded: there the padding alone, not training, keeps the error
    low.

    Args:
        shells: columns preset, shell, mean, low, high; NaN ends are not drawn.
        presets: output crop of each preset, in the order of the legend.
    """
    groups = style.presets_by_crop(presets)
    heights = [1.75 + 0.11 * ((len(members) - 1) // 3) for members in groups.values()]
    figure = style.new_figure(0.25 + sum(heights))
    panels = figure.subplots(len(groups), squeeze=False, sharex=True, height_ratios=heights)[:, 0]
    last = int(shells["shell"].max()) if len(shells) else 10
    for axes, (crop, members) in zip(panels, groups.items(), strict=True):
        _draw_panel(axes, shells[shells["preset"].isin(members)], crop, members)
        axes.set_xlim(-0.5, last + 0.5)
    panels[-1].set_xticks(range(last + 1), [*map(str, range(last)), f"{last}+"])
    panels[-1].set_xlabel("Shell (ring of one input pixel, from the border inwards)")
    figure.supylabel(style.MSE_LABEL, fontsize=7)
    return figure


def _draw_panel(axes: Axes, shells: pd.DataFrame, output_crop: int, members: Sequence[str]) -> None:
    # Presets stand side by side within a shell: most differ by less than the height of a marker.
    spread = min(SPREAD, SPACING * (len(members) - 1))
    shifts = np.linspace(-spread / 2, spread / 2, len(members))
    for preset, shift in zip(members, shifts, strict=True):
        line = shells[shells["preset"] == preset].sort_values("shell")
        _draw_line(axes, line, float(shift), preset, output_crop)
    if shells.empty:
        style.say_empty(axes, "no successful run")
        axes.set_yticks([])
    elif output_crop > 0:
        _shade_outside_loss(axes, output_crop)
    axes.set_title(style.crop_title(output_crop), loc="left", fontweight="bold")
    axes.grid(axis="y")
    style.log_if_wide(axes.yaxis, list(shells["mean"]))
    axes.legend(loc="upper right", ncols=3 if len(members) > 6 else 2)
    if len(members) > MOST_BESIDE_DATA:
        axes.autoscale_view()  # or the limits are not yet those of the data
        room = 1 - LEGEND_ROW * -(-len(members) // 3)
        ends = axes.transAxes.transform([(0, 0), (0, 1 / room)])
        axes.set_ylim(*axes.transData.inverted().transform(ends)[:, 1])


def _draw_line(axes: Axes, line: pd.DataFrame, shift: float, preset: str, output_crop: int) -> None:
    look = style.preset_look(preset, output_crop)
    place = line["shell"] + shift
    label = preset if len(line) else f"{preset} (no run)"
    drawing = look.line | look.points | {"linewidth": 0.6, "markersize": 3.2}
    axes.plot(place, line["mean"] / style.MSE_UNIT, **drawing, label=label)
    axes.vlines(place, line["low"] / style.MSE_UNIT, line["high"] / style.MSE_UNIT, color=look.colour)


def _shade_outside_loss(axes: Axes, output_crop: int) -> None:
    edge = output_crop - 0.5
    axes.axvspan(-0.5, edge, color="0.92", linewidth=0)
    axes.annotate(
        "outside the training loss",
        xy=(edge - 0.05, 0.4),
        xytext=(edge + 1.0, 0.4),
        xycoords=axes.get_xaxis_transform(),
        va="center",
        color="0.35",
        arrowprops={"arrowstyle": "->", "color": "0.35", "linewidth": 0.6},
    )
