"""The convolution of channels-last maps by XLA."""

import functools
import math
from collections.abc import Callable, Sequence

import jax
from jaxtyping import Array, Float, Shaped


def convolve_by_xla(
    x: Float[Array, "*batch height width inputs"],
    kernel: Float[Array, "rows columns group_inputs outputs"],
    bias: Shaped[Array, "..."] | None = None,
    *,
    padding: Sequence[tuple[int, int]] = ((0, 0), (0, 0)),
    stride: Sequence[int] = (1, 1),
    dilation: Sequence[int] = (1, 1),
) -> Float[Array, "*batch out_height out_width outputs"]:
    """Convolve without compiled kernels; ``padding`` is a pad width of zeros, as in ``convolve``.

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
