"""Explicit boundary handling: a separate kernel for every way in which a window can be incomplete."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from spatial_prediction.convolution._convolve import convolve
from spatial_prediction.convolution._layer import (
    AbstractConv2d,
    channels_first,
    channels_last,
    channels_last_kernel,
    check_odd,
)
from spatial_prediction.padding._base import check_map


def explicit_boundary_convolution(
    x: Float[Array, "*batch height width inputs"],
    kernels: Float[Array, "row_regions column_regions rows columns group_inputs outputs"],
    biases: Float[Array, "row_regions column_regions outputs"] | None = None,
) -> Float[Array, "*batch height width outputs"]:
    """Convolve to the same size, with the kernel and bias of the region that each output lies in.

    Along an axis with kernels of k = 2 r + 1 taps there are k regions: 0 to r - 1 are the first r pixels,
    r is the interior and r + 1 to 2 r are the last r pixels. With kernels of three ones in a row, but 3/2 in
    regions 0 and 2, ``1 2 3 4 -> 4.5 6 9 10.5``. In a map smaller than the kernel, a pixel may lie near
    both sides; it belongs to the side on which more pixels are missing, on a tie to the first.

    Args:
        x: channels-last maps, any floating dtype.
        kernels: a kernel for each region along rows and columns; the numbers of regions equal the odd kernel
            sizes; dtype of ``x``; inputs / group_inputs groups. Taps that lie outside the map are not used.
        biases: a bias for each region.

    Returns:
        The convolved maps, dtype of ``x``.

    Raises:
        ValueError: sizes are even or differ from the number of regions, the input channels do not divide
            those of ``x``, or ``x`` has no rows, columns or channels.

    Source: arXiv 1805.03106.
    """
    size = kernels.shape[2:4]
    check_odd(size)
    check_map(x)
    if kernels.shape[:2] != size:
        raise ValueError(
            f"kernels must begin with as many regions as taps, {size} by rows and columns, "
            f"got shape {kernels.shape}"
        )
    rows, columns = (_regions(*axis) for axis in zip(x.shape[-3:-1], size, strict=True))

    def outputs(row: _Region, column: _Region) -> Array:
        index = row.number, column.number
        return convolve(
            x[..., row.pixels, column.pixels, :],
            kernels[index][row.taps, column.taps],
            None if biases is None else biases[index],
        )

    return jnp.concatenate(
        [jnp.concatenate([outputs(row, column) for column in columns], axis=-2) for row in rows], axis=-3
    )


class ExplicitBoundaryConv2d(AbstractConv2d):
    """A convolution with separately trained kernels and biases near each edge and corner.

        y[p] = sum_t W[region of p][t] x[p + t] + b[region of p]    over the taps t with p + t inside the map

    A k x k kernel has k x k regions, nine for 3x3: the interior, and one for each combination of distances to
    the borders that makes a window incomplete. Every region has a whole kernel, but its taps outside the map
    are not used and get no gradient. So the network can learn how to handle an incomplete window, with
    k x k times the parameters. Untrained, all kernels equal the interior one and the layer is equal to
    zero padding: ``1 2 3 4 -> 3 6 9 7`` for a kernel of three ones in a row.

    Arguments and fields are those of ``equinox.nn.Conv2d``, with odd kernel sizes, without padding, stride
    and dilation, and the same key draws the same weights. Further fields are
    ``border_weight`` (regions - 1, out_channels, in_channels / groups, rows, columns) and ``border_bias``
    (regions - 1, out_channels, 1, 1) or None: the regions row by row, without the interior.

    Raises:
        ValueError: a kernel size is even, or what ``equinox.nn.Conv2d`` refuses.

    Source: arXiv 1805.03106.
    """

    border_weight: Array
    border_bias: Array | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        groups: int = 1,
        use_bias: bool = True,
        *,
        dtype: Any = None,
        key: Array,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            1,
            "SAME",
            1,
            groups,
            use_bias,
            dtype=dtype,
            key=key,
        )
        check_odd(self.kernel_size)
        regions = self.kernel_size[0] * self.kernel_size[1] - 1
        self.border_weight = jnp.tile(self.weight, (regions, 1, 1, 1, 1))
        self.border_bias = None if self.bias is None else jnp.tile(self.bias, (regions, 1, 1, 1))

    def __call__(
        self, x: Float[Array, "channels height width"], *, key: Array | None = None
    ) -> Float[Array, "outputs height width"]:
        """Convolve one example (channels, height, width); ``key`` is ignored, as in Equinox.

        Returns:
            Shape (out_channels, height, width), dtype of ``x``.

        Raises:
            ValueError: ``x`` does not have that rank and number of channels, or has no pixels.
        """
        del key
        interior, border = channels_last_kernel(self.weight), channels_last_kernel(self.border_weight)
        kernels = by_region(interior, border, self.kernel_size)
        biases = None
        if self.bias is not None and self.border_bias is not None:
            biases = by_region(self.bias[..., 0, 0], self.border_bias[..., 0, 0], self.kernel_size)
        y = explicit_boundary_convolution(channels_last(x, self.in_channels), kernels, biases)
        return channels_first(y)


def by_region(interior: Array, border: Array, size: Sequence[int]) -> Array:
    """Arrange kernels or biases as :func:`explicit_boundary_convolution` takes them.

    Args:
        interior: kernel or bias of the interior, any shape.
        border: those of the other regions row by row, shape (regions - 1, *shape of ``interior``).
        size: numbers of regions along rows and columns, odd.

    Returns:
        Shape (row_regions, column_regions, *shape of ``interior``).
    """
    middle = len(border) // 2  # the place of the interior, because sizes are odd
    regions = jnp.concatenate([border[:middle], interior[None], border[middle:]])
    return regions.reshape(*size, *interior.shape)


class _Region(NamedTuple):
    """One region along an axis: its number, the pixels in its windows and the taps that lie on them."""

    number: int
    pixels: slice
    taps: slice


def _regions(length: int, size: int) -> list[_Region]:
    """Cut an axis into regions: single pixels near the ends, and the interior between them."""
    reach = size // 2
    interior = range(reach, length - reach)
    regions = []
    for position in range(length):
        missing_before, missing_after = max(reach - position, 0), max(position + reach + 1 - length, 0)
        if position in interior and position > reach:
            continue  # the first interior pixel has added the whole interior
        number = reach - missing_before if missing_before >= missing_after else reach + missing_after
        last = interior[-1] if position in interior else position
        pixels = slice(position - reach + missing_before, last + reach + 1 - missing_after)
        regions.append(_Region(number, pixels, slice(missing_before, size - missing_after)))
    return regions
