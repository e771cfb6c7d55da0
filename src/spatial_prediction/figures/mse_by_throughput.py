"""Figure: what accuracy costs."""

import math
from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spatial_prediction.figures import style

_PANELS = (
    ("training_images_per_second", 1.0, "Training throughput (images/s)"),
    ("inference_pixels_per_second", 1e6, r"Inference throughput ($10^{6}$ output pixels/s)"),
)


@style.styled
def mse_by_throughput(results: pd.DataFrame, presets: Mapping[str, int]) -> Figure:
    """Draw test MSE against training and inference throughput; the best presets lie at the lower right.

    Args:
        results: columns preset, mse_mean, mse_low, mse_high, training_images_per_second,
            inference_pixels_per_second; presets with NaN in one of them are left out of that panel.
        presets: output crop of each preset, in the order of the legend.
    """
    legend_rows = -(-len(presets) // 3)
    figure = style.new_figure(3.5 + 0.13 * legend_rows)
    panels = figure.subplots(2, sharey=True)
    for axes, (column, unit, label) in zip(panels, _PANELS, strict=True):
        _draw_panel(axes, results, presets, column, unit)
        axes.set_xlabel(label)
    figure.supylabel(style.MSE_LABEL, fontsize=7)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _draw_panel(
    axes: Axes, results: pd.DataFrame, presets: Mapping[str, int], column: str, unit: float
) -> None:
    by_preset = {row["preset"]: row for row in results.to_dict("records")}
    for preset, output_crop in presets.items():
        look = style.preset_look(preset, output_crop)
        point = by_preset[preset]
        x = point[column] / unit
        mean, low, high = (point[f"mse_{name}"] / style.MSE_UNIT for name in ("mean", "low", "high"))
        label = None if math.isnan(mean) else preset
        axes.plot([x, x], [low, high], color=look.colour, linewidth=0.7, alpha=0.6)
        axes.plot([x], [mean], **look.points, linestyle="", markersize=5, label=label)
    drawn = results.dropna(subset=["mse_mean", column])
    if drawn.empty:
        style.say_empty(axes, "no successful run with a timing")
        axes.set_xticks([])
        axes.tick_params(left=False, labelleft=False)
    axes.grid()
    style.log_if_wide(axes.xaxis, list(drawn[column] / unit))
    style.log_if_wide(axes.yaxis, list(drawn["mse_mean"]))
