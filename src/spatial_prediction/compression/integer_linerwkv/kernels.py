"""The integer network in compiled loops, for blocks of 64 columns: the same integers as ``definition``."""

from typing import no_type_check

import numpy as np

from spatial_prediction.compression._compiled import compiled
from spatial_prediction.compression.integer_linerwkv import network as form
from spatial_prediction.compression.integer_linerwkv import tables
from spatial_prediction.compression.integer_linerwkv._arithmetic import (
    clipped,
    log_weight,
    normalised,
    rounded,
    scaled,
    sigmoid,
    sigmoid_and_softplus,
    whole,
)
from spatial_prediction.compression.integer_linerwkv._lanes import (
    Lanes,
    Table,
    least,
    magnitude,
    most,
    over_features,
)
from spatial_prediction.compression.integer_linerwkv._norms import measure, normalise, normalise_for_product
from spatial_prediction.compression.integer_linerwkv._products import multiply_pairs

_GELU_DEFICIT = tables.gelu_deficit()
_LOGISTIC = (tables.sigmoid() | tables.softplus() << 16).astype(np.int32)
"""Sigmoid in the lower half of a word, softplus in the upper one."""
_GAIN = np.int32(form.GAIN_BITS)


@compiled
@no_type_check
def product(weight, pairs, out):
    """Multiply a matrix (outputs, inputs) int16 with inputs in pairs into ``out`` (outputs, 64) int32."""
    multiply_pairs(weight, pairs, out)


@compiled
@no_type_check
def step(blocks, inputs, averages, x, room):
    """Take one step in time with all blocks.

    Args:
        blocks: their numbers.
        inputs: of the two mixings one step before, (blocks, 2, features, 64) int16.
        averages: means and log weights, (blocks, 2, features, 64) int32.
        x: features, (features, 64) int32, which are replaced.
        room: to work in.
    """
    normalise(x, blocks.entry.gain[0], blocks.entry.bias[0], blocks.entry.shift[0], room, x)
    for index in range(blocks.shifts.shape[0]):
        mix_in_time(blocks, index, inputs[index, 0], averages[index, 0], averages[index, 1], x, room)
        mix_channels(blocks, index, inputs[index, 1], x, room)


@compiled
@no_type_check
def mix_in_time(blocks, index, before, mean, log, x, room):
    """First half of a block: WKV."""
    rows, now, pairs, fine_pairs = room.rows, room.now, room.pairs[0], room.pairs[1]
    mixes, matrices, shifts = blocks.mixes[index], blocks.matrices[index], blocks.shifts[index]
    normalise_for_product(x, blocks.gain[index, 0], blocks.bias[index, 0], _GAIN, room, now)
    for which in range(3):
        _mix(now, before, mixes[which, 0], mixes[which, 1], pairs)
        product(matrices[which], pairs, rows[which])
    copy(now, before)
    _average(
        _LOGISTIC, rows[0], rows[1], rows[2], mean, log, blocks.first[index], blocks.decay[index], shifts[0],
        shifts[1], shifts[2], mean, log, pairs, fine_pairs,
    )  # fmt: skip
    product(matrices[3], pairs, rows[0])
    product(matrices[3], fine_pairs, rows[1])
    _add(x, rows[0], rows[1], shifts[3], x)


@compiled
@no_type_check
def mix_channels(blocks, index, before, x, room):
    """Second half of a block: a gated product of squares."""
    rows, now, pairs, fine_pairs = room.rows, room.now, room.pairs[0], room.pairs[1]
    mixes, matrices, shifts = blocks.mixes[index], blocks.matrices[index], blocks.shifts[index]
    normalise_for_product(x, blocks.gain[index, 1], blocks.bias[index, 1], _GAIN, room, now)
    for which in range(2):
        _mix(now, before, mixes[3 + which, 0], mixes[3 + which, 1], pairs)
        product(matrices[4 + which], pairs, rows[which])
    copy(now, before)
    _rectify(rows[0], shifts[4], pairs, fine_pairs)
    product(matrices[6], pairs, rows[3])
    product(matrices[6], fine_pairs, rows[4])
    _add_gated(_LOGISTIC, x, rows[3], rows[4], rows[1], shifts[6], shifts[5], x)


@compiled
@no_type_check
def convolve(layers, layer, pairs, room, out):
    """Apply a convolution, its layer norm and GELU to inputs in pairs, (taps and channels / 2, 64)."""
    norm, summed, columns = layers.norm, room.rows[0], room.columns
    product(layers.weight[layer], pairs, summed)
    _add_bias(summed, layers.bias[layer], layers.shift[layer], summed)
    measure(summed, summed, room)
    _scale_and_activate(
        _GELU_DEFICIT, summed, columns[0, 0], columns[3, 0], columns[2, 0], norm.gain[layer],
        norm.bias[layer], norm.shift[layer], out,
    )  # fmt: skip


@compiled
@no_type_check
def predict(head, x, room, out):
    """Predict normalised samples (64,) int32 from features, which are clipped."""
    coarse, fine = room.columns[0], room.columns[1]
    _weigh(x, head.weight, coarse[0], fine[0])
    _finish_weighing(coarse, fine, head.shift, head.bias, coarse)
    out[:] = coarse[0]


@over_features("element", "element", "feature", "feature", "pairs")
def _mix(now: Lanes, before: Lanes, share: Lanes, share_before: Lanes) -> Lanes:
    return (now * share + before * share_before + (1 << 14)) >> 15


@over_features(
    "table", *("element",) * 5, *("feature",) * 2, *("number",) * 3, "out", "out", "pairs", "pairs"
)
def _average(
    logistic: Table,
    keys: Lanes,
    values: Lanes,
    gates: Lanes,
    mean: Lanes,
    log: Lanes,
    first: Lanes,
    decay: Lanes,
    key_bits: Lanes,
    value_bits: Lanes,
    gate_bits: Lanes,
) -> tuple[Lanes, ...]:
    """Mean and log weight with the new value, and what the gates let through, in two parts."""
    key, gates, aged = log_weight(keys, key_bits), log_weight(gates, gate_bits), log + decay
    change = clipped(rounded(values, value_bits), form.LARGEST_STREAM) - mean
    read = mean + scaled(change, sigmoid(key + first - log, logistic))
    read = scaled(read, sigmoid(gates, logistic))
    fraction, softplus = sigmoid_and_softplus(key - aged, logistic)
    return mean + scaled(change, fraction), most(key, aged) + softplus, read >> 8, read & 255


@over_features("element", "element", "element", "number", "out")
def _add(x: Lanes, coarse: Lanes, fine: Lanes, bits: Lanes) -> Lanes:
    return clipped(x + rounded(whole(coarse, fine), bits), form.LARGEST_STREAM)


@over_features("element", "number", "pairs", "pairs")
def _rectify(summed: Lanes, bits: Lanes) -> tuple[Lanes, ...]:
    """Square what is positive."""
    positive = most(least(rounded(summed, bits), 1 << 15), 0)
    square = (positive * positive + (1 << 7)) >> 8
    return square >> 8, square & 255


@over_features("table", *("element",) * 4, "number", "number", "out")
def _add_gated(
    logistic: Table, x: Lanes, coarse: Lanes, fine: Lanes, gates: Lanes, bits: Lanes, gate_bits: Lanes
) -> Lanes:
    value = clipped(rounded(whole(coarse, fine), bits), form.LARGEST_STREAM)
    gated = scaled(value, sigmoid(log_weight(gates, gate_bits), logistic))
    return clipped(x + gated, form.LARGEST_STREAM)


@over_features("element", "feature", "number", "out")
def _add_bias(summed: Lanes, bias: Lanes, bits: Lanes) -> Lanes:
    return clipped(rounded(summed, bits) + bias, form.LARGEST_STREAM)


@over_features("table", "element", *("column",) * 3, *("feature",) * 2, "number", "out")
def _scale_and_activate(
    deficit: Table,
    short: Lanes,
    root: Lanes,
    half: Lanes,
    shift: Lanes,
    gain: Lanes,
    bias: Lanes,
    bits: Lanes,
) -> Lanes:
    """End of the layer norm, and GELU."""
    y = normalised(short, root, half, shift, gain, bias, bits)
    index = (magnitude(y) + 4) >> (tables.STREAM_BITS - tables.GELU_INDEX_BITS)
    return most(y, 0) - deficit.at(least(index, tables.ENTRIES - 1))


@over_features("element", "out")
def copy(x: Lanes) -> Lanes:
    """Copy, which a loop of 64 numbers does faster than an assignment of slices."""
    return x


@over_features("element", "element", "out")
def subtract(x: Lanes, other: Lanes) -> Lanes:
    """Take one from another."""
    return x - other


@over_features("element", "element", "out")
def add(x: Lanes, other: Lanes) -> Lanes:
    """Add one to another."""
    return x + other


@over_features("element", "number", "pairs")
def shorten(x: Lanes, bits: Lanes) -> Lanes:
    """Shift to the right, to the nearest, and clip to what a matrix product takes, in pairs."""
    return clipped(rounded(x, bits), 1 << form.ACTIVATION_BITS)


@over_features("element", "number", "out")
def shorten_to_halves(x: Lanes, bits: Lanes) -> Lanes:
    """The same, as int16."""
    return clipped(rounded(x, bits), 1 << form.ACTIVATION_BITS)


@over_features("element", "pairs")
def pair(x: Lanes) -> Lanes:
    """Put int16 inputs of a matrix product into pairs."""
    return x


@over_features("element", "feature", "sum", "sum")
def _weigh(x: Lanes, weight: Lanes) -> tuple[Lanes, ...]:
    value = clipped(x, form.LARGEST_STREAM)
    return (value >> 8) * weight, (value & 255) * weight


@over_features("element", "element", "number", "number", "out")
def _finish_weighing(coarse: Lanes, fine: Lanes, bits: Lanes, bias: Lanes) -> Lanes:
    return rounded(whole(coarse, fine), bits) + bias
