"""What every padding is: a module that knows its pad width and extends a feature map."""

import abc
from typing import TypeAlias

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Shaped

from spatial_prediction.padding._sides import Sides, surrounded

PadWidth: TypeAlias = tuple[tuple[int, int], tuple[int, int]]
"""Pixels to add: ``((top, bottom), (left, right))``."""


def as_pad_width(pad_width: int | PadWidth) -> PadWidth:
    """Return ``pad_width`` as ``((top, bottom), (left, right))``; a single integer means all four sides.

    Raises:
        ValueError: a width is negative or the nesting is not ``((top, bottom), (left, right))``.
    """
    if isinstance(pad_width, int):
        pad_width = ((pad_width, pad_width), (pad_width, pad_width))
    try:
        (top, bottom), (left, right) = pad_width
        widths = (int(top), int(bottom), int(left), int(right))
    except (TypeError, ValueError):
        raise ValueError(f"pad_width must be ((top, bottom), (left, right)), got {pad_width!r}") from None
    if min(widths) < 0:
        raise ValueError(f"pad_width must not be negative, got {pad_width!r}; crop with a slice instead")
    return (widths[:2], widths[2:])


def at_least_float32(dtype: jnp.dtype) -> jnp.dtype:
    """Return ``dtype``, or float32 in place of a half precision.

    Raises:
        TypeError: ``dtype`` is an integer or boolean.
    """
    if not jnp.issubdtype(dtype, jnp.inexact):
        raise TypeError(f"{_FLOATING}, got {dtype}; convert them, as by x.astype(jnp.float32)")
    return jnp.dtype(jnp.float32) if jnp.finfo(dtype).bits < 32 else dtype


_FLOATING = "maps must be of floating numbers"


def check_floating(x: Array) -> None:
    """Refuse maps that a prediction would wrap or round without a word.

    Raises:
        TypeError: ``x`` holds integers, booleans or complex numbers.
    """
    at_least_float32(x.dtype)
    if not jnp.issubdtype(x.dtype, jnp.floating):
        raise TypeError(f"{_FLOATING}, got {x.dtype}; pad real and imaginary part each by itself")


def check_map(x: Array) -> None:
    """Refuse channels-last maps (*batch, height, width, channels) that hold nothing; a batch may be empty.

    Raises:
        ValueError: ``x`` has no rows, no columns or no channels.
    """
    if 0 in x.shape[-3:]:
        raise ValueError(
            "x must have rows, columns and channels, shape (*batch, height, width, channels), "
            f"got {x.shape}; give maps of at least one pixel and one channel"
        )


class AbstractPadding(eqx.Module):
    """Predict a frame of pixels around a feature map.

    Paddings that copy pixels or place zeros take maps of any dtype; all others take only floating ones,
    because a prediction is seldom a whole number.

    A padding is used on one example, ``padding(x)`` with ``x`` of shape (channels, height, width), and
    batched by ``jax.vmap`` as Equinox layers are. Networks whose hot path is channels-last call
    ``padding.extend`` or ``padding.frame`` instead, which take any leading batch axes.
    """

    pad_width: eqx.AbstractVar[PadWidth]

    @property
    def couples_batch(self) -> bool:
        """Whether a frame, or a memory for later ones, depends on which maps form a batch."""
        return False

    def for_channels(self, channels: int) -> "AbstractPadding":
        """Return the padding with arrays of its own for each of ``channels``; itself if it holds none."""
        del channels
        return self

    @abc.abstractmethod
    def frame(self, x: Shaped[Array, "*batch height width channels"]) -> Sides:
        """Predict the frame of the channels-last maps ``x``; same dtype, each channel by itself.

        Returns:
            Top and bottom (*batch, rows, left + width + right, channels), corners included; left and right
            (*batch, height, columns, channels).
        """

    def with_frame(
        self, x: Shaped[Array, "*batch height width channels"]
    ) -> tuple[Shaped[Array, "*batch height width channels"], Sides]:
        """Return ``x``, unchanged, together with its frame.

        For callers that use both: gradients that reach ``x`` either way may then be added in place,
        where ``frame`` would make a separate map for them.
        """
        return x, self.frame(x)

    def extend(
        self, x: Shaped[Array, "*batch height width channels"]
    ) -> Shaped[Array, "*batch padded_height padded_width channels"]:
        """Pad channels-last maps.

        Raises:
            ValueError: ``x`` has no rows, no columns or no channels.
        """
        check_map(x)
        return surrounded(x, self.frame(x))

    def __call__(
        self, x: Shaped[Array, "channels height width"]
    ) -> Shaped[Array, "channels padded_height padded_width"]:
        """Pad one example.

        Args:
            x: feature map, shape (channels, height, width), any floating dtype; any dtype where pixels
                are copied or zeros placed.

        Returns:
            Shape (channels, top + height + bottom, left + width + right), dtype of ``x``; the interior
            is ``x`` itself.

        Raises:
            TypeError: the padding predicts values, and ``x`` holds integers, booleans or complex numbers.
            ValueError: ``x`` has no rows, no columns or no channels.
        """
        return jnp.moveaxis(self.extend(jnp.moveaxis(x, -3, -1)), -1, -3)
