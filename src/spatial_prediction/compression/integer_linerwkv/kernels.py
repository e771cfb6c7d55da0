"""The integer network in compiled loops, for blocks of 64 columns: the same integers as ``definition``.

Sums and products are cut back to 32 bits after each operation, for numba would compute them in 64.
"""

from typing import no_type_check

import numpy as np

from spatial_prediction.compression._compiled import compiled
from spatial_prediction.compression.integer_linerwkv import network as form
from spatial_prediction.compression.integer_linerwkv import tables
from spatial_prediction.compression.integer_linerwkv._int32 import raised, shifted
from spatial_prediction.compression.integer_linerwkv._products import LANES, multiply_pairs

_I = np.int32
_SIGMOID, _SOFTPLUS, _GELU_DEFICIT = tables.sigmoid(), tables.softplus(), tables.gelu_deficit()
_LAST = _I(tables.ENTRIES - 1)
_ONE, _ZERO = _I(1), _I(0)
_STREAM = _I(form.LARGEST_STREAM)
_LOG = _I(form.LARGEST_LOG)
_LOG_STEP = _I(form.LOG_STEP_BITS)
_ACTIVATION = _I(1 << form.ACTIVATION_BITS)
_GAIN = _I(form.GAIN_BITS)
_UNIT = _I(1 << tables.GATE_BITS)
_ROOT_FIRST = _I(tables.ROOT_FIRST)
_GELU_SHIFT = _I(tables.STREAM_BITS - tables.GELU_INDEX_BITS)
_BYTE, _SEVEN, _EIGHT, _FIFTEEN = _I(255), _I(7), _I(8), _I(15)


@compiled
@no_type_check
def rounded(x, bits):
    """Shift to the right, to the nearest."""
    return shifted(_I(x + shifted(raised(_ONE, bits), _ONE)), bits)


@compiled
@no_type_check
def clipped(x, largest):
    """Limit the magnitude."""
    return max(min(x, largest), _I(-largest))


@compiled
@no_type_check
def table_index(x):
    """Where in the tables of sigmoid and softplus a log weight's magnitude stands."""
    return min(shifted(_I(abs(x) + _I(128)), _EIGHT), _LAST)


@compiled
@no_type_check
def sigmoid(x):
    """Return the gate for a log weight."""
    positive = _SIGMOID[np.uint32(table_index(x))]
    return _I(_UNIT - positive) if x < _ZERO else positive


@compiled
@no_type_check
def scaled(x, fraction):
    """Return floor(x * fraction / 2**15), without overflow."""
    coarse, fine = _I(shifted(x, _EIGHT) * fraction), _I(_I(x & _BYTE) * fraction)
    return shifted(_I(coarse + shifted(fine, _EIGHT)), _SEVEN)


@compiled
@no_type_check
def product(weight, x, pairs, out):
    """Multiply a matrix (outputs, inputs) int16 with x (inputs, 64) int16; ``pairs`` is room for x."""
    for p in range(pairs.shape[0]):
        for n in range(LANES):
            pairs[p, n, 0] = x[2 * p, n]
            pairs[p, n, 1] = x[2 * p + 1, n]
    multiply_pairs(weight, pairs, out)


@compiled
@no_type_check
def wide_product(weight, x, part, pairs, fine, out):
    """Multiply a matrix with x (inputs, 64) int32 up to 2**22, in two parts; what follows x is room."""
    for f in range(x.shape[0]):
        for n in range(LANES):
            part[f, n] = _I(x[f, n] & _BYTE)
    product(weight, part, pairs, fine)
    for f in range(x.shape[0]):
        for n in range(LANES):
            part[f, n] = shifted(x[f, n], _EIGHT)
    product(weight, part, pairs, out)
    for f in range(out.shape[0]):
        for n in range(LANES):
            out[f, n] = _I(out[f, n] + shifted(fine[f, n], _EIGHT))


@compiled
@no_type_check
def normalise(x, gain, bias, bits, guard, roots, short, out):
    """Layer norm of x (features, 64) into ``out``; ``short`` (features + 3, 64) int32 is room to work in."""
    features = x.shape[0]
    count = _I(features)
    total, largest, excess = short[features], short[features + 1], short[features + 2]
    for n in range(LANES):
        total[n] = _ZERO
        largest[n] = _ZERO
        excess[n] = _ZERO
    for f in range(features):
        for n in range(LANES):
            total[n] = _I(total[n] + x[f, n])
    for f in range(features):
        for n in range(LANES):
            centred = _I(_I(count * x[f, n]) - total[n])
            short[f, n] = centred
            largest[n] = max(largest[n], abs(centred))
    for n in range(LANES):
        high, more = largest[n], _ZERO
        for step in (_I(16), _I(8), _I(4), _I(2), _I(1)):
            longer = high >= raised(_ONE, _I(_I(11) + step))
            high = shifted(high, step) if longer else high
            more = _I(more + step) if longer else more
        excess[n] = more
        largest[n] = shifted(raised(_ONE, more), _ONE)
        total[n] = shifted(guard, min(_I(more + more), _I(31)))
    for f in range(features):
        for n in range(LANES):
            value = shifted(_I(short[f, n] + largest[n]), excess[n])
            short[f, n] = value
            total[n] = _I(total[n] + _I(value * value))
    for n in range(LANES):
        square, doublings = max(shifted(total[n], _I(2)), _ONE), _ZERO
        for step in (_I(8), _I(4), _I(2), _I(1)):
            smaller = square < raised(_ONE, _I(_I(30) - _I(step + step)))
            square = raised(square, _I(step + step)) if smaller else square
            doublings = _I(doublings + step) if smaller else doublings
        total[n] = roots[np.uint32(_I(shifted(square, _I(18)) - _ROOT_FIRST))]
        excess[n] = _I(_I(19) - doublings)
        largest[n] = raised(_ONE, _I(_I(18) - doublings))
    for f in range(features):
        g, b = gain[f], _I(bias[f] + shifted(raised(_ONE, bits), _ONE))
        for n in range(LANES):
            unit = shifted(_I(_I(short[f, n] * total[n]) + largest[n]), excess[n])
            out[f, n] = shifted(_I(_I(unit * g) + b), bits)


@compiled
@no_type_check
def limit(x, out):
    """Clip features to what a matrix product takes."""
    for f in range(x.shape[0]):
        for n in range(LANES):
            out[f, n] = clipped(x[f, n], _ACTIVATION)


@compiled
@no_type_check
def mix(share, now, before, out):
    """Mix the features of this step and of the one before, all (features, 64) int16."""
    half = _I(1 << 14)
    for f in range(now.shape[0]):
        a, b = share[0, f], share[1, f]
        for n in range(LANES):
            total = _I(_I(_I(now[f, n]) * a) + _I(_I(before[f, n]) * b))
            out[f, n] = shifted(_I(total + half), _FIFTEEN)


@compiled
@no_type_check
def add_product(x, summed, bits):
    """Add the result of a product to features."""
    for f in range(x.shape[0]):
        for n in range(LANES):
            x[f, n] = clipped(_I(x[f, n] + rounded(summed[f, n], bits)), _STREAM)


@compiled
@no_type_check
def log_weight(summed, bits):
    """Return the log weight that a product gave."""
    return raised(clipped(rounded(summed, bits), _LOG), _LOG_STEP)


@compiled
@no_type_check
def average(keys, values, gates, shifts, first, decay, mean, log, out):
    """WKV of one step: update ``mean`` and ``log`` (features, 64) and write what the gates let through."""
    key_bits, value_bits, gate_bits = shifts[0], shifts[1], shifts[2]
    for f in range(mean.shape[0]):
        bonus, loss = first[f], decay[f]
        for n in range(LANES):
            k = log_weight(keys[f, n], key_bits)
            m, past = mean[f, n], log[f, n]
            change = _I(clipped(rounded(values[f, n], value_bits), _STREAM) - m)
            read = _I(m + scaled(change, sigmoid(_I(_I(k + bonus) - past))))
            out[f, n] = scaled(read, sigmoid(log_weight(gates[f, n], gate_bits)))
            aged = _I(past + loss)
            nearness = _I(k - aged)
            mean[f, n] = _I(m + scaled(change, sigmoid(nearness)))
            log[f, n] = _I(max(k, aged) + _SOFTPLUS[np.uint32(table_index(nearness))])


@compiled
@no_type_check
def rectify(summed, bits, out):
    """Square what is positive."""
    top, half = _I(1 << 15), _I(1 << 7)
    for f in range(out.shape[0]):
        for n in range(LANES):
            value = max(min(rounded(summed[f, n], bits), top), _ZERO)
            out[f, n] = shifted(_I(_I(value * value) + half), _EIGHT)


@compiled
@no_type_check
def add_gated(x, values, gates, value_bits, gate_bits):
    """Add the channel mixing's gated values to features."""
    for f in range(x.shape[0]):
        for n in range(LANES):
            value = clipped(rounded(values[f, n], value_bits), _STREAM)
            gate = sigmoid(log_weight(gates[f, n], gate_bits))
            x[f, n] = clipped(_I(x[f, n] + scaled(value, gate)), _STREAM)


@compiled
@no_type_check
def step(blocks, inputs, averages, x, guard, roots, work, short):
    """Take one step in time with all blocks.

    Args:
        blocks: their numbers.
        inputs: of the two mixings one step before, (blocks, 2, features, 64) int16.
        averages: means and log weights, (blocks, 2, features, 64) int32.
        x: features, (features, 64) int32, which are replaced.
        guard: of the variance in layer norms.
        roots: table of inverse roots.
        work: room for six arrays like x, (6, features, 64) int32.
        short: room for layer norms, (features + 3, 64) int32.
    """
    features = x.shape[0]
    a = np.empty((features, LANES), np.int16)
    now = np.empty((features, LANES), np.int16)
    pairs = np.empty((features // 2, LANES, 2), np.int16)
    y = work[0]
    normalise(x, blocks.entry.gain[0], blocks.entry.bias[0], blocks.entry.shift[0], guard, roots, short, x)
    for index in range(blocks.shifts.shape[0]):
        gain, bias, mixes = blocks.gain[index], blocks.bias[index], blocks.mixes[index]
        matrices, shifts = blocks.matrices[index], blocks.shifts[index]

        before = inputs[index, 0]
        normalise(x, gain[0], bias[0], _GAIN, guard, roots, short, y)
        limit(y, now)
        for which in range(3):
            mix(mixes[which], now, before, a)
            product(matrices[which], a, pairs, work[1 + which])
        before[:] = now
        mean, log = averages[index, 0], averages[index, 1]
        average(
            work[1], work[2], work[3], shifts, blocks.first[index], blocks.decay[index], mean, log, work[4]
        )
        wide_product(matrices[3], work[4], a, pairs, work[5], y)
        add_product(x, y, shifts[3])

        before = inputs[index, 1]
        normalise(x, gain[1], bias[1], _GAIN, guard, roots, short, y)
        limit(y, now)
        mix(mixes[3], now, before, a)
        product(matrices[4], a, pairs, y)
        mix(mixes[4], now, before, a)
        product(matrices[5], a, pairs, work[1])
        before[:] = now
        rectify(y, shifts[4], work[4])
        wide_product(matrices[6], work[4], a, pairs, work[5], y)
        add_gated(x, y, work[1], shifts[6], shifts[5])


@compiled
@no_type_check
def convolve(layers, layer, inputs, guard, roots, work, short, out):
    """Apply a convolution, its layer norm and GELU to inputs (taps and channels, 64) int16."""
    weight, bits, norm = layers.weight[layer], layers.shift[layer], layers.norm
    product(weight, inputs, np.empty((weight.shape[1] // 2, LANES, 2), np.int16), work)
    for f in range(out.shape[0]):
        b = layers.bias[layer, f]
        for n in range(LANES):
            work[f, n] = clipped(_I(rounded(work[f, n], bits) + b), _STREAM)
    normalise(work, norm.gain[layer], norm.bias[layer], norm.shift[layer], guard, roots, short, out)
    for f in range(out.shape[0]):
        for n in range(LANES):
            y = out[f, n]
            index = min(shifted(_I(abs(y) + _I(4)), _GELU_SHIFT), _LAST)
            out[f, n] = _I(max(y, _ZERO) - _GELU_DEFICIT[np.uint32(index)])


@compiled
@no_type_check
def predict(head, x, fine, out):
    """Predict normalised samples (64,) from features, which are clipped; ``fine`` (64,) int32 is room."""
    for n in range(LANES):
        out[n] = _ZERO
        fine[n] = _ZERO
    for f in range(x.shape[0]):
        weight = _I(head.weight[f])
        for n in range(LANES):
            value = clipped(x[f, n], _STREAM)
            out[n] = _I(out[n] + _I(shifted(value, _EIGHT) * weight))
            fine[n] = _I(fine[n] + _I(_I(value & _BYTE) * weight))
    for n in range(LANES):
        out[n] = _I(rounded(_I(out[n] + shifted(fine[n], _EIGHT)), head.shift) + head.bias)
