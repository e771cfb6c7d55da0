"""The plan of tiles: what each reads of the image, and with what weights it is written.

Rows and columns are planned each by itself; a tile is a span of rows and a span of columns, its weights the
product of theirs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float32, Float64

from spatial_prediction.tiling._strategies import Curve, Strategy


@dataclass(frozen=True, eq=False)
class Span:
    """What a tile reads and writes along one axis.

    Attributes:
        read: input pixels.
        keep: input pixels that are the tile's own; those of all tiles are the axis, each once.
        reach: input pixels under the output pixels of which the tile has a share; ``keep``, and more where
            neighbours fade into each other.
        write: the output pixels of ``reach``, in the upscaled image.
        within: the same in the tile's prediction.
        weights: of these output pixels; over all tiles they sum to one.
    """

    read: slice
    keep: slice
    reach: slice
    write: slice
    within: slice
    weights: Float32[np.ndarray, " written"]


@dataclass(frozen=True)
class TilePlan:
    """Spans of rows and columns; every pair of them is a tile.

    Attributes:
        rows: from top to bottom.
        columns: from left to right.
        factor: output pixels per input pixel along each axis.
    """

    rows: tuple[Span, ...]
    columns: tuple[Span, ...]
    factor: int


def plan_tiles(shape: tuple[int, int], *, tile: int, strategy: Strategy, factor: int = 1) -> TilePlan:
    """Lay tiles over an image.

    All windows that are read have one shape, so that one compiled program serves them: at the border of the
    image, and where the last tile has few pixels left, a window is shifted inwards rather than cut. (With a
    step, the last may be longer by less than one.) An image no larger than a window is one tile.

    Args:
        shape: of the image, rows and columns.
        tile: input pixels along each side that a tile keeps; it reads the strategy's overlap more. A multiple
            of the strategy's step.
        strategy: how tiles meet.
        factor: output pixels per input pixel along each axis.

    Raises:
        ValueError: the image has no pixels, or ``tile`` or ``factor`` does not fit.
    """
    if min(shape) < 1:
        raise ValueError(f"the image must have rows and columns, got {shape}")
    if factor < 1:
        raise ValueError(f"factor must be at least 1, got {factor}")
    for axis, step in enumerate(strategy.step):
        if tile < 1 or tile % step:
            raise ValueError(f"tile must be a positive multiple of {step}, got {tile} (axis {axis})")
    rows, columns = (tuple(_spans(shape[axis], tile, strategy, axis, factor)) for axis in range(2))
    return TilePlan(rows, columns, factor)


def _spans(size: int, tile: int, strategy: Strategy, axis: int, factor: int) -> list[Span]:
    step = strategy.step[axis]
    before, after = (-(-width // step) * step for width in strategy.overlap[axis])
    length = before + tile + after
    if size <= length:
        whole = slice(0, size)
        written = slice(0, size * factor)
        return [Span(whole, whole, whole, written, written, np.ones(size * factor, np.float32))]
    kept = [slice(start, stop) for start, stop in pairwise([*range(0, size, tile), size])]
    last = (size - length) // step * step
    starts = [min(max(keep.start - before, 0), last) for keep in kept]
    reads = [slice(start, size if start == last else start + length) for start in starts]
    if strategy.curve == "gaussian" and strategy.fade:
        reaches, weights = reads, _bells(reads, size, factor)
    else:
        fade = strategy.fade
        reaches = [slice(max(keep.start - fade, 0), min(keep.stop + fade, size)) for keep in kept]
        weights = [
            _share(keep, reach, size, fade, strategy.curve, factor)
            for keep, reach in zip(kept, reaches, strict=True)
        ]
    return [
        Span(
            read,
            keep,
            reach,
            slice(reach.start * factor, reach.stop * factor),
            slice((reach.start - read.start) * factor, (reach.stop - read.start) * factor),
            weight.astype(np.float32),
        )
        for read, keep, reach, weight in zip(reads, kept, reaches, weights, strict=True)
    ]


def _share(
    keep: slice, reach: slice, size: int, fade: int, curve: Curve, factor: int
) -> Float64[np.ndarray, " written"]:
    """Weights of a tile: what has risen at its first seam and not yet at its last.

    Whatever the curve and however far it reaches, these telescope to one over all tiles.
    """
    centres = _centres(reach, factor)
    begun = _risen(centres - keep.start, fade, curve) if keep.start > 0 else np.ones_like(centres)
    ended = _risen(centres - keep.stop, fade, curve) if keep.stop < size else np.zeros_like(centres)
    return begun - ended


def _risen(
    distance: Float64[np.ndarray, " written"], fade: int, curve: Curve
) -> Float64[np.ndarray, " written"]:
    if not fade:
        return (distance > 0).astype(np.float64)
    share = np.clip((distance + fade) / (2 * fade), 0, 1)
    return share if curve == "linear" else np.sin(np.pi / 2 * share) ** 2


def _bells(reads: Sequence[slice], size: int, factor: int) -> list[np.ndarray]:
    """Gaussian weights of all that each window reads, divided by their sum over all windows."""
    bells = []
    total = np.zeros(size * factor)
    for read in reads:
        length = read.stop - read.start
        offset = (_centres(read, factor) - (read.start + read.stop) / 2) / (length / 8)
        bells.append(np.exp(-0.5 * offset**2))
        total[read.start * factor : read.stop * factor] += bells[-1]
    return [
        bell / total[read.start * factor : read.stop * factor]
        for bell, read in zip(bells, reads, strict=True)
    ]


def _centres(pixels: slice, factor: int) -> Float64[np.ndarray, " written"]:
    """Where the output pixels of some input pixels have their centres, in input pixels."""
    return (np.arange(pixels.start * factor, pixels.stop * factor) + 0.5) / factor
