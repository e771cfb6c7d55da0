"""Figure: input, outputs of the networks, and target."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.plotting import style

LARGEST_PANEL = 1.4
"""Inches."""

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
    samples = _common_count(columns)
    blocks, _, width = style.panel_grid(len(columns), FEW, NARROW, WIDE)
    across = -(-len(columns) // blocks)  # blocks of like width
    figure = style.new_picture_grid(blocks * (0.2 + samples * min(width / across, LARGEST_PANEL)), width)
    panels = figure.subplots(blocks * samples, across, squeeze=False)
    for axes in panels.flat:
        axes.set_axis_off()
    for position, (title, images) in enumerate(columns.items()):
        block, column = divmod(position, across)
        rows = panels[block * samples : (block + 1) * samples, column]
        rows[0].set_title(title, pad=3, fontsize=6.5)
        for axes, image in zip(rows, images, strict=True):
            axes.imshow(np.clip(image, 0, 1), interpolation="nearest")
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
