"""Figure: what the network sees, makes of it, and should have made of it."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.figures import style

NARROWEST_PANEL = 0.7
"""Inches."""


@style.styled
def training_samples(columns: Mapping[str, np.ndarray]) -> Figure:
    """Show sample images side by side, one row a sample.

    Args:
        columns: images by column title, from left to right, for instance ``{"Bilinear": …, "Prediction": …,
            "Target": …}``; each (samples, height, width, 3), ready for the screen (sRGB, 0 to 1; what lies
            outside is clipped). Heights and widths may differ between columns, such as for the low-resolution
            input.

    Raises:
        ConfigurationError: when there is nothing to show or the columns differ in their number of samples.
    """
    samples = _common_count(columns)
    # narrower panels would be too small for their titles
    width = max(style.COLUMN_WIDTH, NARROWEST_PANEL * len(columns))
    figure = style.new_picture_grid(0.2 + samples * width / max(2, len(columns)), width)
    panels = figure.subplots(samples, len(columns), squeeze=False)
    for column, (title, images) in enumerate(columns.items()):
        panels[0, column].set_title(title, pad=3)
        for axes, image in zip(panels[:, column], images, strict=True):
            axes.imshow(np.clip(image, 0, 1), interpolation="nearest")
            axes.set_axis_off()
    return figure


def _common_count(columns: Mapping[str, np.ndarray]) -> int:
    counts = {title: len(images) for title, images in columns.items()}
    if len(set(counts.values())) != 1 or 0 in counts.values():
        raise ConfigurationError(
            f"columns: need equally many samples, at least one, in each column; got {counts}."
        )
    for title, images in columns.items():
        if images.ndim != 4 or images.shape[3] != 3:
            raise ConfigurationError(
                f"columns: '{title}' has shape {images.shape}; must be (samples, height, width, 3)."
            )
    return next(iter(counts.values()))
