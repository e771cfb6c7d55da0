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
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from spatial_prediction.padding._base import AbstractPadding, PadWidth


class SideCoefficients(NamedTuple):
    """Prediction coefficients of the four sides, each in its own frame.

    Every side is handled as "downwards": for the top the map is turned by 180 degrees, for the right it
    is transposed, for the left both.
    """

    top: Array
    bottom: Array
    left: Array
    right: Array


class AbstractLinearPrediction(AbstractPadding):
    """Fit linear prediction coefficients to each channel and continue it with them.

    The mean of the channel is removed before and added after, so a constant stays constant. Rows are
    extended first (left and right), then the columns of the widened map.
    """

    length: eqx.AbstractVar[int]
    width: eqx.AbstractVar[int]

    @abc.abstractmethod
    def coefficients(self, z: Float[Array, "*batch height width channels"]) -> SideCoefficients:
        """Fit the coefficients to the map ``z``, whose channel means have been removed."""

    def extend(self, x: Array) -> Array:
        """Pad a channels-last array; see :class:`AbstractPadding`. Statistics are at least float32."""
        values = x if jnp.finfo(x.dtype).bits >= 32 else x.astype(jnp.float32)
        mean = jnp.mean(values, axis=(-3, -2), keepdims=True)
        z = values - mean
        frame = predicted_frame(z, self.pad_width, self.coefficients(z))
        return assemble(x, [(strip + mean).astype(x.dtype) for strip in frame])


def check_neighbourhood(length: int, width: int) -> None:
    """Raise ValueError unless ``length >= 1`` and ``width`` is odd and positive."""
    if length < 1:
        raise ValueError(f"length (pixels along the padding direction) must be at least 1, got {length}")
    if width < 1 or width % 2 == 0:
        raise ValueError(f"width (pixels across the padding direction) must be odd, got {width}")


def fitting_width(width: int, size: int) -> int:
    """Return the largest odd width that is neither above ``width`` nor wider than the map."""
    return min(width, size - (size + 1) % 2)


def predicted_frame(z: Array, pad_width: PadWidth, coefficients: SideCoefficients) -> list[Array]:
    """Predict the strips ``[left, right, top, bottom]``; top and bottom span the widened map.

    A plain prediction: no mean is removed or added.
    """
    (top, bottom), (left, right) = pad_width

    def right_of(strip: Array, side: Array, steps: int) -> Array:
        return _transposed(_continued(_transposed(strip), side, steps))

    def turned(strip: Array) -> Array:
        return jnp.flip(strip, axis=(-3, -2))

    left_strip = turned(right_of(turned(_first(z, coefficients.left, -2)), coefficients.left, left))
    right_strip = right_of(_last(z, coefficients.right, -2), coefficients.right, right)

    def widened(rows: slice) -> Array:
        return jnp.concatenate([s[..., rows, :, :] for s in (left_strip, z, right_strip)], axis=-2)

    top_rows = widened(slice(0, coefficients.top.shape[1]))
    bottom_rows = widened(slice(z.shape[-3] - coefficients.bottom.shape[1], None))
    top_strip = turned(_continued(turned(top_rows), coefficients.top, top))
    bottom_strip = _continued(bottom_rows, coefficients.bottom, bottom)
    return [left_strip, right_strip, top_strip, bottom_strip]


def assemble(x: Array, frame: list[Array]) -> Array:
    """Put the strips ``[left, right, top, bottom]`` around ``x``."""
    left, right, top, bottom = frame
    middle = jnp.concatenate([left, x, right], axis=-2)
    return jnp.concatenate([top, middle, bottom], axis=-3)


def _continued(rows: Array, coefficients: Array, steps: int) -> Array:
    """Predict ``steps`` rows below ``rows``, a (*batch, length, columns, channels) strip."""
    if steps == 0:
        return rows[..., :0, :, :]

    def step(known: Array, _: None) -> tuple[Array, Array]:
        row = _next_row(known, coefficients)
        return jnp.concatenate([known[..., 1:, :, :], row[..., None, :, :]], axis=-3), row

    # the single pixel that most convolutions need is worth no loop
    _, predicted = jax.lax.scan(step, rows, None, length=steps, unroll=steps == 1)
    return jnp.moveaxis(predicted, 0, -3)


def _next_row(rows: Array, coefficients: Array) -> Array:
    positions, _, width = coefficients.shape[:3]
    columns = rows.shape[-2]
    centre = positions // 2
    known = jnp.moveaxis(rows, -3, 0)  # (length, *batch, columns, channels)

    def corner(side: Array, first: int) -> Array:
        """Predict from the one rectangle at column ``first``, for each position in ``side``."""
        rectangle = jnp.moveaxis(known[..., first : first + width, :], -2, 1)
        return jnp.moveaxis(jnp.sum(side * rectangle, axis=(1, 2)), 0, -2)

    count = columns - width + 1
    inner = sum(
        (
            jnp.sum(coefficients[centre, :, w][..., None, :] * known[..., w : w + count, :], axis=0)
            for w in range(width)
        ),
        jnp.zeros((), rows.dtype),
    )
    if positions == 1:
        return inner
    start = corner(coefficients[:centre], 0)
    end = corner(coefficients[centre + 1 :], columns - width)
    return jnp.concatenate([start, inner, end], axis=-2)


def _first(z: Array, coefficients: Array, axis: int) -> Array:
    return jax.lax.slice_in_dim(z, 0, coefficients.shape[1], axis=z.ndim + axis)


def _last(z: Array, coefficients: Array, axis: int) -> Array:
    size = z.shape[axis]
    return jax.lax.slice_in_dim(z, size - coefficients.shape[1], size, axis=z.ndim + axis)


def _transposed(z: Array) -> Array:
    return jnp.swapaxes(z, -3, -2)
