"""Figure: what each predictor misses, as images of some bands."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from spatial_prediction.plotting import style
from spatial_prediction.studies.compression.figures import looks
from spatial_prediction.studies.compression.figures.residuals import Residuals

LARGEST_SHARE = 99.0
"""Percentile of the magnitudes of all predictors together that is shown as the brightest."""


@style.styled
def residual_images(residuals: Sequence[Residuals]) -> Figure:
    """Draw bands of a cube, a row for each, and beside each the residuals' magnitudes, all on one scale.

    Structure that is left is what a predictor could still learn; noise is what no predictor can. The first
    line, which has none before it, counts neither in the scale nor in the means.

    Args:
        residuals: of several predictors on one cube.
    """
    first = residuals[0]
    height, width, shown = first.magnitudes.shape
    columns = 1 + len(residuals)
    panel = (style.PAGE_WIDTH - 1.2) / columns
    figure = style.new_picture_grid(0.75 + shown * (min(panel * height / width, 2.4) + 0.2), style.PAGE_WIDTH)
    grid = figure.subplots(shown, columns, squeeze=False)
    for row in range(shown):
        images = [each.magnitudes[..., row] for each in residuals]
        later = [image[1:] if height > 1 else image for image in images]
        top = max(float(np.percentile(np.stack(later), LARGEST_SHARE)), 1.0)
        grid[row, 0].imshow(first.samples[..., row], cmap="gray", interpolation="nearest")
        grid[row, 0].set_ylabel(f"band {first.shown[row] + 1}")
        for axes, image, counted in zip(grid[row, 1:], images, later, strict=True):
            drawn = axes.imshow(image, cmap="magma", vmin=0, vmax=top, interpolation="nearest")
            axes.set_xlabel(f"mean {counted.mean():.2f} DN", fontsize=6)
        bar = figure.colorbar(drawn, ax=grid[row], pad=0.01, shrink=0.85, aspect=12)
        bar.ax.set_title("DN", fontsize=6)
        bar.outline.set_linewidth(0.4)
    for axes, name in zip(
        grid[0], ["samples", *(looks.label(each.codec) for each in residuals)], strict=True
    ):
        axes.set_title(name.replace(" (", "\n(").replace(" + ", "\n+ "), fontsize=6.5)
    for axes in grid.flat:
        axes.set_xticks([])
        axes.set_yticks([])
    figure.suptitle(f"{first.cube}: magnitude of residuals", fontsize=7.5)
    return figure
