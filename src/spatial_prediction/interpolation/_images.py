"""Inpainting: an image and a mask."""

from typing import Any

import numpy as np
from jaxtyping import Float

from spatial_prediction.errors import ObservationError
from spatial_prediction.interpolation._fitted import Axes, fill_grid
from spatial_prediction.interpolation._plan import plan_for


def inpaint(
    image: Any, mask: Any, *, steps: int = 60
) -> tuple[Float[np.ndarray, "channels height width"], Float[np.ndarray, "channels height width"]]:
    """Fill the hidden pixels of an image, each channel by a Gaussian process of its own.

    Exact, with a matrix of as many rows as there are observed pixels. Observed pixels are kept.

    Args:
        image: real, (channels, height, width); hidden pixels may hold anything, NaN too.
        mask: bool, (height, width) for all channels, or of the image's shape; True where observed.
        steps: most steps of each fit.

    Returns:
        Mean and standard deviation, float64; the latter is 0 where observed.

    Raises:
        ConfigurationError: ``steps`` is less than 1.
        ObservationError: shapes do not agree, the mask is not bool, or a channel's observed pixels are none,
            too many, all equal or not finite.
    """
    pixels, observed = np.asarray(image, np.float64), np.asarray(mask)
    if pixels.ndim != 3 or observed.shape not in (pixels.shape, pixels.shape[1:]):
        raise ObservationError(
            f"image has shape {pixels.shape} and mask {observed.shape}; they must be (channels, height, "
            "width) and either the same or (height, width)"
        )
    if observed.dtype != np.bool_:
        raise ObservationError(f"mask has dtype {observed.dtype}; give bool, True where observed")
    height, width = pixels.shape[1:]
    axes = Axes(np.zeros(1), np.arange(float(height)), np.arange(float(width)))
    filled, deviations = pixels.copy(), np.zeros(pixels.shape)
    for channel, seen in enumerate(np.broadcast_to(observed, pixels.shape)):
        if seen.all() and np.isfinite(pixels[channel]).all():
            continue
        try:
            plan = plan_for(seen[None], model="additive", steps=steps)
            mean, deviation = fill_grid(pixels[channel][None], seen[None], axes, plan)
        except ObservationError as error:
            raise ObservationError(f"channel {channel}: {error}") from None
        filled[channel] = np.where(seen, pixels[channel], mean[0])
        deviations[channel] = np.where(seen, 0.0, deviation[0])
    return filled, deviations
