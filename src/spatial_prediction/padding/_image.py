"""Pad NumPy images, in the manner of ``numpy.pad``."""

import contextlib
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array
from numpy.lib.array_utils import normalize_axis_tuple

from spatial_prediction.padding._base import AbstractPadding
from spatial_prediction.padding._names import padding_from_name

_NUMPY_MODES = {"zero": "constant", "repl": "edge", "refl": "reflect", "circ": "wrap"}
_LIBRARY_NAMES = {numpy_mode: name for name, numpy_mode in _NUMPY_MODES.items()}


def pad(
    image: Any,
    pad_width: Any,
    mode: str = "lp2x3",
    *,
    axes: tuple[int, int] = (-2, -1),
    finite_only: bool = False,
) -> np.ndarray:
    """Predict a frame of pixels around an image.

    Computing is done by JAX, which compiles once for each shape, mode and dtype: give tiles one size.

    Args:
        image: array of integers or floating numbers of any precision and byte order, whose two axes ``axes``
            are height and width. All other axes are batches or channels; each image is treated by itself.
        pad_width: ``numpy.pad``'s forms for the two axes: ``((top, bottom), (left, right))``;
            ``(before, after)`` for both; or one number for all four sides.
        mode: a name that :func:`padding_from_name` knows, or NumPy's "constant" (zeros), "edge", "reflect",
            "wrap".
        axes: the axes of height and width; ``(0, 1)`` for images with their channels last.
        finite_only: let linear prediction pass over pixels that are not finite; as of
            :func:`padding_from_name`.

    Returns:
        The padded image, dtype of ``image``; the interior is bit for bit that of ``image``. Zeros and copies
        are exact. All else is computed in float64 for float64, and in float32 otherwise; integers are
        rounded, and kept in the range of their dtype as are half floats. So 32-bit integers are predicted to
        7 digits. One NaN (for no data) makes the whole frame of its image NaN, unless ``finite_only``.

    Raises:
        ValueError: the image is empty, has fewer than two axes or masked pixels, ``axes`` are not two of
            them, ``pad_width`` has another form or is negative, no padding is called ``mode``, or that one
            does not know ``finite_only``.
        TypeError: the image's dtype is complex, bool, object or another that has no arithmetic.
    """
    if np.ma.is_masked(image):
        raise ValueError(
            "image has masked pixels, whose stored numbers would be taken for values; fill them, as by "
            "image.filled(np.nan) for floats, and give finite_only=True"
        )
    image = np.asarray(image)
    if image.dtype.kind not in "iuf":
        raise TypeError(
            f"image must be of integers or floating numbers, got dtype {image.dtype}; convert it with astype"
        )
    if image.ndim < 2 or not image.size:
        raise ValueError(f"image must have a height, a width and pixels, got shape {image.shape}")
    spatial = normalize_axis_tuple(axes, image.ndim, "axes")
    if len(spatial) != 2:
        raise ValueError(f"axes must be those of height and width, got {axes!r}")
    widths = _pad_width(pad_width)
    name = _LIBRARY_NAMES.get(mode, mode)
    padding = padding_from_name(name, widths, finite_only=finite_only)

    every_width = [(0, 0)] * image.ndim
    for axis, width in zip(spatial, widths, strict=True):
        every_width[axis] = width
    if name in _NUMPY_MODES:  # copies need no arithmetic, and integers of 32 bits would suffer from it
        return np.pad(image, every_width, _NUMPY_MODES[name])  # type: ignore[call-overload]

    double = image.dtype.kind == "f" and image.dtype.itemsize >= 8
    maps = np.moveaxis(image, spatial, (0, 1))
    others = maps.shape[2:]
    maps = maps.reshape(*maps.shape[:2], -1).astype(np.float64 if double else np.float32)
    with jax.enable_x64(True) if double else contextlib.nullcontext():
        extended = np.asarray(_extended(padding, maps))
    extended = np.moveaxis(extended.reshape(*extended.shape[:2], *others), (0, 1), spatial)
    padded = _as_dtype(extended, image.dtype)
    interior = tuple(
        slice(before, before + size) for (before, _), size in zip(every_width, image.shape, strict=True)
    )
    padded[interior] = image
    return padded


@eqx.filter_jit
def _extended(padding: AbstractPadding, maps: Any) -> Array:
    return padding.extend(jax.numpy.asarray(maps))


def _pad_width(pad_width: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    try:
        widths = np.asarray(pad_width)
        if widths.dtype.kind not in "iu":
            raise ValueError
        (top, bottom), (left, right) = np.broadcast_to(widths, (2, 2)).tolist()
    except ValueError:
        raise ValueError(
            "pad_width must be of integers: ((top, bottom), (left, right)), (before, after) or one number, "
            f"got {pad_width!r}"
        ) from None
    return (top, bottom), (left, right)


def _as_dtype(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Round for integers, and clip to what ``dtype`` can hold."""
    if dtype.kind == "f":
        if dtype.itemsize < values.itemsize:
            values = np.clip(values, np.finfo(dtype).min, np.finfo(dtype).max)
        return values.astype(dtype)
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    largest = np.float64(high)
    if int(largest) > high:  # 64 bits: the nearest float64 is one too many
        largest = np.nextafter(largest, 0)
    return np.clip(np.rint(values.astype(np.float64)), low, largest).astype(dtype)
