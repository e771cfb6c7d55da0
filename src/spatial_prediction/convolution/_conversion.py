"""Change the padding of a whole network, trained or not, and report the changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import equinox as eqx
import jax

from spatial_prediction.convolution._layer import AbstractConv2d
from spatial_prediction.convolution._padded import PaddedConv2d, library_name

_CONVERTIBLE = (eqx.nn.Conv, eqx.nn.Conv2d, PaddedConv2d)

_Padding: TypeAlias = str | tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class ChangedLayer:
    """A convolution that got another padding.

    Attributes:
        path: its place in the network, as ``jax.tree_util.keystr`` writes it: ``.blocks[0].conv``.
        old_mode: its padding mode before: Equinox's name, or this library's for a ``PaddedConv2d``.
        new_mode: its padding mode now: this library's name.
        pad_width: ``((top, bottom), (left, right))`` in pixels, or "SAME", "SAME_LOWER".
    """

    path: str
    old_mode: str
    new_mode: str
    pad_width: _Padding

    def __str__(self) -> str:
        return f"model{self.path}: {self.old_mode} -> {self.new_mode}, pad width {self.pad_width}"


@dataclass(frozen=True)
class RefusedLayer:
    """A layer whose border could not be changed.

    Attributes:
        path: its place in the network, as ``jax.tree_util.keystr`` writes it.
        type: name of its class.
        reason: why it cannot be changed, and the remedy.
    """

    path: str
    type: str
    reason: str

    def __str__(self) -> str:
        return f"model{self.path}: {self.type} {self.reason}"


@dataclass(frozen=True)
class PaddingReport:
    """What :func:`convert_padding` did; ``print`` it to read it. A shared layer is listed at each place.

    Attributes:
        changed: convolutions that have a new padding.
        unpadded: paths of convolutions and poolings that were left alone because they do not pad.
        refused: layers that were left alone although they have a border; empty if ``strict``.
    """

    changed: tuple[ChangedLayer, ...]
    unpadded: tuple[str, ...]
    refused: tuple[RefusedLayer, ...]

    def __str__(self) -> str:
        unpadded = [f"model{path}" for path in self.unpadded]
        return "\n".join(
            f"{len(layers)} {title}" + "".join(f"\n  {layer}" for layer in layers)
            for title, layers in (
                ("changed", self.changed),
                ("left alone, without padding", unpadded),
                ("refused", self.refused),
            )
        )


def convert_padding(model: Any, padding: str, *, strict: bool = True) -> tuple[Any, PaddingReport]:
    """Change the padding of all 2-D convolutions of a network that pad, and keep their weights.

    Every ``equinox.nn.Conv2d`` and ``PaddedConv2d`` that pads becomes a ``PaddedConv2d`` with the same
    arrays; everything else, and ``model`` itself, stays as it is. Only the structure of the tree is read, so
    this works on arrays, on tracers under ``jit`` and on the shapes of ``equinox.filter_eval_shape``. Only
    layers that are nodes of the tree are found, not those in static fields or closures, nor direct calls of
    ``jax.lax`` or ``jax.numpy.pad``.

    A layer object that occurs at two places stays one object. ``equinox.nn.Shared`` works as before.

    Args:
        model: any PyTree of Equinox modules, or a layer.
        padding: a name, as for ``padding_mode`` of :class:`PaddedConv2d`.
        strict: refuse networks in which some layer has a border that cannot be changed. Otherwise these
            layers are left alone and reported.

    Returns:
        The new network, and the report.

    Raises:
        ValueError: no padding has that name; or, if ``strict``, some layer cannot be changed: a ``Conv1d``,
            ``Conv3d`` or ``Pool`` that pads, a ``ConvTranspose`` whose windows overlap, a convolution that
            crops, or a subclass of ``Conv2d`` or another layer of this library that pads and may do anything
            else. The message names all of them.
    """
    changed: list[ChangedLayer] = []
    unpadded: list[str] = []
    refused: list[RefusedLayer] = []
    new_layers: dict[int, PaddedConv2d] = {}

    padding = library_name(padding)  # refuses wrong names even if no layer of the network pads

    def convert(path: tuple[Any, ...], layer: Any) -> Any:
        if not _is_layer(layer):
            return layer
        where = jax.tree_util.keystr(path)
        if not _has_border(layer):
            unpadded.append(where)
        elif reason := _hindrance(layer):
            refused.append(RefusedLayer(where, type(layer).__name__, reason))
        else:
            new = new_layers.get(id(layer))
            if new is None:
                new = new_layers[id(layer)] = PaddedConv2d.from_convolution(layer, padding)
            changed.append(ChangedLayer(where, layer.padding_mode, new.padding_mode, new.padding))
            return new
        return layer

    converted = jax.tree_util.tree_map_with_path(convert, model, is_leaf=_is_layer)
    if refused and strict:
        raise ValueError(
            f"cannot change the padding of {len(refused)} layers:"
            + "".join(f"\n  {layer}" for layer in refused)
            + "\nor leave these layers as they are with strict=False"
        )
    return converted, PaddingReport(tuple(changed), tuple(unpadded), tuple(refused))


def _is_layer(node: Any) -> bool:
    return isinstance(node, eqx.nn.Conv | AbstractConv2d | eqx.nn.ConvTranspose | eqx.nn.Pool)


def _has_border(layer: Any) -> bool:
    """Return whether some output of the layer may depend on what is assumed outside the map."""
    if isinstance(layer, eqx.nn.Pool):
        return layer.use_ceil or any(map(any, layer.padding))
    spans = _spans(layer)
    if isinstance(layer, eqx.nn.ConvTranspose):
        # Where the windows of neighbouring pixels do not overlap, no output lacks a neighbour.
        return any(
            span + extra > stride
            for span, extra, stride in zip(spans, layer.output_padding, layer.stride, strict=True)
        )
    if isinstance(layer.padding, str):
        return layer.padding != "VALID" and max(spans) > 1
    return any(map(any, layer.padding))


def _hindrance(layer: Any) -> str | None:
    """Return why a layer with a border cannot become a ``PaddedConv2d``, and the remedy; None if it can."""
    if isinstance(layer, eqx.nn.Pool):
        return "pads; pad before it with padding_from_name and make it with padding=0 and use_ceil=False"
    if isinstance(layer, eqx.nn.ConvTranspose):
        return "overlaps at the border; replace it by jax.image.resize and a Conv2d"
    if layer.num_spatial_dims != 2:
        return f"pads {layer.num_spatial_dims} axes, not two; replace it by hand"
    if type(layer) not in _CONVERTIBLE:
        return "may do more than a Conv2d; replace it by hand, as by PaddedConv2d.from_convolution"
    if not isinstance(layer.padding, str) and min(map(min, layer.padding)) < 0:
        return f"crops, its padding is {layer.padding}; crop with a slice before it"
    return None


def _spans(layer: Any) -> Sequence[int]:
    """Number of pixels from the first to the last tap, both included, along each axis."""
    return [d * (k - 1) + 1 for k, d in zip(layer.kernel_size, layer.dilation, strict=True)]
