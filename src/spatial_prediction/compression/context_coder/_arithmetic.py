"""Arithmetic coding of binary decisions, each by the probability that its model has learnt."""

from typing import no_type_check

import numpy as np

from spatial_prediction.compression._compiled import compiled, leading_zeros

_BITS = 15  # of a probability
_FAST, _SLOW = 6, 9
_LEAST = 32  # a probability stays this far from 0 and 1, so a decision costs 10 bits at most
_TOP = 1 << 24
_LOW, _RANGE, _PENDING, _CARRIED, POSITION = range(5)  # what coders remember


def begun(pending: int) -> np.ndarray:
    """Return a coder before its first decision; an encoder has one byte pending, a decoder none."""
    return np.array([0, 0xFFFFFFFF, pending, 0, 0], np.int64)


def room(size: int, coder: np.ndarray) -> np.ndarray:
    """Make room for so many bytes and those that wait for a carry, and start at its beginning."""
    coder[POSITION] = 0
    return np.empty(size + int(coder[_PENDING]), np.uint8)


def untrained(shape: tuple[int, ...]) -> np.ndarray:
    """Return models of decisions: two probabilities of a zero, and how often each was used, and one."""
    models = np.full((*shape, 3), 1 << (_BITS - 1), np.int32)
    models[..., 2] = 1
    return models


@compiled
@no_type_check
def probability(model):
    """Return the probability of a zero, the mean of what it was lately and for longer."""
    return min(max((np.int64(model[0]) + np.int64(model[1])) >> 1, _LEAST), (1 << _BITS) - _LEAST)


@compiled
@no_type_check
def learn(model, bit):
    """Move the probability of a zero towards what was seen, the first times by a larger share."""
    seen, used = (1 - bit) << _BITS, np.int64(model[2])
    shift = 64 - leading_zeros(used)
    model[0] += (seen - model[0]) >> min(shift, _FAST)
    model[1] += (seen - model[1]) >> min(shift, _SLOW)
    if shift < _SLOW:
        model[2] += 1


@compiled
@no_type_check
def encode_bit(model, bit, coder, out):
    """Code a decision."""
    bound = (coder[_RANGE] >> _BITS) * probability(model)
    if bit:
        coder[_LOW] += bound
        coder[_RANGE] -= bound
    else:
        coder[_RANGE] = bound
    learn(model, bit)
    while coder[_RANGE] < _TOP:
        coder[_RANGE] <<= 8
        shift_out(coder, out)


@compiled
@no_type_check
def decode_bit(model, coder, source):
    """Decode a decision."""
    bound = (coder[_RANGE] >> _BITS) * probability(model)
    if coder[_LOW] < bound:
        coder[_RANGE] = bound
        bit = 0
    else:
        coder[_LOW] -= bound
        coder[_RANGE] -= bound
        bit = 1
    learn(model, bit)
    while coder[_RANGE] < _TOP:
        coder[_RANGE] <<= 8
        shift_in(coder, source)
    return bit


@compiled
@no_type_check
def shift_out(coder, out):
    """Move the highest byte of the lower bound out, once no carry can reach it any more.

    A byte of ones waits, with those before it, for what follows: a carry would run through all of them.
    """
    low = coder[_LOW]
    if low < 0xFF000000 or low > 0xFFFFFFFF:
        carry = low >> 32
        position = coder[POSITION]
        out[position] = (coder[_CARRIED] + carry) & 0xFF
        position += 1
        for _ in range(coder[_PENDING] - 1):
            out[position] = (0xFF + carry) & 0xFF
            position += 1
        coder[POSITION] = position
        coder[_PENDING] = 0
        coder[_CARRIED] = (low >> 24) & 0xFF
    coder[_PENDING] += 1
    coder[_LOW] = (low & 0x00FFFFFF) << 8


@compiled
@no_type_check
def shift_in(coder, source):
    """Take the next byte of the stream; beyond its end, zeros."""
    position = coder[POSITION]
    byte = np.int64(source[position]) if position < len(source) else 0
    coder[_LOW] = (coder[_LOW] << 8) | byte
    coder[POSITION] = position + 1


@compiled
@no_type_check
def encode_even_bit(bit, coder, out):
    """Code a decision that is as likely as not."""
    coder[_RANGE] >>= 1
    coder[_LOW] += bit * coder[_RANGE]
    while coder[_RANGE] < _TOP:
        coder[_RANGE] <<= 8
        shift_out(coder, out)


@compiled
@no_type_check
def decode_even_bit(coder, source):
    """Decode a decision that is as likely as not."""
    coder[_RANGE] >>= 1
    bit = 1 if coder[_LOW] >= coder[_RANGE] else 0
    coder[_LOW] -= bit * coder[_RANGE]
    while coder[_RANGE] < _TOP:
        coder[_RANGE] <<= 8
        shift_in(coder, source)
    return bit
