"""Formulas that several loops share, for :class:`Lanes`; ``definition`` has the same for arrays."""

from spatial_prediction.compression.integer_linerwkv import network as form
from spatial_prediction.compression.integer_linerwkv import tables
from spatial_prediction.compression.integer_linerwkv._lanes import (
    Lanes,
    Table,
    least,
    magnitude,
    most,
    where,
)


def rounded(x: Lanes, bits: Lanes) -> Lanes:
    """Shift to the right, to the nearest."""
    return (x + ((bits.like(1) << bits) >> 1)) >> bits


def clipped(x: Lanes, largest: int) -> Lanes:
    """Limit the magnitude."""
    return most(least(x, largest), -largest)


def scaled(x: Lanes, fraction: Lanes) -> Lanes:
    """Return ``floor(x * fraction / 2**15)`` without overflow."""
    return ((x >> 8) * fraction + (((x & 255) * fraction) >> 8)) >> 7


def log_weight(summed: Lanes, bits: Lanes) -> Lanes:
    """Return the log weight that a product gave."""
    return clipped(rounded(summed, bits), form.LARGEST_LOG) << form.LOG_STEP_BITS


def sigmoid_and_softplus(x: Lanes, logistic: Table) -> tuple[Lanes, Lanes]:
    """Return the sigmoid of a log weight, and the softplus of its magnitude's negative."""
    index = (magnitude(x) + 128) >> (tables.LOG_BITS - tables.LOG_INDEX_BITS)
    both = logistic.at(least(index, tables.ENTRIES - 1))
    positive = both & 0xFFFF
    return where(x < 0, x.like(1 << tables.GATE_BITS) - positive, positive), (both >> 16) & 0xFFFF


def sigmoid(x: Lanes, logistic: Table) -> Lanes:
    """Return the sigmoid of a log weight."""
    return sigmoid_and_softplus(x, logistic)[0]


def normalised(
    short: Lanes, root: Lanes, half: Lanes, shift: Lanes, gain: Lanes, bias: Lanes, bits: Lanes
) -> Lanes:
    """End of a layer norm: a quotient by the deviation, then gain and bias."""
    return rounded(((short * root + half) >> shift) * gain + bias, bits)


def whole(coarse: Lanes, fine: Lanes) -> Lanes:
    """Put the results of a product in two parts together."""
    return coarse + (fine >> 8)
