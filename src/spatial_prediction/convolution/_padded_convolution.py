"""A convolution of a padded map that never makes the padded map."""

from jaxtyping import Array, Float

from spatial_prediction.convolution._base import convolve
from spatial_prediction.convolution._ring import add_ring
from spatial_prediction.padding import AbstractPadding, ZeroPadding


def padded_convolution(
    x: Float[Array, "*batch height width inputs"],
    kernel: Float[Array, "rows columns group_inputs outputs"],
    bias: Float[Array, " outputs"] | None = None,
    *,
    padding: AbstractPadding,
) -> Float[Array, "*batch out_height out_width outputs"]:
    """Pad ``x`` and convolve it, with stride 1; the same as ``convolve(padding.extend(x), kernel, bias)``.

    It costs what zero padding costs, and a ring of corrections where results see the frame. Differentiable
    in reverse mode.
    """
    if isinstance(padding, ZeroPadding):
        return convolve(x, kernel, bias, padding=padding.pad_width)
    x, frame = padding.framed(x)
    y = add_ring(convolve(x, kernel, padding=padding.pad_width), frame, kernel)
    return y if bias is None else y + bias
