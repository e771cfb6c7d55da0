"""Figure: several scenes continued by the largest linear prediction, above the truth."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from spatial_prediction.plotting import style
from spatial_prediction.studies.super_resolution.figures.picture_columns import outline, picture_columns

WIDE = 6
"""Scenes side by side on the whole width of a page."""


@style.styled
def lp6x7_samples(images: Mapping[str, np.ndarray], scenes: list[int], pad: int) -> Figure:
    """Show scenes padded by each padding, a row per padding, the known area outlined.

    Args:
        images: padded scenes by padding name, rows from the top; each (scenes, height, width, 3), ready for
            the screen (sRGB, 0 to 1).
        scenes: numbers of the scenes, for the titles.
        pad: pixels on each side that are made up.

    Raises:
        ConfigurationError: when there is nothing to show.
    """
    stacked = np.stack(list(images.values()), axis=1)
    columns = {f"scene {scene}": rows for scene, rows in zip(scenes, stacked, strict=True)}
    width = style.COLUMN_WIDTH if len(columns) <= WIDE // 2 else style.PAGE_WIDTH
    figure, panels = picture_columns(columns, across=WIDE, width=width, row_labels=list(images))
    for column in panels.values():
        for axes in column:
            height, width_shown = stacked.shape[2:4]
            outline(axes, pad, pad, width_shown - 2 * pad, height - 2 * pad)
    return figure
