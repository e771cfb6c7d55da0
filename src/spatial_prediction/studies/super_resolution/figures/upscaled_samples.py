"""Figure: input, outputs of the networks, and target."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from spatial_prediction.plotting import style
from spatial_prediction.studies.super_resolution.figures.picture_columns import picture_columns

FEW, NARROW, WIDE = 12, 6, 11
"""The most pictures side by side for one column of a page; columns there, and on the whole width."""


@style.styled
def upscaled_samples(columns: Mapping[str, np.ndarray]) -> Figure:
    """Show sample images side by side, one row per sample; columns that do not fit the width continue below.

    Args:
        columns: images by column title, from left to right, for instance ``{"Bilinear": …, "Prediction": …,
            "Target": …}``; each (samples, height, width, 3), ready for the screen (sRGB, 0 to 1; what lies
            outside is clipped). Heights and widths may differ between columns, such as for the low-resolution
            input.

    Raises:
        ConfigurationError: when there is nothing to show or the columns differ in their number of samples.
    """
    _, across, width = style.panel_grid(max(1, len(columns)), FEW, NARROW, WIDE)
    return picture_columns(columns, across=across, width=width)[0]
