"""Pictures side by side in titled columns; columns that do not fit the width go on below."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.plotting import style

LARGEST_PANEL = 1.4
"""Inches."""

HIGHEST = 9.0
"""Inches that a figure may be high, so that it fits a page with its caption."""

TITLE_LINE, LABELS, GAP = 0.12, 0.3, 0.03
"""Height of a line of a title, width of the labels of the rows, room between pictures; inches."""


def picture_columns(
    columns: Mapping[str, np.ndarray],
    *,
    across: int | None = None,
    width: float,
    least_width: float = 0.0,
    row_labels: Sequence[str] = (),
    beneath: float = 0.0,
) -> tuple[Figure, dict[str, list[Axes]]]:
    """Show images in columns.

    Args:
        columns: images by column title, from left to right; each (rows, height, width, 3), ready for the
            screen (sRGB, 0 to 1; what lies outside is clipped). Columns may differ in height and width.
        across: columns side by side at most; by default as many as make the pictures largest.
        width: of the figure at most, inches.
        least_width: of the figure, inches.
        row_labels: what stands at the left of each row; none by default.
        beneath: inches to leave for what else the figure shows.

    Returns:
        The figure, and the panels of each column from the top down.

    Raises:
        ConfigurationError: when there is nothing to show or the columns differ in their number of rows.
    """
    samples = _common_count(columns)
    labels = LABELS if row_labels else 0.0
    heading = TITLE_LINE * (1.2 + max(title.count("\n") for title in columns))

    def panel_size(blocks: int) -> float:
        high = (HIGHEST - beneath) / blocks - heading
        return min((width - labels) / -(-len(columns) // blocks), LARGEST_PANEL, high / samples)

    choices = range(1, len(columns) + 1)
    blocks = max(choices, key=panel_size) if across is None else -(-len(columns) // across)
    across, panel = -(-len(columns) // blocks), panel_size(blocks)  # blocks of like width
    needed = across * (panel + GAP) + labels
    height = blocks * (heading + samples * panel) + beneath
    figure = style.new_picture_grid(height, max(least_width, min(width, needed)))
    grid = figure.subplots(blocks * samples, across, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    panels = {}
    for position, (title, images) in enumerate(columns.items()):
        block, column = divmod(position, across)
        panels[title] = list(grid[block * samples : (block + 1) * samples, column])
        panels[title][0].set_title(title, pad=4, fontsize=6.5)
        for row, (axes, image) in enumerate(zip(panels[title], images, strict=True)):
            axes.set_axis_on()
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
            axes.imshow(np.clip(image, 0, 1), interpolation="nearest")
            if row_labels and column == 0:
                axes.set_ylabel(row_labels[row], fontsize=6.5, labelpad=2)
    return figure, panels


def outline(axes: Axes, left: int, top: int, width: int, height: int) -> None:
    """Outline an area of a picture in white on black, so that the line shows on bright and on dark ground."""
    # Pixel centres lie on whole numbers, so the area's edge is half a pixel before its first centre.
    corner = (left - 0.5, top - 0.5)
    for colour, line_width in (("black", 1.4), ("white", 0.6)):
        axes.add_patch(Rectangle(corner, width, height, fill=False, edgecolor=colour, linewidth=line_width))


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
