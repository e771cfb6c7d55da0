"""Objects that handle the borders of a network's convolutions.

A network takes one such object and makes a copy for each of its 3x3 convolutions, see
``AbstractBorder.for_layer``.
"""

import abc

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from spatial_prediction.convolution import (
    by_region,
    convolve,
    differential_convolution,
    explicit_boundary_convolution,
    partial_convolution,
)
from spatial_prediction.models._block import convolve_and_feed_forward
from spatial_prediction.models._convolution import Convolution, Weights
from spatial_prediction.models._feed_forward import FeedForward
from spatial_prediction.models._repconv import RepConv
from spatial_prediction.padding import AbstractPadding, RunningPrediction


class AbstractBorder(eqx.Module):
    """The border handling of 3x3 convolutions; may hold arrays that are trained with the network."""

    @property
    def couples_batch(self) -> bool:
        """Whether a border, or a memory for later ones, depends on which maps form a batch."""
        return False

    def for_layer(self, layer: RepConv | Convolution) -> "AbstractBorder":
        """Return a copy with new, untrained arrays for ``layer``, or itself if it has no arrays."""
        del layer
        return self

    @abc.abstractmethod
    def convolve(
        self, x: Float[Array, "batch height width inputs"], layer: RepConv | Convolution
    ) -> Float[Array, "batch height width outputs"]:
        """Convolve to the same size."""

    def convolve_and_feed_forward(
        self,
        x: Float[Array, "batch height width inputs"],
        layer: RepConv | Convolution,
        feed_forward: FeedForward,
    ) -> Float[Array, "batch height width outputs"]:
        """Convolve to the same size, and apply the feed-forward part of a block."""
        return feed_forward(self.convolve(x, layer))

    def merged(self, layer: RepConv | Convolution) -> "AbstractBorder":
        """Return the handling that does the same for ``layer`` once its branches are merged."""
        del layer
        return self

    def remember(self, x: Float[Array, "batch height width inputs"]) -> "AbstractBorder | None":
        """Return the handling with the statistics of ``x`` added to its memory; None if it has no memory."""
        del x
        return None


class PaddedBorder(AbstractBorder):
    """Pad by one pixel. Branches that are not merged share the padded map.

    Attributes:
        padding: of one pixel on each side. The arrays of a trained padding may be for one channel;
            ``for_layer`` then repeats them for all channels of the layer.
    """

    padding: AbstractPadding

    def __check_init__(self) -> None:
        check_one_pixel(self.padding)

    @property
    def couples_batch(self) -> bool:
        """Whether the padding couples the maps of a batch."""
        return self.padding.couples_batch

    def for_layer(self, layer: RepConv | Convolution) -> "PaddedBorder":
        """Return the handling with separate arrays for the channels of ``layer``."""
        return PaddedBorder(self.padding.for_channels(_spatial(layer).kernel.shape[-2]))

    def convolve(self, x: Array, layer: RepConv | Convolution) -> Array:
        """Convolve to the same size."""
        if isinstance(layer, Convolution):
            return convolve(x, layer.kernel, layer.bias, padding=self.padding)
        return layer(self.padding.extend(x))

    def convolve_and_feed_forward(
        self, x: Array, layer: RepConv | Convolution, feed_forward: FeedForward
    ) -> Array:
        """Convolve to the same size, and apply the feed-forward part of a block."""
        if isinstance(layer, Convolution):
            return convolve_and_feed_forward(x, layer, feed_forward, padding=self.padding)
        return super().convolve_and_feed_forward(x, layer, feed_forward)

    def remember(self, x: Array) -> "PaddedBorder | None":
        """Return the handling with the statistics of ``x`` added to its memory; None if it has no memory."""
        return PaddedBorder(self.padding.remember(x)) if isinstance(self.padding, RunningPrediction) else None


class PartialBorder(AbstractBorder):
    """Partial convolution: only known pixels, scaled up to make up for missing ones.

    The 1x1 and identity branches see one pixel, which is never missing, so they are not scaled. Scaling the
    identity too would multiply an edge by 3/2 in every layer.

    Attributes:
        pointwise: the share of these branches in a merged kernel's centre, (inputs, outputs); None if there
            is none.
    """

    pointwise: Weights | None = None

    def convolve(self, x: Array, layer: RepConv | Convolution) -> Array:
        """Convolve to the same size."""
        pointwise = self.merged(layer).pointwise
        layer = _as_convolution(layer)
        if pointwise is None:
            return partial_convolution(x, layer.kernel, layer.bias)
        return partial_convolution(x, layer.kernel.at[1, 1].add(-pointwise), layer.bias) + x @ pointwise

    def merged(self, layer: RepConv | Convolution) -> "PartialBorder":
        """Return the handling that does the same for ``layer`` once its branches are merged."""
        return self if isinstance(layer, Convolution) else PartialBorder(layer.pointwise())


class DifferentialBorder(AbstractBorder):
    """Differential convolution, with or without a separate edge kernel.

    Attributes:
        edge_kernel: whether each layer gets an edge kernel.
        edge: trained convolution for incomplete windows, which begins as a copy of the layer's; None uses the
            layer's.
    """

    edge_kernel: bool = eqx.field(static=True, default=False)
    edge: Convolution | None = None

    def for_layer(self, layer: RepConv | Convolution) -> "DifferentialBorder":
        """Return the handling with an edge kernel for ``layer`` if it is to have one."""
        return DifferentialBorder(self.edge_kernel, _copies(layer)) if self.edge_kernel else self

    def convolve(self, x: Array, layer: RepConv | Convolution) -> Array:
        """Convolve to the same size."""
        layer = _as_convolution(layer)
        kernel, bias = (None, None) if self.edge is None else (self.edge.kernel, self.edge.bias)
        return differential_convolution(x, layer.kernel, layer.bias, edge_kernel=kernel, edge_bias=bias)


class ExplicitBorder(AbstractBorder):
    """Explicit boundary handling: a trained convolution for each edge and corner.

    Attributes:
        regions: convolutions of the regions row by row, without the interior, which begin as copies of the
            layer's; None uses the layer's.
    """

    regions: Convolution | None = None

    def for_layer(self, layer: RepConv | Convolution) -> "ExplicitBorder":
        """Return the handling with convolutions for the regions of ``layer``."""
        return ExplicitBorder(_of_regions(layer))

    def convolve(self, x: Array, layer: RepConv | Convolution) -> Array:
        """Convolve to the same size."""
        layer = _as_convolution(layer)
        regions = _of_regions(layer) if self.regions is None else self.regions
        size = layer.kernel.shape[:2]
        return explicit_boundary_convolution(
            x,
            by_region(layer.kernel, regions.kernel, size),
            by_region(layer.bias, regions.bias, size),
        )


def as_border(handling: AbstractBorder | AbstractPadding) -> AbstractBorder:
    """Return a border handling as it is, and turn a padding into the handling that pads with it.

    Raises:
        TypeError: ``handling`` is neither, such as a name.
        ValueError: the padding is not of one pixel on each side.
    """
    if isinstance(handling, AbstractBorder):
        return handling
    if isinstance(handling, AbstractPadding):
        return PaddedBorder(handling)
    raise TypeError(
        f"borders are handled by an object, such as border_from_name('lp2x3') or a padding, got {handling!r}"
    )


def check_one_pixel(padding: AbstractPadding) -> None:
    """Refuse paddings after which a 3x3 convolution would give a map of another size.

    Raises:
        ValueError: the padding is not of one pixel on each side.
    """
    if padding.pad_width != ((1, 1), (1, 1)):
        raise ValueError(f"networks pad by one pixel on each side, got pad_width {padding.pad_width}; use 1")


def _spatial(layer: RepConv | Convolution) -> Convolution:
    return layer if isinstance(layer, Convolution) else layer.residual_3x3


def _as_convolution(layer: RepConv | Convolution) -> Convolution:
    return layer if isinstance(layer, Convolution) else layer.merged()


def _of_regions(layer: RepConv | Convolution) -> Convolution:
    rows, columns = _spatial(layer).kernel.shape[:2]
    return _copies(layer, rows * columns - 1)


def _copies(layer: RepConv | Convolution, count: int | None = None) -> Convolution:
    """Copy the merged convolution, or stack ``count`` copies; buffers may be donated, each only once."""
    layer = _as_convolution(layer)
    if count is None:
        return Convolution(jnp.copy(layer.kernel), jnp.copy(layer.bias))
    return Convolution(jnp.stack([layer.kernel] * count), jnp.stack([layer.bias] * count))
