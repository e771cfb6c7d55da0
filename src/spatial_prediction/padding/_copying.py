"""Paddings that place a constant or copies of known pixels: zero, replicate, reflect, circular."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array

from spatial_prediction.padding._base import AbstractPadding, PadWidth, as_pad_width


def _pad(x: Array, pad_width: PadWidth, mode: str) -> Array:
    return jnp.pad(x, [(0, 0)] * (x.ndim - 3) + [*pad_width, (0, 0)], mode=mode)


class ZeroPadding(AbstractPadding):
    """Place zeros: ``1234 -> 00 1234 00``.

    The usual "same" padding of convolutional networks. Zero is far from typical values wherever a map
    has a non-zero mean, so the border is visible to the network.
    """

    pad_width: PadWidth = eqx.field(static=True, converter=as_pad_width)

    def extend(self, x: Array) -> Array:
        """Pad a channels-last array; see :class:`AbstractPadding`."""
        return _pad(x, self.pad_width, "constant")


class ReplicatePadding(AbstractPadding):
    """Repeat the nearest pixel: ``1234 -> 11 1234 44``. The same as first-order extrapolation."""

    pad_width: PadWidth = eqx.field(static=True, converter=as_pad_width)

    def extend(self, x: Array) -> Array:
        """Pad a channels-last array; see :class:`AbstractPadding`."""
        return _pad(x, self.pad_width, "edge")


class ReflectPadding(AbstractPadding):
    """Mirror about the centre of the outermost pixel: ``1234 -> 32 1234 32``.

    A pad wider than the map is reflected back and forth, as NumPy's "reflect" does.
    """

    pad_width: PadWidth = eqx.field(static=True, converter=as_pad_width)

    def extend(self, x: Array) -> Array:
        """Pad a channels-last array; see :class:`AbstractPadding`."""
        return _pad(x, self.pad_width, "reflect")


class CircularPadding(AbstractPadding):
    """Continue on the opposite side: ``1234 -> 34 1234 12``. Right for periodic fields alone."""

    pad_width: PadWidth = eqx.field(static=True, converter=as_pad_width)

    def extend(self, x: Array) -> Array:
        """Pad a channels-last array; see :class:`AbstractPadding`."""
        return _pad(x, self.pad_width, "wrap")
