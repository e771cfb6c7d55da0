"""What a network's convolution does where its window reaches beyond the map, by name."""

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
from spatial_prediction.models._convolution import Convolution
from spatial_prediction.models._repconv import RepConv
from spatial_prediction.padding import (
    AbstractPadding,
    RunningPrediction,
    padding_from_name,
    trained_padding_from_name,
)


class AbstractBorder(eqx.Module):
    """The border handling of one 3x3 convolution; may hold arrays that are trained with the network."""

    @abc.abstractmethod
    def convolve(
        self, x: Float[Array, "batch height width inputs"], layer: RepConv | Convolution
    ) -> Float[Array, "batch height width outputs"]:
        """Convolve to the same size."""

    def merged(self, layer: RepConv | Convolution) -> "AbstractBorder":
        """Return the same handling for ``layer`` once its branches are merged."""
        del layer
        return self

    def remember(self, x: Float[Array, "batch height width inputs"]) -> "AbstractBorder | None":
        """Return the handling with the statistics of ``x`` taken up; None if it remembers nothing."""
        del x
        return None


class PaddedBorder(AbstractBorder):
    """Pad by one pixel. Branches that are not merged share the padded map."""

    padding: AbstractPadding

    def convolve(self, x: Array, layer: RepConv | Convolution) -> Array:
        """Convolve to the same size."""
        if isinstance(layer, Convolution):
            return convolve(x, layer.kernel, layer.bias, padding=self.padding)
        return layer(self.padding.extend(x))

    def remember(self, x: Array) -> "PaddedBorder | None":
        """Return the handling with the statistics of ``x`` taken up; None if it remembers nothing."""
        return PaddedBorder(self.padding.remember(x)) if isinstance(self.padding, RunningPrediction) else None


class PartialBorder(AbstractBorder):
    """Partial convolution: known pixels alone, scaled up by the share that is missing.

    In branches of one pixel, 1x1 and identity, none is ever missing: they are not scaled. Scaling the
    identity too would multiply an edge by 3/2 in every layer.

    Fields:
        pointwise: what those branches have become within a merged kernel, (inputs, outputs); None if nothing.
    """

    pointwise: Array | None = None

    def convolve(self, x: Array, layer: RepConv | Convolution) -> Array:
        """Convolve to the same size."""
        pointwise = self.merged(layer).pointwise
        layer = _merged(layer)
        if pointwise is None:
            return partial_convolution(x, layer.kernel, layer.bias)
        return partial_convolution(x, layer.kernel.at[1, 1].add(-pointwise), layer.bias) + x @ pointwise

    def merged(self, layer: RepConv | Convolution) -> "PartialBorder":
        """Return the same handling for ``layer`` once its branches are merged."""
        return self if isinstance(layer, Convolution) else PartialBorder(layer.pointwise())


class DifferentialBorder(AbstractBorder):
    """Differential convolution, with or without an edge kernel of its own.

    Fields:
        edge: trained convolution for incomplete windows, begun as a copy of the layer's.
    """

    edge: Convolution | None

    def convolve(self, x: Array, layer: RepConv | Convolution) -> Array:
        """Convolve to the same size."""
        layer = _merged(layer)
        kernel, bias = (None, None) if self.edge is None else (self.edge.kernel, self.edge.bias)
        return differential_convolution(x, layer.kernel, layer.bias, edge_kernel=kernel, edge_bias=bias)


class ExplicitBorder(AbstractBorder):
    """Explicit boundary handling: a trained convolution for each edge and corner.

    Fields:
        regions: their convolutions row by row, without the interior; begun as copies of the layer's.
    """

    regions: Convolution

    def convolve(self, x: Array, layer: RepConv | Convolution) -> Array:
        """Convolve to the same size."""
        layer = _merged(layer)
        size = layer.kernel.shape[:2]
        return explicit_boundary_convolution(
            x,
            by_region(layer.kernel, self.regions.kernel, size),
            by_region(layer.bias, self.regions.bias, size),
        )


def border_from_name(name: str, layer: RepConv | Convolution) -> AbstractBorder:
    """Make the border handling called ``name`` for a 3x3 convolution.

    Args:
        name: ``part``: partial convolution; ``diff``: differential convolution; ``diff_edge``: with an edge
            kernel; ``ebh``: explicit boundary handling; or what ``padding_from_name`` or
            ``trained_padding_from_name`` knows.
        layer: the convolution as it is before training.

    Raises:
        ValueError: nothing has that name.
        TypeError: ``name`` is not a string.
    """
    if not isinstance(name, str):
        raise TypeError(f"border handling is named by a string such as 'lp2x3', got {name!r}")
    channels = (layer if isinstance(layer, Convolution) else layer.residual_3x3).kernel.shape[-2]
    if (trained := trained_padding_from_name(name, 1, channels=channels)) is not None:
        return PaddedBorder(trained)
    if name == "part":
        return PartialBorder()
    if name == "diff":
        return DifferentialBorder(edge=None)
    if name == "diff_edge":
        return DifferentialBorder(edge=_copies(layer))
    if name == "ebh":
        size = _merged(layer).kernel.shape[:2]
        return ExplicitBorder(regions=_copies(layer, size[0] * size[1] - 1))
    try:
        return PaddedBorder(padding_from_name(name, 1))
    except ValueError as error:
        if not str(error).startswith("no padding is called"):
            raise
        besides = "part, diff, diff_edge, ebh, lpHxW_learned and lpHxW_running"
        raise ValueError(f"{error}; networks know {besides} besides") from None


def _merged(layer: RepConv | Convolution) -> Convolution:
    return layer if isinstance(layer, Convolution) else layer.merged()


def _copies(layer: RepConv | Convolution, count: int | None = None) -> Convolution:
    """Copy the merged convolution, ``count`` times side by side; buffers may be donated, each but once."""
    layer = _merged(layer)
    if count is None:
        return Convolution(jnp.copy(layer.kernel), jnp.copy(layer.bias))
    return Convolution(jnp.stack([layer.kernel] * count), jnp.stack([layer.bias] * count))
