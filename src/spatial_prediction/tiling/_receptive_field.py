"""How far a network sees: the halo that a tile must read beyond what it keeps."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import equinox as eqx
import jax

Halo: TypeAlias = tuple[tuple[int, int], tuple[int, int]]
"""Input pixels on each side: ``((top, bottom), (left, right))``."""


@dataclass(frozen=True)
class ReceptiveField:
    """What of its input one output pixel of a network depends on, borders left aside.

    Attributes:
        halo: ``((top, bottom), (left, right))``, input pixels beyond the one in which the output pixel lies.
        step: rows and columns. The network does the same at places that lie a multiple of these input pixels
            apart; more than 1 where it has strides or pooling, and windows must then begin at multiples.
    """

    halo: Halo
    step: tuple[int, int] = (1, 1)

    def __post_init__(self) -> None:
        if min(min(side) for side in self.halo) < 0:
            raise ValueError(f"halo must not be negative, got {self.halo}")
        if min(self.step) < 1:
            raise ValueError(f"step must be at least 1, got {self.step}")

    @classmethod
    def square(cls, radius: int) -> "ReceptiveField":
        """Make the receptive field that reaches ``radius`` input pixels on all four sides."""
        return cls(((radius, radius), (radius, radius)))


def receptive_field_of_layers(network: Any) -> ReceptiveField:
    r"""Add up the reach of a network's convolutions and poolings.

    A layer with kernel size k, dilation d and p pixels of padding before the map sees p pixels before and
    d (k - 1) - p behind. With J the product of the strides of all earlier layers, the network sees
    :math:`\sum J p` input pixels before and :math:`\sum J (d (k - 1) - p)` behind, and its step is the
    product of all strides. Exact for a chain; where layers stand side by side, or are skipped, no less than
    what is seen. Arrays of several layers stacked along a leading axis, as by ``jax.vmap``, count as that
    many.

    Args:
        network: any PyTree of Equinox modules, such as a list of layers in the order of their application.
            Layers are found by their fields ``kernel_size``, ``stride`` and ``padding``, with ``dilation`` or
            without. What a network does besides, as by ``jax.lax``, is not seen: use
            :func:`~spatial_prediction.tiling.measured_receptive_field` for such.

    Raises:
        ValueError: there is no layer, one sees the whole map, or one is transposed, so that its place
            depends on that of others.
    """
    layers = [
        (jax.tree_util.keystr(path), layer)
        for path, layer in jax.tree_util.tree_leaves_with_path(network, is_leaf=_is_layer)
        if _is_layer(layer)
    ]
    if not layers:
        raise ValueError(
            f"{type(network).__name__} has no layers with a kernel_size; use measured_receptive_field"
        )
    rows, columns = (_along_axis(layers, axis) for axis in (0, 1))
    return ReceptiveField((rows[0], columns[0]), (rows[1], columns[1]))


def stated_receptive_field(network: Any) -> ReceptiveField | None:
    """Return what the network says itself, by an attribute ``halo``, its radius in input pixels; or None."""
    halo = getattr(network, "halo", None)
    return ReceptiveField.square(halo) if isinstance(halo, int) else None


_WHOLE_MAP = (
    eqx.nn.GroupNorm,
    eqx.nn.LayerNorm,
    eqx.nn.RMSNorm,
    eqx.nn.MultiheadAttention,
    eqx.nn.AdaptivePool,
)


def _is_layer(node: Any) -> bool:
    return hasattr(node, "kernel_size") or isinstance(node, _WHOLE_MAP)


def _along_axis(layers: Iterable[tuple[str, Any]], axis: int) -> tuple[tuple[int, int], int]:
    before = after = 0
    step = 1
    for path, layer in layers:
        if isinstance(layer, _WHOLE_MAP):
            raise ValueError(
                f"network{path}, {type(layer).__name__}, sees the whole map: its tiles never equal the whole "
                "image, whatever they overlap; give the overlap as a number of pixels"
            )
        if hasattr(layer, "output_padding"):
            raise ValueError(
                f"network{path}, {type(layer).__name__}, is transposed; use measured_receptive_field"
            )
        span = getattr(layer, "dilation", (1, 1))[axis] * (layer.kernel_size[axis] - 1)
        ahead = _padding_before(layer.padding, span, axis)
        for _ in range(_stacked(layer)):
            before += step * ahead
            after += step * max(span - ahead, 0)
            step *= layer.stride[axis]
    # In a block of ``step`` pixels that the network treats as one, the last pixel is furthest from the first.
    return (before + step - 1, after), step


def _padding_before(padding: Any, span: int, axis: int) -> int:
    if padding == "VALID":
        return 0
    if isinstance(padding, str):
        return span // 2 if padding == "SAME" else span - span // 2
    return int(padding[axis][0])


def _stacked(layer: Any) -> int:
    """How many layers the arrays of one hold."""
    weight = getattr(layer, "weight", None)
    return 1 if weight is None else math.prod(weight.shape[: -2 - len(layer.kernel_size)])
