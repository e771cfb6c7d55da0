"""Figure: where four tiles meet that were upscaled separately."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spatial_prediction.plotting import style
from spatial_prediction.plotting.colour import display_range, displayed
from spatial_prediction.studies.super_resolution.figures.picture_columns import picture_columns


@style.styled
def stitched_corners(
    stitched: Mapping[str, np.ndarray],
    untiled: Mapping[str, np.ndarray],
    target: np.ndarray,
    scenes: Sequence[int],
) -> Figure:
    """Show what lies around the point in which four tiles meet, one column per preset and the target.

    Two rows per scene: four tiles put side by side, ticks marking where they meet, and one window around
    all of it. Both are shown in the range of the target.

    Args:
        stitched: by preset, four tiles put together, reflectance (scenes, side, side, 3).
        untiled: by preset, the same from one window.
        target: what should have come out, of the same shape.
        scenes: their numbers, for the labels of the rows.
    """
    shown = display_range(target)
    columns = {
        preset: _alternating(displayed(stitched[preset], shown), displayed(untiled[preset], shown))
        for preset in stitched
    }
    columns["(target)"] = np.repeat(displayed(target, shown), 2, axis=0)
    labels = [f"scene {scene}\n{what}" for scene in scenes for what in ("four tiles", "one window")]
    figure, panels = picture_columns(columns, width=style.PAGE_WIDTH, row_labels=labels)
    for preset in stitched:
        for axes in panels[preset][::2]:
            mark_crossing(axes, target.shape[1])
    return figure


def mark_crossing(axes: Axes, side: int) -> None:
    """Mark where tiles meet in the middle of a picture by ticks around it."""
    middle = [side / 2 - 0.5]  # between two pixels, whose centres lie on whole numbers
    axes.set(xticks=middle, yticks=middle, xticklabels=[], yticklabels=[])
    axes.tick_params(length=2.5, width=0.7, top=True, right=True, pad=0)


def _alternating(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.stack([first, second], axis=1).reshape(-1, *first.shape[1:])
