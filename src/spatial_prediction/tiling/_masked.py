"""Images with pixels that are not there: what a network sees in their place."""

import numpy as np
from jaxtyping import Bool, Float
from scipy import ndimage


def fill_masked(
    image: Float[np.ndarray, "channels height width"], mask: Bool[np.ndarray, "height width"]
) -> Float[np.ndarray, "channels height width"]:
    """Replace masked pixels by the nearest pixel that is not, which continues valid ones as ``repl`` does.

    Values under the mask are never looked at. Which of several equally near pixels is taken depends on the
    mask only.

    Args:
        image: any floating dtype.
        mask: True where a pixel is not valid.

    Returns:
        A copy, or ``image`` itself where nothing is masked. All zeros where everything is.
    """
    if not mask.any():
        return image
    if mask.all():
        return np.zeros_like(image)
    rows, columns = ndimage.distance_transform_edt(mask, return_distances=False, return_indices=True)
    return image[:, rows, columns]


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
