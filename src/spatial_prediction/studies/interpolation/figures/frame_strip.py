"""Figure: test frames side by side, as they were, as they were observed, and as they were reconstructed."""

import numpy as np
from matplotlib.figure import Figure

from spatial_prediction.plotting import style
from spatial_prediction.studies.interpolation.figures import looks
from spatial_prediction.studies.interpolation.figures.reconstruction import (
    PANELS,
    Reconstruction,
    draw_image,
)

MOST = 5
"""Frames side by side."""


@style.styled
def frame_strip(reconstruction: Reconstruction) -> Figure:
    """Draw some test frames: truth, observed pixels, reconstruction, its standard deviation, its error."""
    test = reconstruction.frames.of("test")
    chosen = sorted({round(place) for place in np.linspace(test[0], test[-1], min(MOST, len(test)))})
    _, height, width = reconstruction.truth.shape
    panel = (style.PAGE_WIDTH - 1.4) / len(chosen)
    rows = ("Truth", "Observed", *PANELS[1:])
    figure = style.new_picture_grid(
        0.5 + len(rows) * (0.04 + min(panel * height / width, 1.6)), style.PAGE_WIDTH
    )
    grid = figure.subplots(len(rows), len(chosen), squeeze=False)
    limits = reconstruction.limits(test)
    for column, frame in enumerate(chosen):
        images = reconstruction.panels(frame)
        seen = np.where(reconstruction.known[frame], reconstruction.truth[frame], np.nan)
        images["Observed"] = looks.upright(seen, reconstruction.north_first)
        for row, title in enumerate(rows):
            like = "Truth" if title == "Observed" else title
            axes = grid[row, column]
            drawn = draw_image(axes, images[title], like, limits[like])
            if title == "Observed":
                axes.set_facecolor("0.85")
            if column == 0:
                name = title.replace("Standard ", "Standard\n").replace("Absolute ", "Absolute\n")
                axes.set_ylabel(name, rotation="horizontal", ha="right", va="center")
            if column == len(chosen) - 1:
                bar = figure.colorbar(drawn, ax=grid[row], pad=0.01, shrink=0.9, aspect=12)
                bar.set_label(reconstruction.units, fontsize=6, rotation="horizontal", va="center")
                bar.outline.set_linewidth(0.4)
            if row == 0:
                axes.set_title(f"frame {frame}")
    figure.suptitle(f"{reconstruction.model}, {looks.mask_label(reconstruction.mask)}", fontsize=7.5)
    return figure
