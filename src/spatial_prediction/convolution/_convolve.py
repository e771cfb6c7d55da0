"""The convolution of channels-last maps with any padding."""

from collections.abc import Sequence

from jaxtyping import Array, Float, Shaped

from spatial_prediction.convolution._framed import framed_convolution
from spatial_prediction.convolution._xla import convolve_by_xla
from spatial_prediction.padding import AbstractPadding, PadWidth, ZeroPadding
from spatial_prediction.padding._base import check_map


def convolve(
    x: Float[Array, "*batch height width inputs"],
    kernel: Float[Array, "rows columns group_inputs outputs"],
    bias: Shaped[Array, "..."] | None = None,
    *,
    padding: int | PadWidth | AbstractPadding = 0,
    stride: int | Sequence[int] = 1,
    dilation: int | Sequence[int] = 1,
) -> Float[Array, "*batch out_height out_width outputs"]:
    """Convolve maps, by default without padding; the number of groups is inputs / group_inputs.

    At stride and dilation 1, in one group, the padded map is not built, so a padding costs only the
    prediction of its frame. Derivatives of any order exist in forward and reverse mode; ``jax.vmap`` works
    too.

    Args:
        x: channels-last maps with any batch axes, any floating dtype.
        kernel: dtype of ``x``.
        bias: added to the result with the usual broadcasting; shape (outputs,) for one value per output
            channel.
        padding: width of a frame of zeros, one number for all sides or ``((top, bottom), (left, right))``,
            where negative widths crop; or a padding object, which predicts the frame.
        stride: distance in pixels between outputs, one number or two for rows and columns.
        dilation: distance in pixels between neighbouring taps, one number or two for rows and columns.

    Returns:
        The convolved maps, dtype of ``x``; if ``padding`` is an object, the convolution of
        ``padding.extend(x)``.

    Raises:
        ValueError: the kernel's input channels do not divide those of ``x``, ``x`` has no rows, columns or
            channels, or ``padding``, ``stride`` or ``dilation`` has another form.
        TypeError: ``kernel`` has another dtype than ``x``.
    """
    check_map(x)
    pad_width, predicting = _border(padding)
    stride, dilation = _pair(stride, "stride"), _pair(dilation, "dilation")
    if (stride, dilation) == ((1, 1), (1, 1)) and x.shape[-1] == kernel.shape[-2]:
        x, frame = (x, None) if predicting is None else predicting.with_frame(x)
        return framed_convolution(x, frame, kernel, bias, pad_width=pad_width)
    if predicting is not None:  # XLA is slow on strips in groups and cannot use them at other strides
        x, pad_width = predicting.extend(x), ((0, 0), (0, 0))
    return convolve_by_xla(x, kernel, bias, padding=pad_width, stride=stride, dilation=dilation)


def _border(padding: int | PadWidth | AbstractPadding) -> tuple[PadWidth, AbstractPadding | None]:
    """Return the pad width, and the padding that predicts the frame; None for zeros."""
    if isinstance(padding, AbstractPadding):
        return padding.pad_width, None if isinstance(padding, ZeroPadding) else padding
    if isinstance(padding, int):
        padding = ((padding, padding), (padding, padding))
    try:
        (top, bottom), (left, right) = padding
    except (TypeError, ValueError):
        raise ValueError(
            "padding must be a number of pixels, ((top, bottom), (left, right)) or a padding object as "
            f"padding_from_name makes it, got {padding!r}"
        ) from None
    return ((top, bottom), (left, right)), None


def _pair(value: int | Sequence[int], name: str) -> tuple[int, int]:
    """Return a setting for rows and for columns."""
    if isinstance(value, int):
        return value, value
    try:
        rows, columns = value
    except ValueError:
        raise ValueError(f"{name} must be one number, or two by rows and columns, got {value!r}") from None
    return rows, columns
