"""Linear prediction: extend a map row by row with fixed linear combinations of known pixels.

The predicted pixel is a linear combination of a rectangle of ``length x width`` known pixels: ``length``
along the padding direction, ``width`` across it, placed symmetrically. Near a corner the rectangle would
stick out of the map, so it is shifted inwards there and other coefficients, fitted for that off-centre
position, are used; the front of predicted pixels keeps its full width (arXiv 2502.12300, sec. 2).

Coefficients have shape (positions, length, width, *batch, channels), ``positions == width``: entry
``[p, l, w]`` weighs the pixel in row ``l`` (0 = farthest from the border) and column ``w`` of the rectangle
when the predicted pixel stands above column ``p`` of it.
"""

import abc
import functools
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from spatial_prediction import native
from spatial_prediction.differentiation import with_compact_derivatives
from spatial_prediction.padding._base import AbstractPadding, PadWidth, at_least_float32, check_floating
from spatial_prediction.padding._sides import Sides, transposed, turned, with_outer_strips
from spatial_prediction.padding.linear_prediction.predicted_lines import frame_by_lines, next_row


class AbstractLinearPrediction(AbstractPadding):
    """Fit linear prediction coefficients to each channel and continue it with them.

    The mean of the channel is removed before and added after, so a constant stays constant. Rows are
    extended first (left and right), then the columns of the widened map. Differentiable in reverse and
    forward mode, any number of times.

    One pixel that is NaN or infinite makes the whole frame of its channel NaN, and the gradient too: the mean
    and all sums contain it. With ``finite_only`` such pixels do not count: means and coefficients are those
    of the finite pixels, and in predictions a neighbour that is not finite is taken for the mean. The map
    itself is not changed, no gradient reaches such pixels, and the frame of a channel without any finite
    pixel is NaN. It costs a pass over the map; for the covariance method also the compiled sums.
    """

    length: eqx.AbstractVar[int]
    width: eqx.AbstractVar[int]
    finite_only: eqx.AbstractVar[bool]

    @abc.abstractmethod
    def fit(
        self, x: Float[Array, "*batch height width channels"]
    ) -> tuple[
        Float[Array, "*batch height width channels"],
        Float[Array, "*batch channels"],
        Sides,
    ]:
        """Return ``x`` with the means of its channels and each side's coefficients for the map without them.

        Every side is handled as "downwards": for the top the map is turned by 180 degrees, for the right
        it is transposed, for the left both. Whoever uses ``x`` afterwards should use the map returned, so
        that gradients may be added in place.
        """

    def frame(self, x: Array) -> Sides:
        """Predict the frame; see :class:`AbstractPadding`. Statistics are at least float32."""
        return self.with_frame(x)[1]

    def with_frame(self, x: Array) -> tuple[Array, Sides]:
        """Return ``x`` with its frame; see :class:`AbstractPadding`."""
        check_floating(x)
        values = x.astype(at_least_float32(x.dtype))
        if self.finite_only:
            frame = self._frame_of_finite(values)
        else:
            values, mean, coefficients = self.fit(values)
            values, frame = with_predicted_frame(values, mean, coefficients, self.pad_width)
        return values.astype(x.dtype), Sides(*(strip.astype(x.dtype) for strip in frame))

    def fit_to_known(self, x: Array, known: Array) -> tuple[Array, Sides]:
        """Fit to the known pixels of maps that have the mean of these at all others.

        Args:
            x: maps (*batch, height, width, channels), finite.
            known: True for pixels that are known, same shape.

        Returns:
            Means and coefficients, as of ``fit``.
        """
        del known  # less their mean, the others are 0 and add nothing to sums of products
        return self.fit(x)[1:]

    def _frame_of_finite(self, x: Array) -> Sides:
        """Predict the frame from the finite pixels only."""
        known = jnp.isfinite(x)
        count = jnp.sum(known, axis=(-3, -2), keepdims=True)
        mean = jnp.sum(jnp.where(known, x, 0), axis=(-3, -2), keepdims=True) / jnp.maximum(count, 1).astype(
            x.dtype
        )
        filled = jnp.where(known, x, mean)
        _, frame = with_predicted_frame(filled, *self.fit_to_known(filled, known), self.pad_width)
        return Sides(*(jnp.where(count > 0, strip, jnp.nan) for strip in frame))


def check_neighbourhood(length: int, width: int) -> None:
    """Raise ValueError unless ``length >= 1`` and ``width`` is odd and positive."""
    if length < 1:
        raise ValueError(f"length (pixels along the padding direction) must be at least 1, got {length}")
    if width < 1 or width % 2 == 0:
        raise ValueError(f"width (pixels across the padding direction) must be odd, got {width}")


def fitting_width(width: int, size: int) -> int:
    """Return the largest odd width that is neither above ``width`` nor wider than the map."""
    return min(width, size - (size + 1) % 2)


def with_predicted_frame(
    x: Float[Array, "*batch height width channels"],
    mean: Float[Array, "*batch channels"],
    coefficients: Sides,
    pad_width: PadWidth,
) -> tuple[Float[Array, "*batch height width channels"], Sides]:
    """Return ``x`` with the frame that its means and coefficients predict.

    Args:
        x: maps, float32 or float64.
        mean: subtracted before, and added after.
        coefficients: of each side, (positions, length, width, *batch, channels).
        pad_width: of the frame.

    Means and coefficients are broadcast to the maps.
    """
    of_maps = (*x.shape[:-3], x.shape[-1])

    def by_map(side: Array) -> Array:
        return jnp.moveaxis(jnp.broadcast_to(side, (*side.shape[:3], *of_maps)), (0, 1, 2), (-4, -3, -2))

    mean, by_maps = jnp.broadcast_to(mean, of_maps), Sides(*map(by_map, coefficients))
    reference = functools.partial(_by_xla, pad_width)
    compact = functools.partial(frame_by_lines, pad_width)
    if native.available(x) and all(array.dtype == x.dtype for array in (mean, *by_maps)):
        predict = _compiled(pad_width, reference, compact, x.ndim - 3)
    else:
        predict = with_compact_derivatives(reference, compact)
    return predict(x, mean, by_maps)


def _by_xla(pad_width: PadWidth, x: Array, mean: Array, coefficients: Sides) -> tuple[Array, Sides]:
    depth = (
        max(side.shape[-3] for side in coefficients[:2]),
        max(side.shape[-3] for side in coefficients[2:]),
    )
    x, known = with_outer_strips(x, depth)
    mean = mean[..., None, None, :]
    frame = _frame_of_centred(Sides(*(strip - mean for strip in known)), pad_width, coefficients)
    return x, Sides(*(strip + mean for strip in frame))


def _frame_of_centred(known: Sides, pad_width: PadWidth, coefficients: Sides) -> Sides:
    (top, bottom), (left, right) = pad_width

    def rightwards(strip: Array, side: Array, steps: int) -> Array:
        return transposed(_continued(transposed(strip), side, steps))

    left_strip = turned(rightwards(turned(known.left), coefficients.left, left))
    right_strip = rightwards(known.right, coefficients.right, right)

    def widened(rows: Array, first: int | None, last: int | None) -> Array:
        ends = (left_strip[..., first:last, :, :], right_strip[..., first:last, :, :])
        return jnp.concatenate([ends[0], rows, ends[1]], axis=-2)

    depth = known.top.shape[-3]
    top_rows = turned(widened(known.top, None, depth))
    top_strip = turned(_continued(top_rows, coefficients.top, top))
    bottom_strip = _continued(widened(known.bottom, -depth, None), coefficients.bottom, bottom)
    return Sides(top_strip, bottom_strip, left_strip, right_strip)


def _continued(rows: Array, coefficients: Array, steps: int) -> Array:
    """Predict ``steps`` rows below the last ones of ``rows``, a (*batch, rows, columns, channels) strip."""
    if steps == 0:
        return rows[..., :0, :, :]
    rows = rows[..., rows.shape[-3] - coefficients.shape[-3] :, :, :]
    if steps == 1:  # what most convolutions need is worth no loop
        return next_row(rows, coefficients)[..., None, :, :]

    def step(known: Array, _: None) -> tuple[Array, Array]:
        row = next_row(known, coefficients)
        return jnp.concatenate([known[..., 1:, :, :], row[..., None, :, :]], axis=-3), row

    _, predicted = jax.lax.scan(step, rows, None, length=steps)
    return jnp.moveaxis(predicted, 0, -3)


def _compiled(
    pad_width: PadWidth, reference: Callable[..., Any], compact: Callable[..., Any], batch: int
) -> Callable[[Array, Array, Sides], tuple[Array, Sides]]:
    (top, bottom), (left, right) = pad_width

    def forward(x: Array, mean: Array, coefficients: Sides) -> tuple[Array, Sides]:
        *batch, height, width, channels = x.shape
        breadth = left + width + right
        shapes = [(top, breadth), (bottom, breadth), (height, left), (height, right)]
        strips = [jax.ShapeDtypeStruct((*batch, *shape, channels), x.dtype) for shape in shapes]
        return x, Sides(*native.kernel("predicted_frame", strips)(x, mean, *coefficients))

    def backward(
        arguments: tuple[Array, Array, Sides], cotangents: tuple[Array, Sides]
    ) -> tuple[Array, Array, Sides]:
        x, mean, coefficients = arguments
        of_x, of_frame = cotangents
        kernel = native.kernel("predicted_frame_gradient", native.like(x, mean, *coefficients), in_place=True)
        of_x, of_mean, *of_coefficients = kernel(of_x, x, mean, *coefficients, *of_frame)
        return of_x, of_mean, Sides(*of_coefficients)

    of_sides = (batch,) * 4
    axes = native.BatchAxes((batch, batch, of_sides), (batch, of_sides))
    return native.differentiable(reference, forward, backward, compact=compact, batch=axes)
