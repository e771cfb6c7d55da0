"""Formulas that several loops share, for :class:`Lanes`; ``definition`` has the same for arrays."""

from spatial_prediction.compression.integer_linerwkv import network as form
from spatial_prediction.compression.integer_linerwkv import tables
from spatial_prediction.compression.integer_linerwkv._lanes import Lanes, least, magnitude, most, where


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


def table_index(x: Lanes) -> Lanes:
    """Where in the tables of sigmoid and softplus a log weight's magnitude stands."""
    return least((magnitude(x) + 128) >> (tables.LOG_BITS - tables.LOG_INDEX_BITS), tables.ENTRIES - 1)


def gate(x: Lanes, positive: Lanes) -> Lanes:
    """Return the sigmoid of a log weight whose magnitude has the sigmoid ``positive``."""
    return where(x < 0, positive.like(1 << tables.GATE_BITS) - positive, positive)


def whole(coarse: Lanes, fine: Lanes) -> Lanes:
    """Put the results of a product in two parts together."""
    return coarse + (fine >> 8)
