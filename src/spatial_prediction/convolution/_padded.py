"""A convolution that pads with any padding of this library, in place of ``equinox.nn.Conv2d``."""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
from jaxtyping import Array, Float

from spatial_prediction.convolution._convolve import convolve
from spatial_prediction.convolution._layer import (
    AbstractConv2d,
    channels_first,
    channels_last,
    channels_last_bias,
    channels_last_kernel,
)
from spatial_prediction.padding import AbstractPadding, padding_from_name
from spatial_prediction.padding._copying import AbstractCopying

_EQUINOX_NAMES = {"zeros": "zero", "replicate": "repl", "reflect": "refl", "circular": "circ"}


def library_name(padding_mode: str) -> str:
    """Return this library's name for a padding, which may be one of Equinox's and in upper case.

    Raises:
        ValueError: no padding has that name.
        TypeError: it is not a string.
    """
    if not isinstance(padding_mode, str):
        padding_from_name(padding_mode, 0)  # which refuses it
    name = padding_mode.casefold()
    name = _EQUINOX_NAMES.get(name, name)
    padding_from_name(name, 0)
    return name


class PaddedConv2d(AbstractConv2d):
    """A convolution whose ``padding_mode`` is any padding: linear prediction, extrapolation or copying.

    :func:`spatial_prediction.padding.padding_from_name` makes the padding. Arguments and fields are those of
    ``equinox.nn.Conv2d``, and the same key draws the same weights, so that layers can be exchanged; two
    defaults differ.

    Args:
        padding: a number, one for each axis, pairs ``((top, bottom), (left, right))``, or "SAME",
            "SAME_LOWER", "VALID". With a stride, the two "SAME" pad as the size of the map asks for.
        padding_mode: a name that ``padding_from_name`` knows, or one of Equinox's: "ZEROS", "REPLICATE",
            "REFLECT", "CIRCULAR"; in upper or lower case. The field has this library's name.

    Raises:
        ValueError: no padding has that name, the pad width is negative, or what ``equinox.nn.Conv2d``
            refuses.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: str | int | Sequence[int] | Sequence[Sequence[int]] = "SAME",
        dilation: int | Sequence[int] = 1,
        groups: int = 1,
        use_bias: bool = True,
        padding_mode: str = "lp2x3",
        *,
        dtype: Any = None,
        key: Array,
    ) -> None:
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
        self.padding_mode = library_name(padding_mode)
        if not isinstance(self.padding, str):  # refuses negative widths now rather than at the first map
            self.padding = padding_from_name(self.padding_mode, self.padding).pad_width

    @classmethod
    def from_convolution(
        cls, conv: eqx.nn.Conv | AbstractConv2d, padding_mode: str = "lp2x3"
    ) -> "PaddedConv2d":
        """Make a layer with the settings and the same arrays as ``conv`` that pads by ``padding_mode``.

        Anything else that ``conv`` does, as a subclass or as another layer of this library, is lost.

        Raises:
            ValueError: ``conv`` does not have two spatial axes, or what the constructor refuses.
        """
        if conv.num_spatial_dims != 2:
            raise ValueError(
                f"conv must have two spatial axes, got a {type(conv).__name__} with {conv.num_spatial_dims}; "
                "add an axis of length 1 to the network's maps"
            )

        layer = eqx.filter_eval_shape(  # draws no weights
            cls,
            conv.in_channels,
            conv.out_channels,
            conv.kernel_size,
            conv.stride,
            conv.padding,
            conv.dilation,
            conv.groups,
            conv.use_bias,
            padding_mode,
            key=jax.random.key(0),
        )
        return eqx.tree_at(
            lambda made: (made.weight, made.bias),
            layer,
            (conv.weight, conv.bias),
            is_leaf=lambda leaf: leaf is None,
        )

    def __call__(
        self, x: Float[Array, "channels height width"], *, key: Array | None = None
    ) -> Float[Array, "outputs out_height out_width"]:
        """Pad and convolve one example (channels, height, width); ``key`` is ignored, as in Equinox.

        Returns:
            Shape (out_channels, out_height, out_width) as of ``equinox.nn.Conv2d``, dtype of ``x``.

        Raises:
            ValueError: ``x`` does not have that rank and number of channels, or has no pixels.
        """
        del key
        x = channels_last(x, self.in_channels)
        padding: AbstractPadding | int = padding_from_name(self.padding_mode, self._pad_width(x.shape[:2]))
        if isinstance(padding, AbstractCopying):  # XLA copies pixels while it transposes the map
            x, padding = padding.extend(x), 0
        y = convolve(
            x,
            channels_last_kernel(self.weight),
            channels_last_bias(self.bias),
            padding=padding,
            stride=self.stride,
            dilation=self.dilation,
        )
        return channels_first(y)
