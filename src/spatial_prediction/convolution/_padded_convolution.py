"""A convolution of a padded map that never makes the padded map."""

from jaxtyping import Array, Float, Shaped

from spatial_prediction.convolution._framed import framed_convolution
from spatial_prediction.padding import AbstractPadding, ZeroPadding
from spatial_prediction.padding._base import check_map


def padded_convolution(
    x: Float[Array, "*batch height width inputs"],
    kernel: Float[Array, "rows columns group_inputs outputs"],
    bias: Shaped[Array, "..."] | None = None,
    *,
    padding: AbstractPadding,
) -> Float[Array, "*batch out_height out_width outputs"]:
    """Pad ``x`` and convolve it, with stride 1; the same as ``convolve(padding.extend(x), kernel, bias)``.

    It costs what zero padding costs, and the prediction of the frame. Differentiable in both modes.

    Raises:
        ValueError: ``x`` has no rows, columns or channels, or the kernel's input channels do not divide them.
    """
    check_map(x)
    x, frame = (x, None) if isinstance(padding, ZeroPadding) else padding.with_frame(x)
    return framed_convolution(x, frame, kernel, bias, pad_width=padding.pad_width)
