"""An adaptive arithmetic coder for mapped residuals, whose statistics depend on the neighbourhood.

Golomb codes spend whole bits and know a mean for each band. Here each residual is cut into binary decisions,
each coded with the probability that it had lately where residuals around it were as large, absolutely and
against the mean of the band: those to the left and above, and those of the two bands before, as large as they
are for their bands.
"""

from typing import no_type_check

import numpy as np
from jaxtyping import Integer, UInt16

from spatial_prediction.compression._compiled import compiled, leading_zeros
from spatial_prediction.errors import ConfigurationError, StreamError

LARGEST = 2**16 - 1
_ENERGIES, _RATIOS = 72, 6
_UNARY = 24  # decisions before a residual stands as it is
_NODES = _UNARY + 3  # and those on the two highest bits of what is left
_BITS = 15  # of a probability
_FAST, _SLOW = 6, 9
_LEAST = 32  # a probability stays this far from 0 and 1, so a decision costs 10 bits at most
_MOST_BYTES_EACH = 56
_MOST_RESIDUALS_EACH = 6000  # in a byte, where each is one decision of the highest probability
_TOP = 1 << 24
_LOW, _RANGE, _PENDING, _CARRIED, _POSITION = range(5)  # what coders remember


def encode_residuals(residuals: Integer[np.ndarray, "rows columns bands"]) -> bytes:
    """Code mapped residuals of 0 to 65535; the stream holds neither shape nor checksum.

    Raises:
        ConfigurationError: a residual is out of this range.
    """
    if residuals.size and not (residuals.min() >= 0 and residuals.max() <= LARGEST):
        raise ConfigurationError(
            f"residuals: from {residuals.min()} to {residuals.max()}; give mapped residuals, 0 to {LARGEST}"
        )
    rows, columns, bands = residuals.shape
    memory = _Memory(columns, bands)
    coder = np.array([0, 0xFFFFFFFF, 1, 0, 0], np.int64)
    parts = []
    for row in range(rows):
        out = _room(_MOST_BYTES_EACH * columns * bands, coder)
        encode_row(_lines(residuals[row]), *memory.arrays, coder, out)
        parts.append(out[: coder[_POSITION]].tobytes())
    out = _room(5, coder)
    for _ in range(5):
        shift_out(coder, out)
    parts.append(out[: coder[_POSITION]].tobytes())
    return b"".join(parts)[1:]  # the first byte is always zero


def decode_residuals(stream: bytes, shape: tuple[int, int, int]) -> UInt16[np.ndarray, "rows columns bands"]:
    """Undo :func:`encode_residuals`.

    Args:
        stream: what it returned.
        shape: rows, columns and bands.

    Raises:
        StreamError: the stream ends too early or is not one of this coder.
    """
    rows, columns, bands = shape
    if rows * columns * bands > _MOST_RESIDUALS_EACH * (len(stream) + 8):  # before memory is taken for them
        raise StreamError(
            f"stream: {len(stream)} bytes cannot hold {rows} x {columns} x {bands} residuals; "
            "fetch it again, or give the shape it was made with"
        )
    memory = _Memory(columns, bands)
    source = np.frombuffer(stream, np.uint8)
    coder = np.array([0, 0xFFFFFFFF, 0, 0, 0], np.int64)
    for _ in range(4):
        shift_in(coder, source)
    residuals = np.empty(shape, np.uint16)
    line = np.empty((bands, columns), np.int64)
    for row in range(rows):
        valid = decode_row(line, *memory.arrays, coder, source)
        if not valid or coder[_POSITION] > len(source):
            raise StreamError(
                f"stream: {len(source)} bytes, damaged or too short for {rows} x {columns} x {bands} "
                f"residuals (row {row}); fetch it again, or give the shape it was made with"
            )
        residuals[row] = line.T
    return residuals


def _lines(row: np.ndarray) -> np.ndarray:
    return row.T.astype(np.int64, order="C")


def _room(size: int, coder: np.ndarray) -> np.ndarray:
    """Make room for so many bytes and those that wait for a carry, and start at its beginning."""
    coder[_POSITION] = 0
    return np.empty(size + int(coder[_PENDING]), np.uint8)


class _Memory:
    """Statistics of the decisions, the row before, and means of each band."""

    def __init__(self, columns: int, bands: int) -> None:
        models = np.full((_ENERGIES, _RATIOS, _NODES, 3), 1 << (_BITS - 1), np.int32)
        models[..., 2] = 1  # how often it was used, and one
        above = np.full((bands, columns), -1, np.int64)
        means = np.full(bands, -1, np.int64)
        self.arrays = models, above, means


@compiled
@no_type_check
def encode_row(line, models, above, means, coder, out):
    """Code the residuals of a row (bands, columns), which then is the row above."""
    bands, columns = line.shape
    for band in range(bands):
        mean = first_mean(means, band)
        scales = scale_of(mean, means, band - 1), scale_of(mean, means, band - 2)
        for c in range(columns):
            energy, ratio, low_bits = context(line, above, band, c, mean, scales)
            model = models[energy, ratio]
            value = line[band, c]
            count = value >> low_bits
            for node in range(min(count, _UNARY)):
                encode_bit(model[node], 1, coder, out)
            if count < _UNARY:
                encode_bit(model[count], 0, coder, out)
            else:
                low_bits = 16
            node = _UNARY
            for bit in range(low_bits - 1, -1, -1):
                digit = (value >> bit) & 1
                if low_bits - bit <= 2 and count < _UNARY:
                    encode_bit(model[node], digit, coder, out)
                    node += 1 + digit
                else:
                    coder[_RANGE] >>= 1
                    coder[_LOW] += digit * coder[_RANGE]
                    while coder[_RANGE] < _TOP:
                        coder[_RANGE] <<= 8
                        shift_out(coder, out)
            mean += value - (mean >> 6)
        means[band] = mean
    above[:] = line


@compiled
@no_type_check
def decode_row(line, models, above, means, coder, source):
    """Decode the residuals of a row into ``line``; return whether all were in their range."""
    bands, columns = line.shape
    valid = True
    for band in range(bands):
        mean = first_mean(means, band)
        scales = scale_of(mean, means, band - 1), scale_of(mean, means, band - 2)
        for c in range(columns):
            energy, ratio, low_bits = context(line, above, band, c, mean, scales)
            model = models[energy, ratio]
            count = 0
            while count < _UNARY and decode_bit(model[count], coder, source):
                count += 1
            value = count
            if count == _UNARY:
                value, low_bits = 0, 16
            node = _UNARY
            for bit in range(low_bits - 1, -1, -1):
                if low_bits - bit <= 2 and count < _UNARY:
                    digit = decode_bit(model[node], coder, source)
                    node += 1 + digit
                else:
                    coder[_RANGE] >>= 1
                    digit = 1 if coder[_LOW] >= coder[_RANGE] else 0
                    coder[_LOW] -= digit * coder[_RANGE]
                    while coder[_RANGE] < _TOP:
                        coder[_RANGE] <<= 8
                        shift_in(coder, source)
                value = (value << 1) | digit
            valid &= value <= LARGEST
            line[band, c] = min(value, LARGEST)
            mean += line[band, c] - (mean >> 6)
        means[band] = mean
    above[:] = line
    return valid


@compiled
@no_type_check
def first_mean(means, band):
    """64 times the mean of a band so far; in the first row that of the band before."""
    if means[band] >= 0:
        return means[band]
    return means[band - 1] if band else 64 * 256


@compiled
@no_type_check
def scale_of(mean, means, band):
    """Return 1024 times the factor by which a band's residuals become as large as those of a mean."""
    return (mean << 10) // max(means[band], 1) if band >= 0 else 0


@compiled
@no_type_check
def context(line, above, band, c, mean, scales):
    """Classify what is around a residual.

    Returns:
        The class of 24 times the mean of all, by its logarithm in steps of a quarter of an octave; the class
        of the neighbours against what is usual; and how many low bits are not coded one by one.
    """
    usual = mean >> 6
    left = line[band, c - 1] if c else usual
    up, beside = usual, 2 * usual
    if above[band, c] >= 0:
        up = above[band, c]
        beside = above[band, max(c - 1, 0)] + above[band, min(c + 1, line.shape[1] - 1)]
    first = min((line[band - 1, c] * scales[0]) >> 10, LARGEST) if band else usual
    second = min((line[band - 2, c] * scales[1]) >> 10, LARGEST) if band > 1 else first
    near = 2 * (left + up) + beside + 3 * (first + second)
    energy = near + ((12 * mean) >> 6) + 8
    height = 63 - leading_zeros(energy)
    ratio = 0
    for threshold in (10, 15, 21, 28, 40):  # twentieths of the usual
        ratio += 1280 * near >= 12 * threshold * mean
    return 4 * (height - 3) + ((energy >> (height - 2)) & 3), ratio, max(height - 5, 0)


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
        position = coder[_POSITION]
        out[position] = (coder[_CARRIED] + carry) & 0xFF
        position += 1
        for _ in range(coder[_PENDING] - 1):
            out[position] = (0xFF + carry) & 0xFF
            position += 1
        coder[_POSITION] = position
        coder[_PENDING] = 0
        coder[_CARRIED] = (low >> 24) & 0xFF
    coder[_PENDING] += 1
    coder[_LOW] = (low & 0x00FFFFFF) << 8


@compiled
@no_type_check
def shift_in(coder, source):
    """Take the next byte of the stream; beyond its end, zeros."""
    position = coder[_POSITION]
    byte = np.int64(source[position]) if position < len(source) else 0
    coder[_LOW] = (coder[_LOW] << 8) | byte
    coder[_POSITION] = position + 1
