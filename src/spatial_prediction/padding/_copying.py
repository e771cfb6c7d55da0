"""Paddings that place a constant or copies of known pixels: zero, replicate, reflect, circular."""

from typing import ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from spatial_prediction.padding._axis_by_axis import AbstractAxiswisePadding
from spatial_prediction.padding._base import PadWidth, as_pad_width


class AbstractCopying(AbstractAxiswisePadding):
    """Copy pixels, those that ``np.pad`` would."""

    mode: eqx.AbstractClassVar[Literal["edge", "reflect", "wrap"]]

    def reach(self) -> int:
        """Return how far a copied pixel lies from the border at most."""
        return max(width for axis in self.pad_width for width in axis) + 1

    def beyond(self, x: Array, widths: tuple[int, int], axis: int) -> tuple[Array, Array]:
        """Copy; see :class:`AbstractAxiswisePadding`."""
        size = x.shape[axis]
        copied = np.pad(np.arange(size), widths, mode=self.mode)
        return _taken(x, copied[: widths[0]], axis), _taken(x, copied[widths[0] + size :], axis)


def _taken(x: Array, places: np.ndarray, axis: int) -> Array:
    """Take some places of an axis; by slices, whose derivative costs less than that of indexing."""
    if not places.size:
        return jax.lax.slice_in_dim(x, 0, 0, axis=axis)
    steps = np.diff(places)
    bends, jumps = np.flatnonzero(np.diff(steps)) + 2, np.flatnonzero(np.abs(steps) > 1) + 1
    pieces = []
    for run in np.split(places, np.union1d(bends, jumps)):
        piece = jax.lax.slice_in_dim(x, int(run.min()), int(run.max()) + 1, axis=axis)
        if run[0] > run[-1]:
            piece = jnp.flip(piece, axis)
        pieces.append(piece if run.size == piece.shape[axis] else jnp.repeat(piece, run.size, axis))
    return jnp.concatenate(pieces, axis)


class ZeroPadding(AbstractAxiswisePadding):
    """Place zeros: ``1234 -> 00 1234 00``.

    The usual "same" padding of convolutional networks. Zero is far from typical values wherever a map
    has a non-zero mean, so the border is visible to the network.
    """

    pad_width: PadWidth = eqx.field(static=True, converter=as_pad_width)

    def reach(self) -> int:
        """Return 0: nothing is seen."""
        return 0

    def beyond(self, x: Array, widths: tuple[int, int], axis: int) -> tuple[Array, Array]:
        """Place zeros; see :class:`AbstractAxiswisePadding`."""
        before, after = (
            jnp.zeros((*x.shape[:axis], width, *x.shape[axis + 1 :]), x.dtype) for width in widths
        )
        return before, after


class ReplicatePadding(AbstractCopying):
    """Repeat the nearest pixel: ``1234 -> 11 1234 44``. The same as first-order extrapolation."""

    pad_width: PadWidth = eqx.field(static=True, converter=as_pad_width)
    mode: ClassVar[Literal["edge", "reflect", "wrap"]] = "edge"


class ReflectPadding(AbstractCopying):
    """Mirror about the centre of the outermost pixel: ``1234 -> 32 1234 32``.

    A pad wider than the map is reflected back and forth, as NumPy's "reflect" does.
    """

    pad_width: PadWidth = eqx.field(static=True, converter=as_pad_width)
    mode: ClassVar[Literal["edge", "reflect", "wrap"]] = "reflect"


class CircularPadding(AbstractCopying):
    """Continue on the opposite side: ``1234 -> 34 1234 12``. Right only for periodic fields."""

    pad_width: PadWidth = eqx.field(static=True, converter=as_pad_width)
    mode: ClassVar[Literal["edge", "reflect", "wrap"]] = "wrap"
