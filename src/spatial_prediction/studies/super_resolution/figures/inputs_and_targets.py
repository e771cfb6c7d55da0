"""Figure: what the networks are given, and what they should make of it."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from spatial_prediction.plotting import style
from spatial_prediction.studies.super_resolution.figures.picture_columns import picture_columns


@style.styled
def inputs_and_targets(columns: Mapping[str, np.ndarray]) -> Figure:
    """Show input, bilinear upscaling and target, one row per scene.

    Args:
        columns: images by column title, from left to right; each (scenes, height, width, 3), ready for the
            screen (sRGB, 0 to 1).

    Raises:
        ConfigurationError: when there is nothing to show or the columns differ in their number of scenes.
    """
    return picture_columns(columns, across=len(columns) or 1, width=style.COLUMN_WIDTH)[0]
