"""The residuals of a row, as binary decisions."""

from typing import no_type_check

from spatial_prediction.compression._compiled import compiled
from spatial_prediction.compression.context_coder._arithmetic import (
    decode_bit,
    decode_even_bit,
    encode_bit,
    encode_even_bit,
)
from spatial_prediction.compression.context_coder._neighbourhood import (
    LARGEST,
    UNARY,
    context,
    first_mean,
    scale_of,
)

MOST_BYTES_EACH = 56


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
            for node in range(min(count, UNARY)):
                encode_bit(model[node], 1, coder, out)
            if count < UNARY:
                encode_bit(model[count], 0, coder, out)
            else:
                low_bits = 16
            node = UNARY
            for bit in range(low_bits - 1, -1, -1):
                digit = (value >> bit) & 1
                if low_bits - bit <= 2 and count < UNARY:
                    encode_bit(model[node], digit, coder, out)
                    node += 1 + digit
                else:
                    encode_even_bit(digit, coder, out)
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
            while count < UNARY and decode_bit(model[count], coder, source):
                count += 1
            value = count
            if count == UNARY:
                value, low_bits = 0, 16
            node = UNARY
            for bit in range(low_bits - 1, -1, -1):
                if low_bits - bit <= 2 and count < UNARY:
                    digit = decode_bit(model[node], coder, source)
                    node += 1 + digit
                else:
                    digit = decode_even_bit(coder, source)
                value = (value << 1) | digit
            valid &= value <= LARGEST
            line[band, c] = min(value, LARGEST)
            mean += line[band, c] - (mean >> 6)
        means[band] = mean
    above[:] = line
    return valid
