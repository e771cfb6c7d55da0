"""The receptive field of any network, measured: which outputs one pixel reaches."""

from typing import Any

import numpy as np
from jaxtyping import Bool

from spatial_prediction.tiling._networks import as_predict, check_prediction, upscale_factor_of
from spatial_prediction.tiling._receptive_field import ReceptiveField


def measured_receptive_field(
    network: Any, *, channels: int, factor: int | None = None, step: int = 1, largest: int = 512
) -> ReceptiveField:
    """Find how far a network sees by making one pixel NaN and looking where NaN comes out.

    NaN takes every way that numbers take, however small the weights on it; a finite change would be lost
    to rounding a few layers on. Where a padding takes statistics of the whole map, outputs near the border
    are NaN too. These belong to the border, not to the receptive field; what tells them apart is the ring
    between, which stays free. The map is doubled until that ring is as wide as the field reaches.

    Not seen are ways that NaN does not take: comparisons, conversion to integers, ``nan_to_num``.
    Convolutions by Fourier transform spread NaN everywhere, and are refused like networks that see the
    whole map.

    Args:
        network: an Equinox module or a function of NumPy batches, see
            :func:`~spatial_prediction.tiling.as_predict`.
        channels: of its input.
        factor: output pixels per input pixel along each axis; by default the network's ``upscale_factor``.
        step: product of its strides. That many places of the pixel are tried.
        largest: input pixels along each side that are tried at most. A network of radius R needs about 6 R.

    Raises:
        ValueError: the network sees the whole map, or further than ``largest`` can show.
    """
    factor = upscale_factor_of(network, factor)
    predict = as_predict(network)
    size = 32 * step
    while size <= largest:
        boxes = []
        for phase in range(step):
            centre = size // 2 // step * step + phase
            x = np.zeros((1, channels, size, size), np.float32)
            x[..., centre, centre] = np.nan
            prediction = np.asarray(predict(x))
            check_prediction(prediction, x, factor)
            reached = np.isnan(prediction).any(axis=(0, 1))
            reached = reached.reshape(size, factor, size, factor).any(axis=(1, 3))
            boxes.append(_box(reached, centre))
        if all(boxes):
            extremes = np.array(boxes).max(axis=0)
            (above, below), (left, right) = extremes.tolist()
            # A pixel that reaches outputs above it is seen by them below themselves.
            return ReceptiveField(((below, above), (right, left)), (step, step))
        size *= 2
    raise ValueError(
        f"one pixel reaches all of a map of {size // 2} x {size // 2} pixels, or too much to be told from "
        f"its border; allow more with largest={2 * largest}, or give the overlap as a number of pixels"
    )


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
    up, down = (rows[near] - centre).min(), (rows[near] - centre).max()
    left, right = (columns[near] - centre).min(), (columns[near] - centre).max()
    return [[max(-up, 0), max(down, 0)], [max(-left, 0), max(right, 0)]]
