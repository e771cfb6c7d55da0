"""Paddings that place a constant or copies of known pixels: zero, replicate, reflect, circular."""

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array

from spatial_prediction.padding._axis_by_axis import AbstractAxiswisePadding
from spatial_prediction.padding._base import PadWidth, as_pad_width


class _Copies(AbstractAxiswisePadding):
    """The frame that ``jnp.pad`` would make."""

    mode: eqx.AbstractClassVar[str]

    def reach(self) -> int:
        """Return how far a copied pixel lies from the border at most."""
        return max(width for axis in self.pad_width for width in axis) + 1

    def beyond(self, x: Array, widths: tuple[int, int], axis: int) -> tuple[Array, Array]:
        """Copy; see :class:`AbstractAxiswisePadding`."""
        padded = jnp.pad(x, [widths if each == axis else (0, 0) for each in range(x.ndim)], mode=self.mode)
        before, after, size = *widths, padded.shape[axis]
        return (
            jax.lax.slice_in_dim(padded, 0, before, axis=axis),
            jax.lax.slice_in_dim(padded, size - after, size, axis=axis),
        )


class ZeroPadding(_Copies):
    """Place zeros: ``1234 -> 00 1234 00``.

    The usual "same" padding of convolutional networks. Zero is far from typical values wherever a map
    has a non-zero mean, so the border is visible to the network.
    """

    pad_width: PadWidth = eqx.field(static=True, converter=as_pad_width)
    mode: ClassVar[str] = "constant"


class ReplicatePadding(_Copies):
    """Repeat the nearest pixel: ``1234 -> 11 1234 44``. The same as first-order extrapolation."""

    pad_width: PadWidth = eqx.field(static=True, converter=as_pad_width)
    mode: ClassVar[str] = "edge"


class ReflectPadding(_Copies):
    """Mirror about the centre of the outermost pixel: ``1234 -> 32 1234 32``.

    A pad wider than the map is reflected back and forth, as NumPy's "reflect" does.
    """

    pad_width: PadWidth = eqx.field(static=True, converter=as_pad_width)
    mode: ClassVar[str] = "reflect"


class CircularPadding(_Copies):
    """Continue on the opposite side: ``1234 -> 34 1234 12``. Right for periodic fields alone."""

    pad_width: PadWidth = eqx.field(static=True, converter=as_pad_width)
    mode: ClassVar[str] = "wrap"
