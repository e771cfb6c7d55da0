"""Figure: test loss during training."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spatial_prediction.plotting import style
from spatial_prediction.studies.super_resolution.figures import looks

FEW, NARROW, WIDE = 12, 3, 6
"""The most panels for one column of a page; panels side by side there, and on the whole width."""

RANGE = 10.0
"""The axis ends at this multiple of the lowest test loss; losses above it are those of the first steps."""

SMOOTHING = 0.04
"""Width of the running median as a share of the number of measurements."""


@style.styled
def loss_histories(
    histories: pd.DataFrame, presets: Mapping[str, int], runs: pd.DataFrame | None = None
) -> Figure:
    """Draw test loss against training step on logarithmic axes, one panel per preset.

    Thin lines are single seeds, the thick line their median smoothed by a running median over 4 % of the
    measurements. The axis ends at ten times the lowest loss, or where the middle preset ends. A cross marks
    the last test loss of a run that diverged; a panel without any line says why. The first preset's thick
    line is shown in grey in every panel for comparison.

    Args:
        histories: columns preset, seed, step, test_loss (NaN where not measured). Step 0 cannot be shown on a
            logarithmic axis and is left out.
        presets: output crop of each preset, in the order of the panels.
        runs: columns preset, seed, status; with None no divergence is marked.
    """
    usable = np.isfinite(histories["test_loss"]) & (histories["test_loss"] > 0) & (histories["step"] > 0)
    measured = histories[usable]
    rows, columns, width = style.panel_grid(len(presets), FEW, NARROW, WIDE)
    figure = style.new_figure(0.45 + (1.05 if rows > 1 else 1.9) * rows, width)
    panels = list(figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).flat)
    reference = _typical(measured, next(iter(presets)))
    for axes, (preset, output_crop) in zip(panels, presets.items(), strict=False):
        axes.plot(reference.index, reference / looks.MSE_UNIT, color="0.75", linewidth=1.4)
        _draw_preset(axes, measured[measured["preset"] == preset], preset, output_crop)
        axes.set_title(preset, loc="left", fontsize=6.5)
        axes.grid()
    by_preset = dict(zip(presets, panels, strict=False))
    _limit_losses(panels[0], measured)
    if runs is not None:
        _mark_diverged(by_preset, measured, runs)
    _say_what_is_missing(by_preset, measured, runs)
    _clear_unused(panels, len(presets), columns)
    figure.supxlabel("Training step", fontsize=7)
    figure.supylabel(r"Test loss ($10^{-6}$ of the [$-$1, 1] scale)", fontsize=7)
    style.settle_ticks(figure)
    return figure


def _typical(measured: pd.DataFrame, preset: str) -> pd.Series:
    median = measured[measured["preset"] == preset].groupby("step")["test_loss"].median()
    window = max(1, round(SMOOTHING * len(median)))
    return median.rolling(window, center=True, min_periods=1).median()


def _draw_preset(axes: Axes, measured: pd.DataFrame, preset: str, output_crop: int) -> None:
    look = looks.preset_look(preset, output_crop)
    for _, run in measured.groupby("seed"):
        axes.plot(run["step"], run["test_loss"] / looks.MSE_UNIT, color=look.colour, linewidth=0.4, alpha=0.6)
    typical = _typical(measured, preset)
    dot = "." if len(typical) == 1 else None  # a line needs two points
    axes.plot(typical.index, typical / looks.MSE_UNIT, color=look.colour, linewidth=1.0, marker=dot)


def _limit_losses(axes: Axes, measured: pd.DataFrame) -> None:
    """End the axis below the loss of the first steps, so that the rest can be distinguished.

    If most presets end above that, the axis reaches to where the middle one ends.
    """
    last = measured.sort_values("step").groupby(["preset", "seed"])["test_loss"].last()
    ends = last.groupby("preset").median()
    shown = measured[measured["test_loss"] <= max(RANGE * measured["test_loss"].min(), ends.median())]
    if shown.empty:  # a logarithmic axis needs something to show
        axes.set(xticks=[], yticks=[])
        return
    axes.set(xscale="log", yscale="log")
    losses = shown["test_loss"] / looks.MSE_UNIT
    first, final = shown["step"].min(), measured["step"].max()
    axes.set(xlim=(first / 1.2, final * 1.2))
    axes.set(ylim=(losses.min() / 1.1, losses.max() * 1.1))
    style.plain_log_ticks(axes.yaxis)
    if final < 100 * first:
        style.plain_log_ticks(axes.xaxis, most=3)


def _mark_diverged(panels: Mapping[str, Axes], measured: pd.DataFrame, runs: pd.DataFrame) -> None:
    diverged = runs.loc[runs["status"] == "diverged", ["preset", "seed"]]
    last = measured.sort_values("step").groupby(["preset", "seed"], as_index=False).last()
    for preset, points in last.merge(diverged, on=["preset", "seed"]).groupby("preset"):
        if preset in panels:
            axes = panels[str(preset)]
            losses = (points["test_loss"] / looks.MSE_UNIT).clip(upper=axes.get_ylim()[1])
            axes.plot(points["step"], losses, "kx", markersize=3.5, clip_on=False)


def _say_what_is_missing(
    panels: Mapping[str, Axes], measured: pd.DataFrame, runs: pd.DataFrame | None
) -> None:
    """Write in each panel without a line why there is none."""
    for preset, axes in panels.items():
        losses = measured.loc[measured["preset"] == preset, "test_loss"] / looks.MSE_UNIT
        tried = None if runs is None else runs[runs["preset"] == preset]
        if losses.empty and tried is not None and len(tried) and (tried["status"] == "diverged").all():
            first, last = tried["step"].min(), tried["step"].max()
            steps = f"step {first}" if first == last else f"steps {first} to {last}"
            style.say_empty(axes, f"diverged\nat {steps}")
        elif losses.empty:
            style.say_empty(axes, "not measured")
        elif losses.min() > axes.get_ylim()[1]:
            style.say_empty(axes, "above\nthe axis")


def _clear_unused(panels: Sequence[Axes], used: int, columns: int) -> None:
    """Remove the panels that no preset needs and give their step labels to the panels above."""
    for position in range(used, len(panels)):
        panels[position].remove()
        panels[position - columns].tick_params(labelbottom=True)
