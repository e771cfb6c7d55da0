"""Figure: what each padding predicts beyond the edge of an image."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.plotting import style
from spatial_prediction.studies.super_resolution.figures.picture_columns import outline

FEW, NARROW, WIDE = 12, 3, 6
"""The most images for one column of a page; images side by side there, and on the whole width."""

STRIPE = 2
"""Width of the stripes on pixels that are brighter than the scale, pixels of the image."""

STRIPE_GREY = 0.62


@style.styled
def padded_samples(
    images: Mapping[str, np.ndarray], pad_width: tuple[tuple[int, int], tuple[int, int]]
) -> Figure:
    """Show one image padded in several ways, the known area outlined.

    Pixels brighter than the scale in all bands, such as zero padding beside a dark scene, are striped,
    because plain white could be taken for paper.

    Args:
        images: padded image by padding name, in the order shown; each (height, width, 3), ready for the
            screen (sRGB, 0 to 1; what lies outside is clipped), all of one shape.
        pad_width: ((top, bottom), (left, right)), how many pixels of the images are padding.

    Raises:
        ConfigurationError: when there is no image, an image is not such an array, or ``pad_width`` leaves no
            known area.
    """
    height, width = _common_size(images)
    (top, bottom), (left, right) = pad_width
    if min(top, bottom, left, right) < 0 or top + bottom >= height or left + right >= width:
        raise ConfigurationError(
            f"pad_width: {pad_width} leaves no known area in images of {height} x {width} pixels; "
            "give the widths that the images were padded by."
        )
    rows, columns, page = style.panel_grid(len(images), FEW, NARROW, WIDE)
    figure = style.new_picture_grid(rows * (page / columns * height / width + 0.16), page)
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes in panels[len(images) :]:
        axes.set_axis_off()
    for axes, (padding, image) in zip(panels, images.items(), strict=False):
        axes.imshow(_striped(image), interpolation="nearest")
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set(visible=True, linewidth=0.4, color="0.3")
        axes.set_title(padding, pad=2)
        outline(axes, left, top, width - left - right, height - top - bottom)
    return figure


def _common_size(images: Mapping[str, np.ndarray]) -> tuple[int, int]:
    if not images:
        raise ConfigurationError("images: none given; pad the sample in at least one way.")
    first = next(iter(images.values())).shape
    for padding, image in images.items():
        if image.ndim != 3 or image.shape[2] != 3 or image.shape != first:
            raise ConfigurationError(
                f"images: '{padding}' has shape {image.shape}; all must be (height, width, 3) "
                f"as the first, {first}."
            )
    return first[0], first[1]


def _striped(image: np.ndarray) -> np.ndarray:
    """Clip an image to the range of the screen, with stripes where all bands reach or exceed its end."""
    rows, columns = np.indices(image.shape[:2])
    striped = (image >= 1).all(axis=2) & ((rows + columns) // STRIPE % 2 == 0)
    return np.where(striped[..., None], STRIPE_GREY, np.clip(image, 0, 1))
