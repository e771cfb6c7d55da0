"""The convolution of a map in a frame, without building the framed map."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Shaped

from spatial_prediction import native
from spatial_prediction.convolution._xla import convolve_by_xla
from spatial_prediction.padding import PadWidth, Sides, add_strips
from spatial_prediction.padding._sides import surrounded, transposed, turned

LARGEST_KERNEL = 3 * 3 * 96 * 96
"""Number of weights up to which the compiled convolution is used; larger kernels are left to XLA.

Measured by benchmarks/convolution.py: forward and backward 3.0 times as fast as XLA for 64
channels, 0.85 times for 128, 0.5 times for 256.
"""


def framed_convolution(
    x: Float[Array, "*batch height width inputs"],
    frame: Sides | None,
    kernel: Float[Array, "rows columns inputs outputs"],
    bias: Shaped[Array, "..."] | None = None,
    *,
    pad_width: PadWidth = ((0, 0), (0, 0)),
) -> Float[Array, "*batch out_height out_width outputs"]:
    """Convolve maps in a frame of ``pad_width``; ``frame`` None is zeros. Differentiable in both modes.

    The bias is added to the result with the usual broadcasting; shape (outputs,) is one value per output
    channel. ``x`` must have rows, columns and channels.

    The compiled kernel assembles the rows of the framed map as it needs them. XLA has no such operation, but
    convolution is linear: the framed map is the map with zeros around it plus the frame with zeros inside,
    and the latter contributes only to results near the border.

    Raises:
        ValueError: the sizes of the frame's strips do not agree with ``pad_width``.
    """
    if frame is not None:
        frame = _checked_frame(x, frame, pad_width)
    if not native.available(x) or not _suits_kernel(x, frame, kernel, pad_width):
        return _by_xla(x, frame, kernel, bias, pad_width=pad_width)
    if bias is None or bias.shape != kernel.shape[-1:] or bias.dtype != x.dtype:
        no_bias = jnp.zeros(kernel.shape[-1], x.dtype)
        y = _compiled(x, frame, kernel, no_bias, pad_width=pad_width)
        return y if bias is None else y + bias
    return _compiled(x, frame, kernel, bias, pad_width=pad_width)


def _checked_frame(x: Array, frame: Sides, pad_width: PadWidth) -> Sides:
    """Broadcast the strips to the batch axes of ``x``, and refuse those of another size."""
    (top, bottom), (left, right) = pad_width
    *batch, height, width, channels = x.shape
    breadth = left + width + right
    sizes = ((top, breadth), (bottom, breadth), (height, left), (height, right))
    for side, strip, size in zip(Sides._fields, frame, sizes, strict=True):
        if strip.shape[-3:] != (*size, channels):
            raise ValueError(
                f"the {side} strip of the frame has shape {strip.shape}, wanted "
                f"(*batch, {size[0]}, {size[1]}, {channels}) for pad_width {pad_width} around {x.shape}"
            )
    return Sides(*(jnp.broadcast_to(strip, (*batch, *strip.shape[-3:])) for strip in frame))


def _suits_kernel(x: Array, frame: Sides | None, kernel: Array, pad_width: PadWidth) -> bool:
    """Return whether the compiled convolution supports this case and is fast at it."""
    cropping = any(width < 0 for axis in pad_width for width in axis)
    some = min(result_shape(x, kernel, pad_width)) > 0
    same_dtype = all(array.dtype == x.dtype for array in (kernel, *(frame or ())))
    return some and same_dtype and not cropping and kernel.size <= LARGEST_KERNEL


def result_shape(x: Array, kernel: Array, pad_width: PadWidth) -> tuple[int, ...]:
    """Return the shape of the convolution of a map with a frame of these widths."""
    (top, bottom), (left, right) = pad_width
    *batch, height, width, _ = x.shape
    rows, columns, _, outputs = kernel.shape
    return *batch, top + height + bottom - rows + 1, left + width + right - columns + 1, outputs


def _by_xla(
    x: Array, frame: Sides | None, kernel: Array, bias: Array | None, *, pad_width: PadWidth
) -> Array:
    if frame is None:
        y = convolve_by_xla(x, kernel, padding=pad_width)
    elif kernel.shape[0] > x.shape[-3] or kernel.shape[1] > x.shape[-2]:
        y = convolve_by_xla(surrounded(x, frame), kernel)  # few results, and the strips' would reach beyond
    else:
        y = _with_ring(convolve_by_xla(x, kernel, padding=pad_width), frame, kernel)
    return y if bias is None else y + bias


def _with_ring(y: Array, frame: Sides, kernel: Array) -> Array:
    """Add what the frame contributes to the convolution of a map with zeros around it."""
    top, bottom = frame.top.shape[-3], frame.bottom.shape[-3]
    no_more = [(0, 0)] * (y.ndim - 3)  # corners belong to the strips at top and bottom

    left, right = (jnp.pad(s, [*no_more, (top, bottom), (0, 0), (0, 0)]) for s in (frame.left, frame.right))

    def from_left(strip: Array, kernel: Array) -> Array:
        return transposed(_first_rows(transposed(strip), jnp.swapaxes(kernel, 0, 1)))

    return add_strips(
        y,
        Sides(
            top=_first_rows(frame.top, kernel),
            bottom=turned(_first_rows(turned(frame.bottom), kernel[::-1, ::-1])),
            left=from_left(left, kernel),
            right=turned(from_left(turned(right), kernel[::-1, ::-1])),
        ),
    )


def _first_rows(strip: Array, kernel: Array) -> Array:
    """Convolve rows with zeros below them; by matrix products, because XLA convolves strips slowly."""
    height, width, _, outputs = kernel.shape
    rows, columns = strip.shape[-3], strip.shape[-2] - width + 1

    def row(first: int) -> Array:
        seen = min(height, rows - first)
        pixels = [strip[..., first + i, j : j + columns, :] for i in range(seen) for j in range(width)]
        return jnp.concatenate(pixels, axis=-1) @ kernel[:seen].reshape(-1, outputs)

    if not rows:
        return jnp.zeros((*strip.shape[:-2], columns, outputs), strip.dtype)
    return jnp.stack([row(first) for first in range(rows)], axis=-3)


def _compiled(x: Array, frame: Sides | None, kernel: Array, bias: Array, *, pad_width: PadWidth) -> Array:
    result = jax.ShapeDtypeStruct(result_shape(x, kernel, pad_width), x.dtype)
    nothing = jnp.zeros((*x.shape[:-3], 0, 0, x.shape[-1]), x.dtype)
    widths = native.as_attribute(pad_width)
    reach = native.as_attribute([[size - 1] * 2 for size in kernel.shape[:2]])

    def reference(x: Array, strips: Sides, kernel: Array, bias: Array) -> Array:
        return _by_xla(x, None if frame is None else strips, kernel, bias, pad_width=pad_width)

    def compact(x: Array, strips: Sides, kernel: Array, bias: Array) -> Array:
        if frame is None:
            return convolve_by_xla(x, kernel, padding=pad_width) + bias
        return convolve_by_xla(surrounded(x, strips), kernel) + bias

    def forward(x: Array, strips: Sides, kernel: Array, bias: Array) -> Array:
        return native.kernel("convolution", [result], widths=widths)(x, *strips, kernel, bias)[0]

    def backward(
        arguments: tuple[Array, Sides, Array, Array], cotangent: Array
    ) -> tuple[Array, Sides, Array, Array]:
        x, strips, kernel, bias = arguments
        # The cotangent with margins of zeros as wide as a window reaches gives the cotangent of the whole
        # framed map. Without a frame only that of the map inside is needed.
        without_frame = frame is None and bool((widths <= reach).all())
        of_map = native.kernel(
            "convolution_map_gradient",
            native.like(x, *strips),
            widths=0 * widths if without_frame else widths,
            margins=reach - widths if without_frame else reach,
        )
        of_kernel = native.kernel("convolution_kernel_gradient", native.like(kernel, bias), widths=widths)
        of_x, *of_strips = of_map(cotangent, kernel)
        kernel_gradient, bias_gradient = of_kernel(cotangent, x, *strips)
        return of_x, Sides(*of_strips), kernel_gradient, bias_gradient

    batch = x.ndim - 3
    axes = native.BatchAxes((batch, (batch,) * 4, 0, 0), batch)
    convolution = native.differentiable(reference, forward, backward, compact=compact, batch=axes)
    return convolution(x, Sides(*[nothing] * 4) if frame is None else frame, kernel, bias)
