"""The receptive field of any network, measured: which outputs one pixel reaches."""

from typing import Any

import numpy as np
from jaxtyping import Bool

from spatial_prediction.tiling._networks import Predict, as_predict, check_prediction, upscale_factor_of
from spatial_prediction.tiling._receptive_field import ReceptiveField

_CHANGES = (np.nan, 1e30, -1e30)
"""NaN takes every way that sums take, however small their weights. XLA's maxima on a CPU pass over it, but
not over large numbers, which rounding does not hide either."""


def measured_receptive_field(
    network: Any, *, channels: int, factor: int | None = None, step: int = 1, largest: int = 512
) -> ReceptiveField:
    """Find how far a network sees by changing one pixel of a map of zeros.

    The pixel is made NaN, then a large number of either sign, so that no weight on its way is too small to be
    noticed; the outputs that change are those that see it. Where a padding takes statistics of the whole map,
    outputs near the border change too. These belong to the border, not to the receptive field, from which an
    unchanged ring separates them. The map is doubled until the ring is wider than the field's radius, and two
    maps in succession agree.

    Gaps of more than about 15 pixels within the field are not recognised. Convolutions by Fourier transform
    change all outputs, and are refused like networks that see the whole map.

    Args:
        network: an Equinox module or a function of NumPy batches, see
            :func:`~spatial_prediction.tiling.as_predict`.
        channels: of its input.
        factor: output pixels per input pixel along each axis; by default the network's ``upscale_factor``.
        step: product of its strides. That many places of the pixel are tried.
        largest: input pixels along each side that are tried at most. A radius of R needs up to 12 R.

    Raises:
        ValueError: the network sees the whole map, or further than ``largest`` can show.
    """
    factor = upscale_factor_of(network, factor)
    predict = as_predict(network)
    size = 32 * step
    before = None
    while size <= largest:
        boxes = [
            _box(_reached(predict, channels, size, centre, factor), centre)
            for centre in range(size // 2, size // 2 + step)
        ]
        if all(boxes):
            (above, below), (left, right) = np.array(boxes).max(axis=0).tolist()
            # A pixel that reaches outputs above it is seen by them below themselves.
            field = ReceptiveField(((below, above), (right, left)), (step, step))
            if field == before:
                return field
            before = field
        size *= 2
    raise ValueError(
        f"one pixel reaches all of a map of {size // 2} x {size // 2} pixels, or too much to distinguish it "
        f"from its border; allow more with largest={2 * largest}, or give the overlap as a number of pixels"
    )


def _reached(
    predict: Predict, channels: int, size: int, centre: int, factor: int
) -> Bool[np.ndarray, "height width"]:
    """Which input pixels have output pixels that change with the one on the diagonal at ``centre``."""
    x = np.zeros((1, channels, size, size), np.float32)
    unchanged = np.asarray(predict(x))
    check_prediction(unchanged, x, factor)
    reached = np.zeros((size, factor, size, factor), bool)
    for value in _CHANGES:
        changed = x.copy()
        changed[..., centre, centre] = value
        with np.errstate(all="ignore"):
            different = ~(np.asarray(predict(changed)) == unchanged)  # NaN differs
        reached |= different.any(axis=(0, 1)).reshape(reached.shape)
    return np.asarray(reached.any(axis=(1, 3)))


def _box(reached: Bool[np.ndarray, "height width"], centre: int) -> list[list[int]] | None:
    """How far the centre reaches ``[[up, down], [left, right]]``; None where the border interferes.

    Rings about the centre are occupied, then free, then, where the border was reached, occupied again.
    Dilated convolutions leave rings free in between, but fewer than they reach far.
    """
    rows, columns = np.nonzero(reached)
    distance = np.maximum(abs(rows - centre), abs(columns - centre))
    rings = np.zeros(min(centre, len(reached) - 1 - centre) + 1, bool)
    rings[distance[distance < len(rings)]] = True
    occupied = np.flatnonzero([*rings, True])
    if not rings.any():
        raise ValueError("no output depends on the pixel in the middle; the network does not see its input")
    gaps = np.diff(occupied) - 1
    widest = int(gaps.argmax())
    radius = int(occupied[widest])
    if gaps[widest] <= radius:
        return None
    near = distance <= radius

    def extremes(places: np.ndarray) -> list[int]:
        return [max(-int(places.min()), 0), max(int(places.max()), 0)]

    return [extremes(rows[near] - centre), extremes(columns[near] - centre)]
