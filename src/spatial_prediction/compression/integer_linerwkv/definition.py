"""What the integer network computes, as operations on whole arrays.

This is the definition: short, of NumPy arrays or of JAX arrays on any device. ``kernels`` computes the same
integers fast, and tests hold the two equal. Everything is int32, and nothing can overflow: products are of
bounded factors, the rest is clipped. Features come first, columns last.
"""

from typing import Any, NamedTuple

import numpy as np

from spatial_prediction.compression.integer_linerwkv import network as form
from spatial_prediction.compression.integer_linerwkv import tables
from spatial_prediction.compression.integer_linerwkv.network import Blocks, Convolutions, Head, IntegerNetwork

Array = Any
"""Of NumPy or JAX."""


class BlockMemory(NamedTuple):
    """What the blocks remember, inputs of the mixings and averages, each (blocks, features, columns)."""

    time_input: Array
    channel_input: Array
    mean: Array
    log_weight: Array


def begin(blocks: Blocks, columns: int, xp: Any = np) -> BlockMemory:
    """Return the memory before the first step."""
    shape = (*blocks.decay.shape, columns)
    nothing = xp.zeros(shape, np.int32)
    return BlockMemory(nothing, nothing, nothing, xp.full(shape, form.EMPTY, np.int32))


def encode(network: IntegerNetwork, samples: Array, xp: Any = np) -> Array:
    """Encode normalised samples (columns,) of ``SAMPLE_BITS``, at most 2**15 in magnitude."""
    x = convolved(network.encoder_in, 0, _neighbours(samples[None], xp), xp)
    for layer in range(len(network.encoder.shift)):
        x = convolved(network.encoder, layer, _neighbours(_activation(x, form.LAYER_BITS, xp), xp), xp)
    return x


def step(blocks: Blocks, memory: BlockMemory, x: Array, xp: Any = np) -> tuple[BlockMemory, Array]:
    """Take one step in time with all blocks, from features (features, columns) with ``STREAM_BITS``."""
    x = normalised(x, blocks.entry.gain[0], blocks.entry.bias[0], int(blocks.entry.shift[0]), xp)
    after = []
    for index in range(len(blocks.shifts)):
        new, x = _block(blocks, index, BlockMemory(*(part[index] for part in memory)), x, xp)
        after.append(new)
    return BlockMemory(*(xp.stack(parts) for parts in zip(*after, strict=True))), x


def decode(network: IntegerNetwork, x: Array, xp: Any = np) -> Array:
    """Predict normalised samples (columns,), with ``PREDICTION_BITS``, from features."""
    bits = form.DECODER_BITS
    for layer in range(len(network.decoder.shift)):
        x = convolved(network.decoder, layer, _activation(x, bits, xp), xp)
        bits = form.LAYER_BITS
    return predicted(network.head, x, xp)


def predicted(head: Head, x: Array, xp: Any = np) -> Array:
    """Predict normalised samples (columns,), with ``PREDICTION_BITS``, from the last layer's features."""
    x = _clipped(x, form.LARGEST_STREAM, xp)
    return _rounded(_wide_product(head.weight[None], x, xp)[0], int(head.shift)) + int(head.bias)


def convolved(layers: Convolutions, layer: int, inputs: Array, xp: Any = np) -> Array:
    """Apply a convolution, its layer norm and GELU to inputs (taps and channels, columns)."""
    y = _rounded(_product(layers.weight[layer], inputs, xp), int(layers.shift[layer]))
    y = _clipped(y + layers.bias[layer][:, None], form.LARGEST_STREAM, xp)
    norm = layers.norm
    y = normalised(y, norm.gain[layer], norm.bias[layer], int(norm.shift[layer]), xp)
    index = xp.minimum((xp.abs(y) + 4) >> (tables.STREAM_BITS - tables.GELU_INDEX_BITS), tables.ENTRIES - 1)
    return xp.maximum(y, 0) - xp.asarray(tables.gelu_deficit())[index]


def normalised(x: Array, gain: Array, bias: Array, shift: int, xp: Any = np) -> Array:
    """Layer norm over the first axis, of features of any common scale with ``STREAM_BITS``."""
    features = len(gain)
    centred = features * x - x.sum(0, dtype=np.int32)
    largest = xp.abs(centred).max(0)
    excess = xp.zeros_like(largest)
    for bits in (16, 8, 4, 2, 1):
        longer = largest >= 1 << (11 + bits)
        largest = xp.where(longer, largest >> bits, largest)
        excess = xp.where(longer, excess + bits, excess)
    short = (centred + ((1 << excess) >> 1)) >> excess
    guard = int(form.variance_guard(features))
    square = ((short * short).sum(0, dtype=np.int32) + (guard >> xp.minimum(2 * excess, 31))) >> 2
    square = xp.maximum(square, 1)
    doublings = xp.zeros_like(square)
    for bits in (8, 4, 2, 1):
        smaller = square < 1 << (30 - 2 * bits)
        square = xp.where(smaller, square << (2 * bits), square)
        doublings = xp.where(smaller, doublings + bits, doublings)
    root = xp.asarray(tables.inverse_roots(features))[(square >> 18) - tables.ROOT_FIRST]
    unit = (short * root + (1 << (18 - doublings))) >> (19 - doublings)
    return _rounded(unit * gain[:, None] + bias[:, None], shift)


def _block(blocks: Blocks, index: int, memory: BlockMemory, x: Array, xp: Any) -> tuple[BlockMemory, Array]:
    gain, bias, mixes = blocks.gain[index], blocks.bias[index], blocks.mixes[index]
    shifts = [int(shift) for shift in blocks.shifts[index]]

    def product(which: int, inputs: Array) -> Array:
        return _rounded(_product(blocks.matrices[index, which], inputs, xp), shifts[which])

    def wide_product(which: int, inputs: Array) -> Array:
        return _rounded(_wide_product(blocks.matrices[index, which], inputs, xp), shifts[which])

    def mixed(which: int, now: Array, before: Array) -> Array:
        share = mixes[which][:, :, None]
        return _rounded(share[0] * now + share[1] * before, tables.GATE_BITS)

    def log(which: int, now: Array, before: Array) -> Array:
        coarse = product(_MATRIX_OF_MIX[which], mixed(which, now, before))
        return _clipped(coarse, form.LARGEST_LOG, xp) << form.LOG_STEP_BITS

    limit = 1 << form.ACTIVATION_BITS
    now, before = _clipped(normalised(x, gain[0], bias[0], form.GAIN_BITS, xp), limit, xp), memory.time_input
    k, gate = log(0, now, before), sigmoid(log(2, now, before), xp)
    v = _clipped(product(1, mixed(1, now, before)), form.LARGEST_STREAM, xp)
    change = v - memory.mean
    fraction = sigmoid(k + blocks.first[index][:, None] - memory.log_weight, xp)
    read = scaled(memory.mean + scaled(change, fraction), gate)
    aged = memory.log_weight + blocks.decay[index][:, None]
    mean = memory.mean + scaled(change, sigmoid(k - aged, xp))
    nearness = _index(k - aged, xp)
    log_weight = xp.maximum(k, aged) + xp.asarray(tables.softplus())[nearness]
    x = _clipped(x + wide_product(3, read), form.LARGEST_STREAM, xp)

    own, before = (
        _clipped(normalised(x, gain[1], bias[1], form.GAIN_BITS, xp), limit, xp),
        memory.channel_input,
    )
    rectified = xp.clip(product(4, mixed(3, own, before)), 0, 1 << 15)
    value = _clipped(wide_product(6, _rounded(rectified * rectified, 8)), form.LARGEST_STREAM, xp)
    x = _clipped(x + scaled(value, sigmoid(log(4, own, before), xp)), form.LARGEST_STREAM, xp)
    return BlockMemory(now, own, mean, log_weight), x


_MATRIX_OF_MIX = (0, 1, 2, 4, 5)


def sigmoid(x: Array, xp: Any = np) -> Array:
    """Sigmoid with ``GATE_BITS`` of log weights with ``LOG_BITS``."""
    positive = xp.asarray(tables.sigmoid())[_index(x, xp)]
    return xp.where(x < 0, (1 << tables.GATE_BITS) - positive, positive)


def scaled(x: Array, fraction: Array) -> Array:
    """Return ``floor(x * fraction / 2**15)`` of x up to 2**23 and fractions up to 2**15, without overflow."""
    return ((x >> 8) * fraction + (((x & 255) * fraction) >> 8)) >> 7


def _index(x: Array, xp: Any) -> Array:
    return xp.minimum((xp.abs(x) + 128) >> (tables.LOG_BITS - tables.LOG_INDEX_BITS), tables.ENTRIES - 1)


def _activation(x: Array, bits: int, xp: Any) -> Array:
    return _clipped(_rounded(x, tables.STREAM_BITS - bits), 1 << form.ACTIVATION_BITS, xp)


def _neighbours(x: Array, xp: Any) -> Array:
    """Put the column to the left, each column and that to the right below each other; beyond stand zeros."""
    padded = xp.pad(x, ((0, 0), (1, 1)))
    return xp.concatenate([padded[:, :-2], x, padded[:, 2:]])


def _product(weight: Array, x: Array, xp: Any) -> Array:
    return xp.matmul(xp.asarray(weight).astype(np.int32), x)


def _wide_product(weight: Array, x: Array, xp: Any) -> Array:
    """Multiply inputs up to 2**22 with a matrix, in two parts; the result lacks their last eight bits."""
    return _product(weight, x >> 8, xp) + (_product(weight, x & 255, xp) >> 8)


def _rounded(x: Array, shift: int) -> Array:
    return (x + ((1 << shift) >> 1)) >> shift


def _clipped(x: Array, largest: int, xp: Any) -> Array:
    return xp.clip(x, -largest, largest)
