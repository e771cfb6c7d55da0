"""What the convolutions share: the convolution by XLA, and the way between the two layouts."""

import functools
import math
from collections.abc import Callable, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Shaped

from spatial_prediction.padding._base import at_least_float32


def convolve_by_xla(
    x: Float[Array, "*batch height width inputs"],
    kernel: Float[Array, "rows columns group_inputs outputs"],
    bias: Shaped[Array, "..."] | None = None,
    *,
    stride: Sequence[int] = (1, 1),
    padding: Sequence[tuple[int, int]] = ((0, 0), (0, 0)),
    dilation: Sequence[int] = (1, 1),
) -> Float[Array, "*batch out_height out_width outputs"]:
    """Convolve as ``convolve`` does, without compiled kernels.

    Raises:
        ValueError: the kernel's input channels do not divide those of ``x``.
    """
    groups, left_over = divmod(x.shape[-1], kernel.shape[-2])
    if left_over or not groups:
        raise ValueError(
            f"x has {x.shape[-1]} channels and the kernel takes {kernel.shape[-2]}; the first must be the "
            "second times the number of groups"
        )
    convolved: Callable[[Array, Array], Array] = functools.partial(
        jax.lax.conv_general_dilated,
        window_strides=stride,
        padding=padding,
        rhs_dilation=dilation,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=groups,
    )
    unpadded = all(width == 0 for axis in padding for width in axis)
    if kernel.shape[:2] == (1, 1) and groups == 1 and tuple(stride) == (1, 1) and unpadded:
        convolved = _pointwise
    y = convolved(x.reshape(math.prod(x.shape[:-3]), *x.shape[-3:]), kernel)
    y = y.reshape(*x.shape[:-3], *y.shape[1:])
    return y if bias is None else y + bias


def _pointwise(x: Array, kernel: Array) -> Array:
    return x @ kernel[0, 0]


def pads_of(layer: eqx.nn.Conv, shape: Sequence[int]) -> Sequence[tuple[int, int]]:
    """Return the pad width, (before, after) for each axis, of a layer on a map of size ``shape``."""
    if not isinstance(layer.padding, str):
        return layer.padding
    spans = [d * (k - 1) + 1 for k, d in zip(layer.kernel_size, layer.dilation, strict=True)]
    return jax.lax.padtype_to_pads(shape, spans, layer.stride, layer.padding)


def check_odd(kernel_size: Sequence[int]) -> None:
    """Refuse kernels without a central pixel: for them a map of the same size is ambiguous.

    Raises:
        ValueError: a size is even or not positive.
    """
    if any(size < 1 or size % 2 == 0 for size in kernel_size):
        raise ValueError(f"kernel_size must be odd (1, 3, 5, ...), got {tuple(kernel_size)}")


def channels_last(x: Array, channels: int) -> Array:
    """Turn one example (channels, height, width) into (height, width, channels).

    Raises:
        ValueError: ``x`` has another rank, another number of channels, or no pixels.
        TypeError: ``x`` holds integers or booleans.
    """
    at_least_float32(x.dtype)  # refuses these
    if x.ndim != 3 or x.shape[0] != channels:
        raise ValueError(
            f"x must have shape ({channels}, height, width), got {x.shape}; use jax.vmap for a batch"
        )
    if not x.size:
        raise ValueError(
            f"x must have rows and columns, shape ({channels}, height, width), got {x.shape}; "
            "give a map of at least one pixel"
        )
    return jnp.moveaxis(x, 0, -1)


def channels_first(y: Array) -> Array:
    """Turn (height, width, channels) into (channels, height, width)."""
    return jnp.moveaxis(y, -1, 0)


def channels_last_kernel(weight: Array) -> Array:
    """Turn a weight (..., outputs, inputs, rows, columns) into (..., rows, columns, inputs, outputs)."""
    return jnp.moveaxis(weight, (-2, -1, -3, -4), (-4, -3, -2, -1))


def channels_last_bias(bias: Array | None) -> Array | None:
    """Turn a bias (..., outputs, 1, 1) into (..., outputs).

    Another one, put in its place by hand, is broadcast against (outputs, height, width) by Equinox's layers;
    it is turned so that channels-last results broadcast it alike.
    """
    if bias is None:
        return None
    bias = bias.reshape(*[1] * (3 - bias.ndim), *bias.shape)
    return bias[..., 0, 0] if bias.shape[-2:] == (1, 1) else jnp.moveaxis(bias, -3, -1)
