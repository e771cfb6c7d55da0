"""What the frame of a padded map adds to its convolution: a ring of corrections at the border."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from spatial_prediction import native
from spatial_prediction.convolution._base import convolve
from spatial_prediction.padding import Borders, add_to_borders
from spatial_prediction.padding._borders import transposed, turned


def add_ring(
    y: Float[Array, "*batch out_height out_width outputs"],
    frame: Borders,
    kernel: Float[Array, "rows columns group_inputs outputs"],
) -> Float[Array, "*batch out_height out_width outputs"]:
    """Add to the convolution of a map with zeros around it what a frame in their place contributes.

    Convolution is linear: the padded map is the map with zeros around it, plus its frame with zeros inside.
    The latter reaches only results within the pad width of the border.
    """
    grouped = frame.top.shape[-1] != kernel.shape[-2]
    if grouped or not native.available(y):
        return _add_strips(y, frame, kernel)
    return _compiled(y, frame, kernel)


def _add_strips(y: Array, frame: Borders, kernel: Array) -> Array:
    top, bottom = frame.top.shape[-3], frame.bottom.shape[-3]
    no_more = [(0, 0)] * (y.ndim - 3)  # corners belong to the strips at top and bottom

    left, right = (jnp.pad(s, [*no_more, (top, bottom), (0, 0), (0, 0)]) for s in (frame.left, frame.right))

    def from_left(strip: Array, kernel: Array) -> Array:
        return transposed(_first_rows(transposed(strip), jnp.swapaxes(kernel, 0, 1)))

    return add_to_borders(
        y,
        Borders(
            top=_first_rows(frame.top, kernel),
            bottom=turned(_first_rows(turned(frame.bottom), kernel[::-1, ::-1])),
            left=from_left(left, kernel),
            right=turned(from_left(turned(right), kernel[::-1, ::-1])),
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


def _forward(y: Array, frame: Borders, kernel: Array) -> Array:
    return native.kernel("ring_convolution", native.like(y), in_place=True)(y, *frame, kernel)[0]


def _backward(arguments: tuple[Array, Borders, Array], slope: Array) -> tuple[Array, Borders, Array]:
    _, frame, kernel = arguments
    gradient = native.kernel("ring_convolution_gradient", native.like(*frame, kernel))
    *of_frame, of_kernel = gradient(slope, *frame, kernel)
    return slope, Borders(*of_frame), of_kernel


_compiled = native.differentiable(_add_strips, _forward, _backward)
