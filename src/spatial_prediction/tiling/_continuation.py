"""Continue an image beyond a border of any shape, as a padding does beyond a straight one."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeAlias

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float
from scipy import ndimage

from spatial_prediction.padding import (
    AbstractLinearPrediction,
    AbstractPadding,
    LagrangeExtrapolation,
    Sides,
    extrapolation_weights,
)

Neighbourhood: TypeAlias = tuple[np.ndarray, np.ndarray]
"""Pixels (row, column) counted from the predicted one, and their coefficients (pixels, channels)."""


class Law(NamedTuple):
    """How each channel goes on.

    Attributes:
        mean: of each channel, subtracted before and added after.
        sides: for going up, down, left and right, neighbourhoods to predict from, the most centred first.
    """

    mean: np.ndarray
    sides: tuple[tuple[Neighbourhood, ...], ...]


def continues(padding: AbstractPadding) -> bool:
    """Whether a padding predicts from several pixels: linear prediction, extrapolation of order 2 or more."""
    if isinstance(padding, LagrangeExtrapolation):
        return padding.order > 1
    return isinstance(padding, AbstractLinearPrediction)


def continue_rings(
    filled: Float[np.ndarray, "channels height width"],
    mask: Bool[np.ndarray, "height width"],
    *,
    padding: AbstractPadding,
    depth: int,
) -> Float[np.ndarray, "channels height width"]:
    """Predict masked pixels from valid ones outwards, ring by ring.

    A ring is what lies one pixel beyond what is known, along a row or a column. Each of its pixels is
    predicted in every direction in which it has a known neighbour, with the coefficients of that side of the
    padding and a neighbourhood that is known throughout, which is shifted along the border if the centred one
    is not, as at a corner; the mean over the directions is taken, or that of the known neighbours where no
    neighbourhood fits. Predictions are limited to the range of the valid pixels, which a recursion might
    leave. Along a straight border that is what the padding itself predicts for a map that ends there, whose
    means and coefficients are those of the smallest rectangle around the valid pixels.

    Args:
        filled: finite everywhere. Values under the mask are returned beyond ``depth``, and count for the
            coefficients where the rectangle holds them.
        mask: True where a pixel is not valid; some are.
        padding: one that ``continues``.
        depth: number of rings.
    """
    mean, sides = _law(filled, mask, padding)
    reach = max(np.max(abs(pixels)) for side in sides for pixels, _ in side)
    channels, height, width = filled.shape
    image = (slice(reach, reach + height), slice(reach, reach + width))
    z = np.pad(np.moveaxis(filled, 0, -1) - mean, ((reach, reach), (reach, reach), (0, 0)))
    known = np.zeros(z.shape[:2], bool)
    known[image] = ~mask
    stride = z.shape[1]
    steps = [[(pixels @ (stride, 1), coefficients) for pixels, coefficients in side] for side in sides]
    flat, is_known = z.reshape(-1, channels), known.reshape(-1)
    for ring in _rings(mask, depth):
        ring = (ring // width + reach) * stride + ring % width + reach
        flat[ring] = _predicted(ring, flat, is_known, steps, stride)
        is_known[ring] = True
    continued = np.moveaxis(z[image] + mean, -1, 0)
    valid = filled[:, ~mask]
    lowest, highest = valid.min(axis=1)[:, None, None], valid.max(axis=1)[:, None, None]
    return np.where(mask & known[image], np.clip(continued, lowest, highest), filled).astype(filled.dtype)


def _predicted(
    ring: np.ndarray,
    values: np.ndarray,
    known: np.ndarray,
    sides: Sequence[Sequence[Neighbourhood]],
    stride: int,
) -> np.ndarray:
    """Predict pixels, given by their places in the flat image, from those that are known."""
    total = np.zeros((len(ring), values.shape[-1]), values.dtype)
    count = np.zeros(len(ring), int)
    for side in sides:
        left = np.arange(len(ring))
        for steps, coefficients in side:
            pixels = ring[left, None] + steps
            fits = known[pixels].all(axis=1)
            total[left[fits]] += np.einsum("nkc,kc->nc", values[pixels[fits]], coefficients)
            count[left[fits]] += 1
            left = left[~fits]
    alone = count == 0
    neighbours = ring[alone, None] + np.array([-stride, stride, -1, 1])
    are_known = known[neighbours]
    total[alone] = (values[neighbours] * are_known[..., None]).sum(axis=1)
    count[alone] = are_known.sum(axis=1)
    return total / count[:, None]


def _rings(mask: np.ndarray, depth: int) -> Iterator[np.ndarray]:
    """Give the places of masked pixels in the flat image, by their distance from a valid one in steps."""
    distances = ndimage.distance_transform_cdt(mask, "taxicab").reshape(-1)
    places = np.flatnonzero((distances > 0) & (distances <= depth))
    places = places[np.argsort(distances[places], kind="stable")]
    ends = np.searchsorted(distances[places], np.arange(1, depth + 2))
    return (places[start:end] for start, end in pairwise(ends) if start < end)


def _law(filled: np.ndarray, mask: np.ndarray, padding: AbstractPadding) -> Law:
    channels, dtype = len(filled), filled.dtype
    if isinstance(padding, LagrangeExtrapolation):
        farthest_first = extrapolation_weights(padding.order, 1)[0, ::-1]
        by_side = [np.broadcast_to(farthest_first[None, :, None, None], (1, padding.order, 1, channels))] * 4
        mean = np.zeros(channels)
    else:
        assert isinstance(padding, AbstractLinearPrediction)
        rows, columns = (_span(np.any(~mask, axis=axis)) for axis in (1, 0))
        fitted = _fit(padding, jnp.asarray(np.moveaxis(filled[:, rows, columns], 0, -1)))
        mean, by_side = np.asarray(fitted[0]), [np.asarray(side) for side in fitted[1]]
    sides = tuple(
        tuple(_neighbourhoods(side.astype(dtype), inwards, across))
        for side, (inwards, across) in zip(by_side, _DIRECTIONS, strict=True)
    )
    return Law(mean.astype(dtype), sides)


_DIRECTIONS = (((1, 0), (0, -1)), ((-1, 0), (0, 1)), ((0, 1), (-1, 0)), ((0, -1), (1, 0)))
"""For top, bottom, left and right: the step from a predicted pixel to the known ones, and the one along the
border, as linear prediction has them, which turns the map until each side is the bottom."""


def _neighbourhoods(
    coefficients: np.ndarray, inwards: tuple[int, int], across: tuple[int, int]
) -> Iterator[Neighbourhood]:
    """Give the places of neighbours for each position of the predicted pixel, the most centred first."""
    positions, length, width, channels = coefficients.shape
    rows, columns = np.indices((length, width)).reshape(2, -1, 1)
    for position in sorted(range(positions), key=lambda position: abs(position - positions // 2)):
        pixels = (length - rows) * np.array(inwards) + (columns - position) * np.array(across)
        yield pixels, coefficients[position].reshape(-1, channels)


@eqx.filter_jit
def _fit(padding: AbstractLinearPrediction, x: jax.Array) -> tuple[jax.Array, Sides]:
    return padding.fit(x)[1:]


def _span(valid: np.ndarray) -> slice:
    """Give the places from the first valid one to the last."""
    places = np.flatnonzero(valid)
    return slice(int(places[0]), int(places[-1]) + 1)
