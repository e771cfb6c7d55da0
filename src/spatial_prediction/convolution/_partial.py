"""Partial convolution: only known pixels, scaled up to make up for missing ones."""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Shaped

from spatial_prediction.convolution._convolve import convolve
from spatial_prediction.convolution._layer import (
    AbstractConv2d,
    channels_first,
    channels_last,
    channels_last_bias,
    channels_last_kernel,
    check_odd,
)
from spatial_prediction.padding._base import PadWidth, at_least_float32

EPSILON = 1e-8
"""The published value. Counts are kept in float32 or wider, where 1 + 1e-8 = 1 and 1e-8 is not 0."""


def partial_convolution(
    x: Float[Array, "*batch height width inputs"],
    kernel: Float[Array, "rows columns group_inputs outputs"],
    bias: Shaped[Array, "..."] | None = None,
) -> Float[Array, "*batch height width outputs"]:
    """Convolve to the same size, ``y = W * x sum(1) / (sum(M) + epsilon) + b``; see :class:`PartialConv2d`.

    M is 1 in the map and 0 outside. With a kernel of three ones in a row, ``1 2 3 4 -> 4.5 6 9 10.5``: both
    ends are 3/2 of the sum of their two known pixels.

    Args:
        x: channels-last maps, any floating dtype.
        kernel: odd rows and columns, dtype of ``x``; inputs / group_inputs groups.
        bias: added after the scaling.

    Returns:
        The convolved maps, dtype of ``x``.

    Raises:
        ValueError: the kernel has an even size or input channels that do not divide those of ``x``, or ``x``
            has no rows, columns or channels.

    Source: arXiv 1811.11718.
    """
    check_odd(kernel.shape[:2])
    rows, columns = (size // 2 for size in kernel.shape[:2])
    y, _ = _convolve_known(x, kernel, bias, None, padding=((rows, rows), (columns, columns)), epsilon=EPSILON)
    return y


class PartialConv2d(AbstractConv2d):
    """A convolution over known pixels only, scaled as if the window were complete.

        y = W * (M x) sum(1) / (sum(M) + epsilon) + b    where sum(M) > 0, and 0 elsewhere
        updated mask = clip(sum(M), 0, 1)

    M is the mask, 1 where a pixel is known and 0 where it is unknown or outside the map; sums are over one
    window, and sum(1) is its number of pixels. Without holes, ``mask=None``, only
    windows that reach over the border differ from zero padding: for a 3x3 kernel by the factor 3/2 at edges
    and 9/4 in corners. Pixels are counted whatever their weights in the kernel: a flat kernel turns a
    constant map into a constant, but a derivative kernel sees a jump at the border. For a kernel of three
    ones in a row, ``1 2 3 4 -> 4.5 6 9 10.5``.

    Arguments and fields are those of ``equinox.nn.Conv2d``, and the same key draws the same weights, so
    that layers can be exchanged; ``padding`` may be a number, pairs or "SAME". Further arguments:

    Args:
        multi_channel: masks have shape (in_channels, height, width), and pixels are counted over all
            channels of the group. Otherwise masks have shape (1, height, width).
        epsilon: keeps the division defined where no pixel is known.

    Raises:
        ValueError: epsilon vanishes in float32, or what ``equinox.nn.Conv2d`` refuses.

    Source: arXiv 1811.11718; arXiv 1804.07723 for holes. Fractional masks follow the published code,
    which scales by the clipped sum twice. Three things differ from it: in half precision pixels are counted
    in float32, where the published code overflows; with several groups a multi-channel mask is counted
    over the channels that the output sees, not over all; unknown pixels may be NaN.
    """

    multi_channel: bool = eqx.field(static=True)
    epsilon: float = eqx.field(static=True)

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: str | int | Sequence[int] | Sequence[Sequence[int]] = 0,
        dilation: int | Sequence[int] = 1,
        groups: int = 1,
        use_bias: bool = True,
        *,
        multi_channel: bool = False,
        epsilon: float = EPSILON,
        dtype: Any = None,
        key: Array,
    ) -> None:
        smallest = float(np.finfo(np.float32).tiny)
        if not epsilon >= smallest:
            raise ValueError(f"epsilon must be at least {smallest:.2g}, or it is 0 in float32; got {epsilon}")
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            groups,
            use_bias,
            dtype=dtype,
            key=key,
        )
        self.multi_channel = multi_channel
        self.epsilon = epsilon

    def __call__(
        self,
        x: Float[Array, "channels height width"],
        mask: Float[Array, "mask_channels height width"]
        | Bool[Array, "mask_channels height width"]
        | None = None,
        *,
        key: Array | None = None,
    ) -> Float[Array, "outputs out_height out_width"]:
        """Convolve one example; see :meth:`with_mask`. ``key`` is ignored, as in Equinox."""
        del key
        return self.with_mask(x, mask)[0]

    def with_mask(
        self,
        x: Float[Array, "channels height width"],
        mask: Float[Array, "mask_channels height width"]
        | Bool[Array, "mask_channels height width"]
        | None = None,
    ) -> tuple[
        Float[Array, "outputs out_height out_width"], Float[Array, "mask_outputs out_height out_width"]
    ]:
        """Convolve one example, and return the mask of the results as well.

        Args:
            x: feature map (channels, height, width), the weight's dtype.
            mask: 1 or True where ``x`` is known; shape (1, height, width), or that of ``x`` for a
                multi-channel layer. None: everything is known. It gets no gradient.

        Returns:
            The convolved map, and the updated mask for the next layer, with one channel, or
            ``out_channels`` for a multi-channel layer. Both have the dtype of ``x``.

        Raises:
            ValueError: shapes of ``x`` or ``mask`` do not fit the layer.
        """
        x = channels_last(x, self.in_channels)
        if mask is not None:
            expected = (self.in_channels if self.multi_channel else 1, *x.shape[:2])
            if mask.shape != expected:
                raise ValueError(
                    f"mask must have shape {expected}, got {mask.shape}; "
                    f"this layer was made with multi_channel={self.multi_channel}"
                )
            mask = jnp.moveaxis(mask, 0, -1)
        y, updated = _convolve_known(
            x,
            channels_last_kernel(self.weight),
            channels_last_bias(self.bias),
            mask,
            stride=self.stride,
            padding=self._pad_width(x.shape[:2]),
            dilation=self.dilation,
            multi_channel=self.multi_channel,
            epsilon=self.epsilon,
        )
        return channels_first(y), channels_first(updated)


def _convolve_known(
    x: Array,
    kernel: Array,
    bias: Array | None,
    mask: Array | None,
    *,
    stride: Sequence[int] = (1, 1),
    padding: PadWidth,
    dilation: Sequence[int] = (1, 1),
    multi_channel: bool = False,
    epsilon: float,
) -> tuple[Array, Array]:
    """Return the partial convolution of channels-last ``x``, and the updated mask."""
    *size, group_inputs, outputs = kernel.shape
    counted_channels = group_inputs if multi_channel else 1
    dtype, wide = x.dtype, at_least_float32(x.dtype)
    if mask is None:
        # The count over a rectangle of ones is the product of the counts along its axes, which depend only on
        # the shapes: two short constants instead of a convolution.
        rows, columns = (
            _known_per_window(*axis)
            for axis in zip(x.shape[-3:-1], size, stride, padding, dilation, strict=True)
        )
        count = jnp.asarray(rows[:, None, None], wide) * jnp.asarray(columns[:, None], wide)
        count = count * counted_channels
    else:
        mask = jax.lax.stop_gradient(mask.astype(wide))
        # A product by itself would not do, because an unknown pixel may be NaN.
        x = jnp.where(mask > 0, x * mask.astype(dtype), jnp.zeros((), dtype))
        groups = mask.shape[-1] // counted_channels
        ones = jnp.ones((*size, counted_channels, groups), wide)
        count = convolve(mask, ones, stride=stride, padding=padding, dilation=dilation)
        count = jnp.repeat(count, outputs // groups if multi_channel else 1, axis=-1)
    updated = jnp.clip(count, 0, 1)
    ratio = size[0] * size[1] * counted_channels / (count + epsilon) * updated
    y = convolve(x, kernel, stride=stride, padding=padding, dilation=dilation).astype(wide) * ratio
    if bias is not None:
        y = y + bias.astype(wide)
    if multi_channel:
        updated = jnp.broadcast_to(updated, (*updated.shape[:-1], outputs))
    return (y * updated).astype(dtype), updated.astype(dtype)


def _known_per_window(
    length: int, size: int, stride: int, pads: tuple[int, int], dilation: int
) -> np.ndarray:
    """Return how many of the ``size`` pixels of each window along an axis lie inside the map."""
    windows = (length + sum(pads) - dilation * (size - 1) - 1) // stride + 1
    pixels = stride * np.arange(max(windows, 0))[:, None] - pads[0] + dilation * np.arange(size)
    return ((pixels >= 0) & (pixels < length)).sum(axis=1)
