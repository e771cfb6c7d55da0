"""Figure: accuracy against speed."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spatial_prediction.plotting import style
from spatial_prediction.studies.super_resolution.figures import looks

_PANELS = (
    ("training_images_per_second", 1.0, "Training throughput (images/s)"),
    ("inference_pixels_per_second", 1e6, r"Inference throughput ($10^{6}$ output pixels/s)"),
)

LEGEND_COLUMNS = 3


@style.styled
def throughput(results: pd.DataFrame, presets: Mapping[str, int]) -> Figure:
    """Draw test MSE against training and inference throughput; the best presets lie at the lower right.

    Args:
        results: columns preset, mse_mean, mse_low, mse_high, training_images_per_second,
            inference_pixels_per_second; presets with NaN in one of them are left out of that panel; presets
            that no panel shows are left out of the legend.
        presets: output crop of each preset, in the order of the legend.
    """
    figure = style.new_figure(3.5 + 0.13 * -(-len(_shown(results, presets)) // LEGEND_COLUMNS))
    panels = figure.subplots(2, sharey=True)
    for axes, (column, unit, label) in zip(panels, _PANELS, strict=True):
        _draw_panel(axes, results, presets, column, unit)
        axes.set_xlabel(label)
    figure.supylabel(looks.MSE_LABEL, fontsize=7)
    named = {
        label: handle
        for axes in panels
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    order = [preset for preset in presets if preset in named]
    if order:
        handles = [named[preset] for preset in order]
        figure.legend(handles, order, loc="outside lower center", ncols=LEGEND_COLUMNS)
    style.settle_ticks(figure)
    return figure


def _shown(results: pd.DataFrame, presets: Mapping[str, int]) -> list[str]:
    """List the presets that at least one panel shows."""
    speeds = [column for column, _, _ in _PANELS]
    drawn = results["mse_mean"].notna() & results[speeds].notna().any(axis=1)
    return [preset for preset in results.loc[drawn, "preset"] if preset in presets]


def _draw_panel(
    axes: Axes, results: pd.DataFrame, presets: Mapping[str, int], column: str, unit: float
) -> None:
    drawn = results.dropna(subset=["mse_mean", column])
    by_preset = {row["preset"]: row for row in drawn.to_dict("records")}
    for preset, output_crop in presets.items():
        if preset not in by_preset:
            continue
        look = looks.preset_look(preset, output_crop)
        point = by_preset[preset]
        x = point[column] / unit
        mean, low, high = (point[f"mse_{name}"] / looks.MSE_UNIT for name in ("mean", "low", "high"))
        axes.plot([x, x], [low, high], color=look.colour, linewidth=0.7, alpha=0.6)
        axes.plot([x], [mean], **look.points, linestyle="", markersize=5, label=preset)
    if drawn.empty:
        style.say_empty(axes, "no successful run with a timing")
        axes.set_xticks([])
        axes.tick_params(left=False, labelleft=False)
    axes.grid(not drawn.empty)
    style.log_if_wide(axes.xaxis, list(drawn[column] / unit))
    style.log_if_wide(axes.yaxis, list(drawn["mse_mean"]))
