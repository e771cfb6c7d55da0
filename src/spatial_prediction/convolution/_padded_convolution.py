"""A convolution of a padded map that never makes the padded map."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from spatial_prediction.convolution._base import convolve
from spatial_prediction.padding import AbstractPadding, Borders, ZeroPadding, add_to_borders


def padded_convolution(
    x: Float[Array, "*batch height width inputs"],
    kernel: Float[Array, "rows columns group_inputs outputs"],
    bias: Float[Array, " outputs"] | None = None,
    *,
    padding: AbstractPadding,
) -> Float[Array, "*batch out_height out_width outputs"]:
    """Pad ``x`` and convolve it, with stride 1; the same as ``convolve(padding.extend(x), kernel, bias)``.

    Convolution is linear: the padded map is the map with zeros around it, plus its frame with zeros inside.
    The former costs what zero padding costs. The latter reaches only results within the pad width of the
    border, so its four strips are convolved by themselves and added there.
    """
    (top, bottom), (left, right) = padding.pad_width
    y = convolve(x, kernel, bias, padding=((top, bottom), (left, right)))
    if isinstance(padding, ZeroPadding):
        return y
    frame = padding.frame(x)
    no_more = [(0, 0)] * (x.ndim - 3)  # corners belong to the strips at top and bottom

    def from_left(strip: Array, kernel: Array) -> Array:
        taller = jnp.pad(strip, [*no_more, (top, bottom), (0, 0), (0, 0)])
        return _transposed(_first_rows(_transposed(taller), jnp.swapaxes(kernel, 0, 1)))

    return add_to_borders(
        y,
        Borders(
            top=_first_rows(frame.top, kernel),
            bottom=_turned(_first_rows(_turned(frame.bottom), kernel[::-1, ::-1])),
            left=from_left(frame.left, kernel),
            right=_turned(from_left(_turned(frame.right), kernel[::-1, ::-1])),
        ),
    )


def _first_rows(strip: Array, kernel: Array) -> Array:
    """Convolve a strip of rows with nothing below it; by matrix products, for XLA convolves strips slowly."""
    height, width, group_inputs, outputs = kernel.shape
    rows, columns = strip.shape[-3], strip.shape[-2] - width + 1
    if group_inputs != strip.shape[-1]:
        return convolve(strip, kernel, padding=((0, height - 1), (0, 0)))

    def row(first: int) -> Array:
        seen = min(height, rows - first)
        pixels = [strip[..., first + i, j : j + columns, :] for i in range(seen) for j in range(width)]
        return jnp.concatenate(pixels, axis=-1) @ kernel[:seen].reshape(-1, outputs)

    if not rows:
        return jnp.zeros((*strip.shape[:-2], columns, outputs), strip.dtype)
    return jnp.stack([row(first) for first in range(rows)], axis=-3)


def _turned(x: Array) -> Array:
    return jnp.flip(x, axis=(-3, -2))


def _transposed(x: Array) -> Array:
    return jnp.swapaxes(x, -3, -2)
