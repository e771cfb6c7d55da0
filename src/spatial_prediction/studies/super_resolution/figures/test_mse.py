"""Figure: test MSE of each preset, run by run."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from spatial_prediction.plotting import formatting, style
from spatial_prediction.studies.super_resolution.figures import looks

ROW_HEIGHT = 0.22
"""Inches from one preset's row to the next."""

MEAN_PLACE, SEED_PLACE, SEED_SPREAD = -0.18, 0.22, 0.15
"""Where the mean and the seeds stand in a row, and how far seeds stand apart, in heights of a row."""

LEGEND_COLUMNS, LEGEND_WIDTH = 12, 36
"""Seeds side by side in the legend at most, and the characters of all their names."""


@style.styled
def test_mse(
    mse_of_runs: pd.DataFrame,
    intervals: pd.DataFrame,
    presets: Mapping[str, int],
    baselines: Mapping[int, str],
    counts: pd.DataFrame | None = None,
    bilinear: Mapping[int, float] | None = None,
) -> Figure:
    """Draw the test MSE of each run beside mean and 95 % interval; one row per preset, grouped by crop.

    A seed has the same marker in every row.

    Args:
        mse_of_runs: columns preset, seed, mse (over the kept area); diverged runs have no rows.
        intervals: columns preset, mean, low, high of these MSEs; NaN ends are not drawn.
        presets: output crop of each preset, in the order of the rows.
        baselines: baseline of each output crop; its mean is drawn as a dashed line through its group.
        counts: columns preset, succeeded, tried, written at the right; None leaves them out.
        bilinear: MSE of bilinear upscaling by output crop, written above each group and drawn as a broad grey
            line through it if it lies near the runs, else shown by an arrow towards it; None leaves it out.
    """
    rows = _row_positions(presets)
    last_row = max(rows.values(), default=0)
    seeds = looks.seed_points(mse_of_runs["seed"])
    columns = min(LEGEND_COLUMNS, LEGEND_WIDTH // max((len(f"{seed} ") for seed in seeds), default=1))
    legend_rows = -(-len(seeds) // columns)
    figure = style.new_figure(0.7 + ROW_HEIGHT * (last_row + 1) + 0.14 * (legend_rows + 1))
    axes = figure.subplots()
    axes.set_ylim(last_row + 0.7, -1.8)
    limits = {crop: bilinear[crop] for crop in set(presets.values())} if bilinear is not None else {}
    shown = list(mse_of_runs["mse"])
    near = limits if limits and shown and style.within_reach([*limits.values()], shown) else {}  # all or none
    ends = intervals[["mean", "low", "high"]].to_numpy() / looks.MSE_UNIT
    by_preset = dict(zip(intervals["preset"], ends.tolist(), strict=True))
    for preset, row in rows.items():
        runs = mse_of_runs[mse_of_runs["preset"] == preset]
        mse = dict(zip(runs["seed"], runs["mse"], strict=True))
        _draw_runs(axes, row, mse, seeds, preset, presets[preset])
        if preset in by_preset:
            _draw_interval(axes, row, by_preset[preset], preset, presets[preset])
        else:
            _write_no_run(axes, row)
    for crop, members in looks.presets_by_crop(presets).items():
        top, bottom = rows[members[0]], rows[members[-1]]
        _write_heading(axes, top - 0.95, _heading(crop, limits, [] if near else shown))
        if crop in near and any(preset in by_preset for preset in members):
            _draw_through(axes, top, bottom, near[crop] / looks.MSE_UNIT, looks.BILINEAR_LINE)
        if baselines.get(crop) in members and baselines[crop] in by_preset:
            _draw_through(axes, top, bottom, by_preset[baselines[crop]][0], looks.BASELINE_LINE)
    if counts is not None:
        _write_counts(axes, rows, counts)
    axes.set_yticks(list(rows.values()), list(rows))
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(looks.MSE_LABEL)
    axes.grid(axis="x")
    if mse_of_runs.empty:
        axes.set_xticks([])
    style.log_if_wide(axes.xaxis, [*shown, *near.values()])
    if seeds:
        handles = [Line2D([], [], color="0.35", **points) for points in seeds.values()]
        figure.legend(
            handles,
            list(map(str, seeds)),
            title="Seeds",
            title_fontsize=6.5,
            loc="outside lower center",
            ncols=min(columns, len(seeds)),
            handlelength=0.8,
            handletextpad=0.2,
            columnspacing=0.8,
        )
    style.settle_ticks(figure)
    return figure


def _row_positions(presets: Mapping[str, int]) -> dict[str, float]:
    """Number the rows from the top, leaving room for a heading above each group."""
    rows: dict[str, float] = {}
    position = 0.0
    for members in looks.presets_by_crop(presets).values():
        for preset in members:
            rows[preset] = position
            position += 1
        position += 1.5
    return rows


def _draw_runs(
    axes: Axes,
    row: float,
    mse: Mapping[int, float],
    seeds: Mapping[int, Mapping[str, Any]],
    preset: str,
    output_crop: int,
) -> None:
    # Spread over some height in the order of the seeds, so that equal values do not hide one another.
    heights = np.linspace(-SEED_SPREAD, SEED_SPREAD, len(seeds)) if len(seeds) > 1 else np.zeros(len(seeds))
    colour = looks.preset_look(preset, output_crop).colour
    for (seed, points), height in zip(seeds.items(), heights, strict=True):
        if seed in mse:
            place = row + SEED_PLACE + height
            axes.plot([mse[seed] / looks.MSE_UNIT], [place], color=colour, alpha=0.8, **points)


def _draw_interval(axes: Axes, row: float, interval: Sequence[float], preset: str, output_crop: int) -> None:
    look = looks.preset_look(preset, output_crop)
    mean, low, high = interval
    height = row + MEAN_PLACE
    axes.plot([low, high], [height] * 2, color=look.colour, linewidth=1.4, solid_capstyle="butt")
    axes.plot([mean], [height], **look.points, linestyle="", markersize=5)


def _write_no_run(axes: Axes, row: float) -> None:
    axes.annotate(
        "no successful run",
        (0.02, row),
        xycoords=("axes fraction", "data"),
        va="center",
        color="0.35",
        bbox=style.GROUND,
    )


def _draw_through(axes: Axes, top: float, bottom: float, mse: float, line: Mapping[str, Any]) -> None:
    """Draw a vertical line through the group with these first and last rows."""
    axes.plot([mse] * 2, [top - 0.5, bottom + 0.5], **line)


def _heading(crop: int, limits: Mapping[int, float], elsewhere: Sequence[float]) -> str:
    """Name a group and its bilinear MSE; if no line shows that, an arrow points towards it."""
    heading = looks.crop_title(crop)
    if crop not in limits:
        return heading
    heading += f"; bilinear: {formatting.number(limits[crop] / looks.MSE_UNIT)}"
    if elsewhere:
        heading += " →" if limits[crop] > max(elsewhere) else " ←"
    return heading


def _write_heading(axes: Axes, row: float, text: str) -> None:
    axes.annotate(text, (0.01, row), xycoords=("axes fraction", "data"), va="center", fontweight="bold")


def _write_counts(axes: Axes, rows: Mapping[str, float], counts: pd.DataFrame) -> None:
    axes.annotate("runs", (1.02, 1.0), xycoords="axes fraction", va="top", color="0.35")
    for preset, succeeded, tried in zip(counts["preset"], counts["succeeded"], counts["tried"], strict=True):
        text = f"{succeeded}/{tried}"
        axes.annotate(
            text, (1.02, rows[preset]), xycoords=("axes fraction", "data"), va="center", color="0.35"
        )
