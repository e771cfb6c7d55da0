"""Paddings that continue rows, then columns, from the pixels nearest the border."""

import abc

import jax
import jax.numpy as jnp
from jaxtyping import Array

from spatial_prediction.padding._base import AbstractPadding
from spatial_prediction.padding._sides import Sides, outer_strips, with_outer_strips


class AbstractAxiswisePadding(AbstractPadding):
    """Continue a map along one axis after the other: left and right, then the widened map at top and bottom.

    What comes beyond an end depends only on the pixels near the two ends of its row or column.
    """

    @abc.abstractmethod
    def reach(self) -> int:
        """Return how many pixels from the border are seen at most."""

    @abc.abstractmethod
    def beyond(self, x: Array, widths: tuple[int, int], axis: int) -> tuple[Array, Array]:
        """Predict what comes in front of ``x`` along ``axis``, and behind it.

        Args:
            x: maps; of larger ones, the ``reach`` pixels at both ends of the axis.
            widths: pixels to predict in front and behind.
            axis: of ``x``.
        """

    def frame(self, x: Array) -> Sides:
        """Predict the frame; see :class:`AbstractPadding`."""
        return self._frame_from(x, outer_strips(x, self._depth(x)))

    def with_frame(self, x: Array) -> tuple[Array, Sides]:
        """Return ``x`` with its frame; see :class:`AbstractPadding`."""
        x, known = with_outer_strips(x, self._depth(x))
        return x, self._frame_from(x, known)

    def _depth(self, x: Array) -> tuple[int, int]:
        rows, columns = (min(self.reach(), size) for size in x.shape[-3:-1])
        return rows, columns

    def _frame_from(self, x: Array, known: Sides) -> Sides:
        """Predict the frame of ``x`` from its outer strips."""

        def ends(first: Array, last: Array, axis: int) -> Array:
            """The two ends of an axis; all of it where they meet."""
            overlap = max(0, first.shape[axis] + last.shape[axis] - x.shape[axis])
            return jnp.concatenate([first, jax.lax.slice_in_dim(last, overlap, None, axis=axis)], axis)

        rows, columns = x.ndim - 3, x.ndim - 2
        left, right = self.beyond(ends(known.left, known.right, columns), self.pad_width[1], columns)
        depth = known.top.shape[rows]

        def widened(strip: Array, start: int) -> Array:
            beside = [jax.lax.slice_in_dim(side, start, start + depth, axis=rows) for side in (left, right)]
            return jnp.concatenate([beside[0], strip, beside[1]], axis=columns)

        first, last = widened(known.top, 0), widened(known.bottom, x.shape[rows] - depth)
        top, bottom = self.beyond(ends(first, last, rows), self.pad_width[0], rows)
        return Sides(top, bottom, left, right)
