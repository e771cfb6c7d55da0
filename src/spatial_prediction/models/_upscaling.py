"""Fixed upscaling: bilinear interpolation and the pixel shuffle."""

import jax.numpy as jnp
import numpy as np
from einops import rearrange
from jaxtyping import Array, Float

from spatial_prediction.convolution import convolve


def pixel_shuffle(
    x: Float[Array, "batch height width phases"], factor: int
) -> Float[Array, "batch out_height out_width channels"]:
    """Turn ``channels * factor**2`` channels, ordered (channel, row, column), into finer pixels."""
    return rearrange(x, "n h w (c a b) -> n (h a) (w b) c", a=factor, b=factor)


def pixel_unshuffle(
    x: Float[Array, "batch out_height out_width channels"], factor: int
) -> Float[Array, "batch height width phases"]:
    """Turn finer pixels into channels; the inverse of ``pixel_shuffle``."""
    return rearrange(x, "n (h a) (w b) c -> n h w (c a b)", a=factor, b=factor)


def bilinear_upscaling(
    x: Float[Array, "batch height width channels"], factor: int
) -> Float[Array, "batch out_height out_width channels"]:
    """Upscale a channels-last batch bilinearly; the outermost pixels serve only as neighbours."""
    return pixel_shuffle(bilinear_phases(x, factor), factor)


def bilinear_phases(
    x: Float[Array, "batch height width channels"], factor: int
) -> Float[Array, "batch inner_height inner_width phases"]:
    """Upscale bilinearly, with the new pixels of each inner pixel as channels (channel, row, column).

    With pixel centres at half-integers, each of the ``factor`` positions inside a pixel lies between it
    and one neighbour, so the upscaling is a fixed 3x3 convolution; the outermost pixels serve only as
    neighbours. Equal to ``jax.image.resize(..., "bilinear")`` away from its borders.
    """
    return convolve(x, bilinear_kernel(x, factor))


def bilinear_kernel(x: Float[Array, "*batch height width channels"], factor: int) -> Array:
    """Return the kernel (3, 3, channels, phases) that upscales ``x`` bilinearly, in its dtype."""
    offsets = (np.arange(factor) + 0.5) / factor - 0.5
    taps = np.stack([np.maximum(0, 1 - np.abs(offsets - neighbour)) for neighbour in (-1, 0, 1)])
    kernel = np.einsum("ya,xb->yxab", taps, taps).reshape(3, 3, 1, 1, factor**2)
    channels = x.shape[-1]
    kernel = kernel * np.eye(channels)[:, :, None]
    return jnp.asarray(kernel.reshape(3, 3, channels, channels * factor**2), x.dtype)
