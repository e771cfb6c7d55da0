"""Layer norms of 64 columns, and the room that loops work in."""

from typing import NamedTuple, no_type_check

import numpy as np

from spatial_prediction.compression._compiled import compiled
from spatial_prediction.compression.integer_linerwkv import network as form
from spatial_prediction.compression.integer_linerwkv import tables
from spatial_prediction.compression.integer_linerwkv._arithmetic import clipped, normalised
from spatial_prediction.compression.integer_linerwkv._lanes import (
    COLUMNS,
    Lanes,
    Table,
    least,
    most,
    over_features,
    where,
)

_SHORT_BITS = 11
"""Of centred features whose squares are added up."""


class Room(NamedTuple):
    """Arrays that loops work in, and what every layer norm needs.

    Attributes:
        rows: (9, features, 64) int32.
        now: (features, 64) int16.
        pairs: inputs of matrix products, by two in a word, (2, at least features / 2, 64) int32.
        columns: (6, 1, 64) int32.
        roots: table of inverse roots.
        guard: of the variance.
    """

    rows: np.ndarray
    now: np.ndarray
    pairs: np.ndarray
    columns: np.ndarray
    roots: np.ndarray
    guard: np.int32


def room_for(features: int) -> Room:
    """Make room for networks of so many features."""
    return Room(
        rows=np.zeros((9, features, COLUMNS), np.int32),
        now=np.zeros((features, COLUMNS), np.int16),
        pairs=np.zeros((2, max(3 * features // 2, 4), COLUMNS), np.int32),
        columns=np.zeros((6, 1, COLUMNS), np.int32),
        roots=tables.inverse_roots(features),
        guard=form.variance_guard(features),
    )


@compiled
@no_type_check
def measure(x, short, room):
    """Centre features (features, 64) and shorten them into ``short``; find out by what to divide them.

    ``room.columns`` gets, for each column, the factor, half a unit and the shift of the quotient.
    """
    columns = room.columns
    total, highest, excess, half, lowest, start = (
        columns[0], columns[1], columns[2], columns[3], columns[4], columns[5],
    )  # fmt: skip
    _measure(x, total[0], highest[0], lowest[0])
    _choose_shift(total, highest, lowest, np.int32(x.shape[0]), room.guard, excess, half, start)
    square = highest
    _shorten(x, total[0], np.int32(x.shape[0]), half[0], excess[0], short, square[0])
    _choose_root(room.roots, square, start, total, half, excess)


@compiled
@no_type_check
def normalise(x, gain, bias, bits, room, out):
    """Layer norm of x (features, 64) int32 into ``out``, likewise, which may be the same."""
    short, columns = room.rows[8], room.columns
    measure(x, short, room)
    _scale(short, columns[0, 0], columns[3, 0], columns[2, 0], gain, bias, bits, out)


@compiled
@no_type_check
def normalise_for_product(x, gain, bias, bits, room, out):
    """The same, clipped to what a matrix product takes, int16."""
    short, columns = room.rows[8], room.columns
    measure(x, short, room)
    _scale_and_clip(short, columns[0, 0], columns[3, 0], columns[2, 0], gain, bias, bits, out)


@over_features("element", "sum", "largest", "largest")
def _measure(x: Lanes) -> tuple[Lanes, ...]:
    return x, x, x.like(0) - x


@over_features(*("element",) * 3, "number", "number", "out", "out", "out")
def _choose_shift(
    total: Lanes, highest: Lanes, lowest: Lanes, count: Lanes, guard: Lanes
) -> tuple[Lanes, ...]:
    """Shift of the centred, half a unit of it, and what the sum of squares begins with."""
    largest = most(highest * count - total, lowest * count + total)
    excess = largest.like(0)
    for bits in (16, 8, 4, 2, 1):
        longer = largest >= 1 << (_SHORT_BITS + bits)
        largest = where(longer, largest >> bits, largest)
        excess = where(longer, excess + bits, excess)
    return excess, (excess.like(1) << excess) >> 1, guard >> least(excess + excess, 31)


@over_features("element", "column", "number", "column", "column", "out", "sum")
def _shorten(x: Lanes, total: Lanes, count: Lanes, half: Lanes, excess: Lanes) -> tuple[Lanes, ...]:
    short = (x * count - total + half) >> excess
    return short, short * short


@over_features("table", "element", "element", "out", "out", "out")
def _choose_root(roots: Table, total: Lanes, start: Lanes) -> tuple[Lanes, ...]:
    """The inverse root, half a unit of the quotient, and its shift."""
    square = most((total + start) >> 2, 1)
    doublings = square.like(0)
    for bits in (8, 4, 2, 1):
        smaller = square < 1 << (30 - 2 * bits)
        square = where(smaller, square << (2 * bits), square)
        doublings = where(smaller, doublings + bits, doublings)
    shift = doublings.like(19) - doublings
    return roots.at((square >> 18) - tables.ROOT_FIRST), shift.like(1) << (shift - 1), shift


@over_features("element", "column", "column", "column", "feature", "feature", "number", "out")
def _scale(*arguments: Lanes) -> Lanes:
    return normalised(*arguments)


@over_features("element", "column", "column", "column", "feature", "feature", "number", "out")
def _scale_and_clip(*arguments: Lanes) -> Lanes:
    return clipped(normalised(*arguments), 1 << form.ACTIVATION_BITS)
