"""The plain convolution of channels-last maps."""

from collections.abc import Sequence

from jaxtyping import Array, Float, Shaped

from spatial_prediction.convolution._base import convolve_by_xla
from spatial_prediction.convolution._framed import framed_convolution
from spatial_prediction.padding._base import check_map


def convolve(
    x: Float[Array, "*batch height width inputs"],
    kernel: Float[Array, "rows columns group_inputs outputs"],
    bias: Shaped[Array, "..."] | None = None,
    *,
    stride: Sequence[int] = (1, 1),
    padding: Sequence[tuple[int, int]] = ((0, 0), (0, 0)),
    dilation: Sequence[int] = (1, 1),
) -> Float[Array, "*batch out_height out_width outputs"]:
    """Convolve with zero padding, by default none; the number of groups is inputs / group_inputs.

    A bias is added to the result as ``+`` does it; that of (outputs,) is one for each output. Differentiable
    in reverse and forward mode.

    Raises:
        ValueError: the kernel's input channels do not divide those of ``x``, or ``x`` has no rows, columns or
            channels.
    """
    check_map(x)
    if tuple(stride) == tuple(dilation) == (1, 1):
        (top, bottom), (left, right) = padding
        return framed_convolution(x, None, kernel, bias, pad_width=((top, bottom), (left, right)))
    return convolve_by_xla(x, kernel, bias, stride=stride, padding=padding, dilation=dilation)
