"""Paddings that place a constant or copies of known pixels: zero, replicate, reflect, circular."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array

from spatial_prediction.padding._base import AbstractPadding, PadWidth, as_pad_width
from spatial_prediction.padding._borders import Borders, frame_axis_by_axis


def _frame(x: Array, pad_width: PadWidth, mode: str) -> Borders:
    """The frame that ``jnp.pad`` would make, from as little of ``x`` as it takes."""

    def beyond(x: Array, widths: tuple[int, int], axis: int) -> tuple[Array, Array]:
        before, after = widths
        reach = max(widths) + 1  # nothing farther from the border is copied
        if x.shape[axis] > 2 * reach:
            ends = (slice(None, reach), slice(-reach, None))
            x = jnp.concatenate([x[(slice(None),) * axis + (end,)] for end in ends], axis)
        padded = jnp.pad(x, [widths if each == axis else (0, 0) for each in range(x.ndim)], mode=mode)
        size = padded.shape[axis]
        return (
            jax.lax.slice_in_dim(padded, 0, before, axis=axis),
            jax.lax.slice_in_dim(padded, size - after, size, axis=axis),
        )

    return frame_axis_by_axis(x, pad_width, beyond)


class ZeroPadding(AbstractPadding):
    """Place zeros: ``1234 -> 00 1234 00``.

    The usual "same" padding of convolutional networks. Zero is far from typical values wherever a map
    has a non-zero mean, so the border is visible to the network.
    """

    pad_width: PadWidth = eqx.field(static=True, converter=as_pad_width)

    def frame(self, x: Array) -> Borders:
        """Predict the frame; see :class:`AbstractPadding`."""
        return _frame(x, self.pad_width, "constant")


class ReplicatePadding(AbstractPadding):
    """Repeat the nearest pixel: ``1234 -> 11 1234 44``. The same as first-order extrapolation."""

    pad_width: PadWidth = eqx.field(static=True, converter=as_pad_width)

    def frame(self, x: Array) -> Borders:
        """Predict the frame; see :class:`AbstractPadding`."""
        return _frame(x, self.pad_width, "edge")


class ReflectPadding(AbstractPadding):
    """Mirror about the centre of the outermost pixel: ``1234 -> 32 1234 32``.

    A pad wider than the map is reflected back and forth, as NumPy's "reflect" does.
    """

    pad_width: PadWidth = eqx.field(static=True, converter=as_pad_width)

    def frame(self, x: Array) -> Borders:
        """Predict the frame; see :class:`AbstractPadding`."""
        return _frame(x, self.pad_width, "reflect")


class CircularPadding(AbstractPadding):
    """Continue on the opposite side: ``1234 -> 34 1234 12``. Right for periodic fields alone."""

    pad_width: PadWidth = eqx.field(static=True, converter=as_pad_width)

    def frame(self, x: Array) -> Borders:
        """Predict the frame; see :class:`AbstractPadding`."""
        return _frame(x, self.pad_width, "wrap")
