"""What the layers share: arguments, fields and initial weights, and conversion between the two layouts."""

import abc
import dataclasses
from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from spatial_prediction.padding import PadWidth
from spatial_prediction.padding._base import at_least_float32


class AbstractConv2d(eqx.Module):
    """A convolution with the arguments, fields and initial weights of ``equinox.nn.Conv2d``.

    It copies them from an ``equinox.nn.Conv2d`` that it makes and discards. It does not derive from that
    class, because Equinox's layers are final; each subclass here handles the border in its own way.

    Attributes:
        num_spatial_dims: 2.
        weight: shape (out_channels, in_channels / groups, rows, columns).
        bias: shape (out_channels, 1, 1), or None.
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel_size: rows and columns.
        stride: distance in pixels between outputs, along rows and columns.
        padding: pad widths ``((top, bottom), (left, right))``, or "SAME", "SAME_LOWER", "VALID".
        dilation: distance in pixels between neighbouring taps, along rows and columns.
        groups: number of groups of channels that are convolved separately.
        use_bias: whether there was a bias when the layer was made.
        padding_mode: "ZEROS", unless a layer says otherwise.
    """

    num_spatial_dims: int = eqx.field(static=True)
    weight: Array
    bias: Array | None
    in_channels: int = eqx.field(static=True)
    out_channels: int = eqx.field(static=True)
    kernel_size: tuple[int, int] = eqx.field(static=True)
    stride: tuple[int, int] = eqx.field(static=True)
    padding: str | PadWidth = eqx.field(static=True)
    dilation: tuple[int, int] = eqx.field(static=True)
    groups: int = eqx.field(static=True)
    use_bias: bool = eqx.field(static=True)
    padding_mode: str = eqx.field(static=True)

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int],
        padding: str | int | Sequence[int] | Sequence[Sequence[int]],
        dilation: int | Sequence[int],
        groups: int,
        use_bias: bool,
        *,
        dtype: Any,
        key: Array,
    ) -> None:
        made = eqx.nn.Conv2d(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,  # type: ignore[arg-type]  # Equinox takes lists for pairs too
            dilation,
            groups,
            use_bias,
            dtype=dtype,
            key=key,
        )
        for each in dataclasses.fields(AbstractConv2d):
            setattr(self, each.name, getattr(made, each.name))
        if not isinstance(self.padding, str):  # lists would make the layer unfit for ``jax.jit``
            self.padding = _as_pairs(self.padding)

    @abc.abstractmethod
    def __call__(
        self, x: Float[Array, "channels height width"], *, key: Array | None = None
    ) -> Float[Array, "outputs out_height out_width"]:
        """Convolve one example (channels, height, width); batch it with ``jax.vmap``.

        Args:
            x: the map, dtype of the weights.
            key: ignored, as in Equinox.
        """

    def _pad_width(self, shape: Sequence[int]) -> PadWidth:
        """Return the pad width for a map of ``shape``, rows and columns."""
        if not isinstance(self.padding, str):
            return self.padding
        spans = [d * (k - 1) + 1 for k, d in zip(self.kernel_size, self.dilation, strict=True)]
        return _as_pairs(jax.lax.padtype_to_pads(shape, spans, self.stride, self.padding))


def _as_pairs(pad_width: Sequence[Sequence[int]]) -> PadWidth:
    (top, bottom), (left, right) = pad_width
    return (top, bottom), (left, right)


def check_odd(kernel_size: Sequence[int]) -> None:
    """Refuse kernels without a central pixel, for which "a map of the same size" is ambiguous.

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

    Equinox's layers broadcast a bias of any other shape, put there by hand, against (outputs, height, width);
    its axes are reordered so that it broadcasts likewise against channels-last results.
    """
    if bias is None:
        return None
    bias = bias.reshape(*[1] * (3 - bias.ndim), *bias.shape)
    return bias[..., 0, 0] if bias.shape[-2:] == (1, 1) else jnp.moveaxis(bias, -3, -1)
