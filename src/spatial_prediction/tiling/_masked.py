"""Images with pixels that are not there: what a network sees in their place."""

import numpy as np
from jaxtyping import Bool, Float
from scipy import ndimage

from spatial_prediction.padding import AbstractPadding
from spatial_prediction.tiling._continuation import continue_rings, continues

DEPTH = 10
"""Pixels that are continued beyond valid ones where nothing else is said: RVSR sees no further."""


def fill_masked(
    image: Float[np.ndarray, "channels height width"],
    mask: Bool[np.ndarray, "height width"],
    *,
    padding: AbstractPadding | None = None,
    depth: int = DEPTH,
) -> Float[np.ndarray, "channels height width"]:
    """Replace masked pixels by what continues the valid ones.

    Linear prediction and extrapolation of order 2 or more continue them ring by ring, as
    :func:`~spatial_prediction.tiling.continue_rings` says. In place of any other padding, and further out,
    the nearest valid pixel is taken, as ``repl`` does; of several equally near ones, which one depends on the
    mask only. Values under the mask are never looked at.

    Args:
        image: any floating dtype.
        mask: True where a pixel is not valid.
        padding: the network's; its pad width does not matter.
        depth: how many pixels are continued by it.

    Returns:
        A copy, or ``image`` itself where nothing is masked. All zeros where everything is.
    """
    if not mask.any():
        return image
    if mask.all():
        return np.zeros_like(image)
    rows, columns = ndimage.distance_transform_edt(mask, return_distances=False, return_indices=True)
    filled = image[:, rows, columns]
    if padding is None or not continues(padding):
        return filled
    return continue_rings(filled, mask, padding=padding, depth=depth)


def masked_pixels(
    image: Float[np.ndarray, "channels height width"], mask: np.ndarray | None = None
) -> Bool[np.ndarray, "height width"]:
    """Return where an image has no value: masked, or not finite in any channel.

    Args:
        image: may be a NumPy masked array, whose mask counts too.
        mask: (height, width), more pixels that are not valid.

    Raises:
        ValueError: ``mask`` has another height or width.
    """
    if mask is not None and mask.shape != image.shape[1:]:
        raise ValueError(f"mask must be of the image's height and width {image.shape[1:]}, got {mask.shape}")
    missing = ~np.isfinite(np.ma.getdata(image)).all(axis=0)
    if np.ma.isMaskedArray(image):
        missing |= np.ma.getmaskarray(image).any(axis=0)
    return missing if mask is None else missing | mask


def upscaled_mask(mask: Bool[np.ndarray, "height width"], factor: int) -> Bool[np.ndarray, "rows columns"]:
    """Repeat every pixel ``factor`` times along both axes."""
    return mask.repeat(factor, axis=0).repeat(factor, axis=1)
