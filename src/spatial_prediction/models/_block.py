"""A 3x3 convolution and the feed-forward part behind it, as one kernel, and their derivative as another."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from spatial_prediction import native
from spatial_prediction.convolution._framed import framed_convolution, result_shape
from spatial_prediction.models._convolution import Convolution
from spatial_prediction.models._feed_forward import FeedForward
from spatial_prediction.padding import AbstractPadding, Sides, ZeroPadding


def convolve_and_feed_forward(
    x: Float[Array, "batch height width inputs"],
    convolution: Convolution,
    feed_forward: FeedForward,
    *,
    padding: AbstractPadding | None = None,
) -> Float[Array, "batch out_height out_width outputs"]:
    """Return ``feed_forward`` of the convolution of ``padding.extend(x)``, or of ``x`` without padding.

    The map between the two parts does not travel to memory: the gradient computes it again. All other
    derivatives are those of the two parts, one after the other.
    """
    x, frame = (x, None) if padding is None or isinstance(padding, ZeroPadding) else padding.with_frame(x)
    framed, pad_width = frame is not None, ((0, 0), (0, 0)) if padding is None else padding.pad_width
    nothing = jnp.zeros((*x.shape[:-3], 0, 0, x.shape[-1]), x.dtype)
    expand, reduce = feed_forward.expand, feed_forward.reduce
    arguments = (
        *(x, *(frame or Sides(*[nothing] * 4)), convolution.kernel, convolution.bias),
        *(expand.kernel, expand.bias, reduce.kernel, reduce.bias),
    )

    def apart(*arguments: Array) -> Array:
        x, *strips, kernel, bias, expand, expand_bias, reduce, reduce_bias = arguments
        frame = Sides(*strips) if framed else None
        y = framed_convolution(x, frame, kernel, bias, pad_width=pad_width)
        return FeedForward(Convolution(expand, expand_bias), Convolution(reduce, reduce_bias))(y)

    widths = native.as_attribute(pad_width)
    result = jax.ShapeDtypeStruct(result_shape(x, convolution.kernel, pad_width), x.dtype)
    if not (native.available(x) and native.fits("block", arguments, [result], widths=widths)):
        return apart(*arguments)

    def together(*arguments: Array) -> Array:
        return native.kernel("block", [result], widths=widths)(*arguments)[0]

    def gradient(arguments: tuple[Array, ...], cotangent: Array) -> tuple[Array, ...]:
        *given, _ = arguments
        return tuple(
            native.kernel("block_gradient", native.like(*arguments), widths=widths)(cotangent, *given)
        )

    batch_axes = x.ndim - 3
    axes = native.BatchAxes((batch_axes,) * 5 + (0,) * 6, batch_axes)
    return native.differentiable(apart, together, gradient, batch=axes)(*arguments)
