"""Figure: test MSE by distance from the border."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend import Legend

from spatial_prediction.plotting import style
from spatial_prediction.studies.super_resolution.figures import looks

SPACING, SPREAD = 0.1, 0.6
"""Distance between neighbouring presets, and the largest between the first and the last, in shells."""

LEGEND_COLUMNS = (3, 2, 1)
"""The most names side by side above a panel."""

LEGEND_ROW = 0.13
"""Height of a row of the legend in inches."""

MARGIN = 0.75
"""Inches beside a panel that its legend leaves for labels."""

FEW_PANELS = 3
"""The most panels in one column; more stand in two columns."""


@style.styled
def shell_mse(
    shells: pd.DataFrame, presets: Mapping[str, int], bilinear: pd.DataFrame | None = None
) -> Figure:
    """Draw the test MSE in each shell, one panel per output crop, one line per preset.

    Shells that the training loss left out are shaded: there only the padding, not training, keeps the error
    low.

    Args:
        shells: columns preset, shell, mean, low, high; NaN ends are not drawn.
        presets: output crop of each preset, in the order of the legend.
        bilinear: columns shell, mse of bilinear upscaling, drawn as a broad grey line in the panels whose
            values lie near it; None leaves it out.
    """
    groups = looks.presets_by_crop(presets)
    rows, columns, width = style.panel_grid(len(groups), FEW_PANELS, 1, 2)
    figure = style.new_figure(1.0, width)
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    last = looks.last_shell(shells)
    for axes, (crop, members) in zip(panels, groups.items(), strict=False):
        _draw_panel(axes, shells[shells["preset"].isin(members)], crop, members, bilinear)
        axes.set_xlim(-0.5, last + 0.5)
        axes.set_xticks(range(last + 1), [*map(str, range(last)), f"{last}+"])
    for axes in panels[len(groups) :]:
        axes.remove()
    tallest = max(
        _fit_legend(axes, looks.crop_title(crop), width / columns, figure.dpi)
        for axes, crop in zip(panels, groups, strict=False)
    )
    figure.set_figheight(0.25 + rows * (1.65 + LEGEND_ROW * tallest))
    figure.supxlabel("Shell (ring of one input pixel, from the border inwards)", fontsize=7)
    figure.supylabel(looks.MSE_LABEL, fontsize=7)
    style.settle_ticks(figure)
    return figure


def _draw_panel(
    axes: Axes,
    shells: pd.DataFrame,
    output_crop: int,
    members: Sequence[str],
    bilinear: pd.DataFrame | None,
) -> None:
    # Presets stand side by side within a shell: most differ by less than the height of a marker.
    spread = min(SPREAD, SPACING * (len(members) - 1))
    shifts = np.linspace(-spread / 2, spread / 2, len(members))
    for preset, shift in zip(members, shifts, strict=True):
        line = shells[shells["preset"] == preset].sort_values("shell")
        _draw_line(axes, line, float(shift), preset, output_crop)
    shown = list(shells["mean"])
    if shells.empty:
        style.say_empty(axes, "no successful run")
        axes.set_yticks([])
    elif output_crop > 0:
        axes.axvspan(
            -0.5, output_crop - 0.5, color="0.92", linewidth=0, zorder=0, label="outside training loss"
        )
    if bilinear is not None and shown and style.within_reach(bilinear["mse"].tolist(), shown):
        errors = bilinear["mse"] / looks.MSE_UNIT
        axes.plot(bilinear["shell"], errors, **looks.BILINEAR_LINE, label="bilinear")
        shown += list(bilinear["mse"])
    elif bilinear is not None and shown:
        low, high = (f"{end / looks.MSE_UNIT:.4g}" for end in (bilinear["mse"].min(), bilinear["mse"].max()))
        axes.plot([], [], linestyle="", label=f"(bilinear: {low} to {high})")
    axes.grid(axis="y")
    style.log_if_wide(axes.yaxis, shown)


def _fit_legend(axes: Axes, title: str, width: float, dpi: float) -> int:
    """Give the legend as many columns as fit ``width`` inches; return its number of rows."""
    for columns in LEGEND_COLUMNS:
        legend = _draw_legend(axes, title, columns)
        if legend.get_window_extent().width <= (width - MARGIN) * dpi:
            break
    return -(-len(legend.get_texts()) // columns)


def _draw_legend(axes: Axes, title: str, columns: int) -> Legend:
    """Name the lines above the panel, where no line can be."""
    return axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1),
        borderaxespad=0.2,
        borderpad=0.1,
        ncols=columns,
        title=title,
        alignment="left",
        title_fontproperties={"weight": "bold", "size": 7.5},
    )


def _draw_line(axes: Axes, line: pd.DataFrame, shift: float, preset: str, output_crop: int) -> None:
    look = looks.preset_look(preset, output_crop)
    place = line["shell"] + shift
    label = preset if len(line) else f"{preset} (no run)"
    drawing = look.line | look.points | {"linewidth": 0.6, "markersize": 3.2}
    axes.plot(place, line["mean"] / looks.MSE_UNIT, **drawing, label=label)
    axes.vlines(place, line["low"] / looks.MSE_UNIT, line["high"] / looks.MSE_UNIT, color=look.colour)
