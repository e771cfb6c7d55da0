"""Residuals to non-negative numbers and back, with a guaranteed largest error per sample.

The quantiser stands inside the prediction loop: predictors see what the decoder will have, so errors do not
add up. With a largest error of zero all is lossless.
"""

from typing import no_type_check

from spatial_prediction.compression._compiled import compiled
from spatial_prediction.compression._protocol import FRACTION_BITS

_HALF = 1 << (FRACTION_BITS - 1)


@compiled
@no_type_check
def map_residuals(samples, values, left, largest_error, low, high, mapped, decoded):
    """Quantise and map the residuals of a vector of samples.

    A residual is rounded to a multiple of ``2 * largest_error + 1``. Small ones are mapped to 0, 1, 2 … with
    alternating signs; where the range of the samples leaves only one sign, all that follow.

    Args:
        samples: whole numbers from ``low`` to ``high``, int64, as are the other arrays.
        values: of the prediction.
        left: of the prediction.
        largest_error: by which a decoded sample may differ, 0 or more.
        low: smallest value of a sample.
        high: largest value of a sample.
        mapped: gets the mapped residuals, 0 to ``high - low``.
        decoded: gets the samples as :func:`unmap_residuals` returns them.
    """
    step = 2 * largest_error + 1
    for c in range(samples.shape[0]):
        p = values[c] + _HALF
        if c:
            p += left * decoded[c - 1]
        p = max(min(p >> FRACTION_BITS, high), low)
        difference = samples[c] - p
        size = (abs(difference) + largest_error) // step
        below = (p - low + largest_error) // step
        above = (high - p + largest_error) // step
        both = min(below, above)
        if size > both:
            mapped[c] = both + size
        elif difference > 0 or size == 0:
            mapped[c] = 2 * size
        else:
            mapped[c] = 2 * size - 1
        moved = p + size * step if difference > 0 else p - size * step
        decoded[c] = max(min(moved, high), low)


@compiled
@no_type_check
def unmap_residuals(mapped, values, left, largest_error, low, high, decoded):
    """Undo :func:`map_residuals`, with the same arguments; return whether all numbers were in their range."""
    step = 2 * largest_error + 1
    valid = True
    for c in range(mapped.shape[0]):
        p = values[c] + _HALF
        if c:
            p += left * decoded[c - 1]
        p = max(min(p >> FRACTION_BITS, high), low)
        below = (p - low + largest_error) // step
        above = (high - p + largest_error) // step
        both = min(below, above)
        m = mapped[c]
        valid &= 0 <= m <= below + above
        if m > 2 * both:
            size = m - both if above > below else both - m
        elif m & 1:
            size = -((m + 1) >> 1)
        else:
            size = m >> 1
        decoded[c] = max(min(p + size * step, high), low)
    return valid
