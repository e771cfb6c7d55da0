"""Prediction and quantisation pixel by pixel (CCSDS 123.0-B-2, clause 4), compiled.

Samples are counted from the smallest, s_min, which the standard's formulas allow: they only know differences
of samples, but for the relative error limit. At a pixel, local sums, directional differences and the update
of weights take all bands at once; in between, each band waits for the central differences of those before it.
Indices of pixels, weights and differences have the band last, so that loops over bands run through memory.
"""

from typing import NamedTuple, no_type_check

import numpy as np

from spatial_prediction.compression._compiled import compiled


class Constants(NamedTuple):
    """What compiled loops know of the parameters; integers and truth values."""

    D: int
    P: int
    R: int
    Omega: int
    Theta: int
    t_inc: int
    v_min: int
    v_max: int
    directional: int
    wide: bool
    column: bool
    offsets: bool
    relative: bool
    smallest: int


@compiled
@no_type_check
def predict(
    samples,
    indices,
    decoding,
    rows_before,
    constants,
    limits,
    damping,
    offset,
    offsets,
    weights,
    representatives,
):
    """Fill ``indices`` from ``samples``, or ``samples`` from ``indices`` where ``decoding``.

    Args:
        samples: (rows, columns, bands), uint32.
        indices: Mapped quantiser indices, likewise.
        decoding: Which of both is known.
        rows_before: Rows that earlier calls took.
        constants: Of the whole image.
        limits: (2, bands): absolute error limits, and relative ones in units of 2^-D.
        damping: phi of each band.
        offset: psi of each band.
        offsets: (components, bands): zeta.
        weights: (components, bands): directional ones first; those of the next pixel when done.
        representatives: (2 columns, 1 + bands): sample representatives of the last two rows, rows of even
            number in the first half; s_mid stands before the first band.

    Returns:
        Whether an encoder may have written the indices.
    """
    D, P, Omega, directional = constants.D, constants.P, constants.Omega, constants.directional
    rows, columns, bands = samples.shape
    components = directional + P
    smallest, largest, middle = constants.smallest, (np.int64(1) << D) - 1, np.int64(1) << (D - 1)
    spare = 64 - constants.R
    high_base = (middle << (Omega + 2)) + (np.int64(1) << (Omega + 1))
    high_largest = (largest << (Omega + 2)) + (np.int64(1) << (Omega + 1))
    weight_smallest, weight_largest = -(np.int64(1) << (Omega + 2)), (np.int64(1) << (Omega + 2)) - 1
    representing = constants.Theta > 0
    representative_shift = Omega + constants.Theta + 1

    sums = np.zeros(bands, np.int64)
    products = np.zeros(bands, np.int64)
    signs = np.zeros(bands, np.int64)
    differences = np.zeros((3, bands), np.int64)  # directional
    central = np.zeros(P + bands, np.int64)  # that of band z stands at P + z
    right = True

    for row in range(rows):
        y = rows_before + row
        current = (y & 1) * columns
        previous = columns - current
        for x in range(columns):
            t = y * columns + x
            here = current + x
            if t == 0:
                for z in range(bands):
                    predicted = middle if z == 0 or P == 0 else representatives[0, z]
                    theta = min(predicted, largest - predicted)
                    if decoding:
                        index = np.int64(indices[0, 0, z])
                        quantised = _unmapped(index, predicted, largest - predicted, theta, np.int64(0))
                        sample = predicted + quantised
                        right &= 0 <= sample <= largest
                        sample = min(max(sample, 0), largest)
                        samples[0, 0, z] = sample
                    else:
                        sample = np.int64(samples[0, 0, z])
                        indices[0, 0, z] = _mapped(sample - predicted, theta, np.int64(0))
                    representatives[0, z + 1] = sample
                continue

            # Neighbours, and what stands for those that do not exist.
            north, west, northwest, northeast = previous + x, here - 1, previous + x - 1, previous + x + 1
            bands_before = 0
            if y == 0:
                north = northwest = northeast = west
                bands_before = 0 if constants.wide else 1
                west_difference = northwest_difference = west
            else:
                if x == 0:
                    west_difference = northwest_difference = north
                    west, northwest = north, northeast
                else:
                    west_difference, northwest_difference = west, northwest
                if x == columns - 1:
                    northeast = north if constants.wide else northwest
                if constants.column:
                    west = northwest = northeast = north
                elif not constants.wide:
                    west = north

            shift = 1 - bands_before
            for z in range(bands):
                sums[z] = (
                    representatives[west, shift + z]
                    + representatives[northwest, shift + z]
                    + representatives[north, shift + z]
                    + representatives[northeast, shift + z]
                )
            for z in range(bands):
                products[z] = (sums[z] - (middle << 2)) << Omega
            if directional and y > 0:
                for z in range(bands):
                    differences[0, z] = (representatives[north, 1 + z] << 2) - sums[z]
                    differences[1, z] = (representatives[west_difference, 1 + z] << 2) - sums[z]
                    differences[2, z] = (representatives[northwest_difference, 1 + z] << 2) - sums[z]
                for z in range(bands):
                    products[z] += (
                        weights[0, z] * differences[0, z]
                        + weights[1, z] * differences[1, z]
                        + weights[2, z] * differences[2, z]
                    )

            for z in range(bands):
                product = products[z]
                for i in range(P, 0, -1):
                    product += weights[directional + i - 1, z] * central[P + z - i]
                high = ((product << spare) >> spare) + high_base
                high = min(max(high, 0), high_largest)
                double = high >> (Omega + 1)
                predicted = double >> 1
                limit = limits[0, z]
                if constants.relative:
                    limit = min(limit, (limits[1, z] * abs(predicted + smallest)) >> D)
                above = largest - predicted
                if limit == 0:
                    theta = min(predicted, above)
                    if decoding:
                        index = np.int64(indices[row, x, z])
                        quantised = _unmapped(index, predicted, above, theta, double)
                        value = predicted + quantised
                        right &= (value >= 0) & (value <= largest)
                        value = min(max(value, 0), largest)
                    else:
                        value = np.int64(samples[row, x, z])
                        quantised = value - predicted
                        indices[row, x, z] = _mapped(quantised, theta, double)
                else:
                    step = 2 * limit + 1
                    below, above = (predicted + limit) // step, (above + limit) // step
                    theta = min(below, above)
                    if decoding:
                        index = np.int64(indices[row, x, z])
                        quantised = _unmapped(index, below, above, theta, double)
                        right &= (quantised >= -below) & (quantised <= above)
                    else:
                        error = np.int64(samples[row, x, z]) - predicted
                        quantised = (abs(error) + limit) // step
                        quantised = -quantised if error < 0 else quantised
                        indices[row, x, z] = _mapped(quantised, theta, double)
                    value = min(max(predicted + quantised * step, 0), largest)
                if decoding:
                    samples[row, x, z] = value
                signs[z] = (2 * value - double) >> 63
                if representing:
                    centre = value << Omega
                    if quantised != 0:
                        inward = (limit * offset[z]) << (Omega - constants.Theta)
                        centre -= inward if quantised > 0 else -inward
                    value = 4 * ((1 << constants.Theta) - damping[z]) * centre
                    value += damping[z] * (high - (np.int64(1) << (Omega + 1)))
                    value = ((value >> representative_shift) + 1) >> 1
                representatives[here, 1 + z] = value
                central[P + z] = (value << 2) - sums[z]

            exponent = (t - columns) >> constants.t_inc
            exponent = min(max(constants.v_min + exponent, constants.v_min), constants.v_max) + D - Omega
            up, down = max(-exponent, 0), max(exponent, 0)
            for c in range(components):
                is_central = c >= directional
                if is_central or y > 0:
                    start = P - 1 - (c - directional)
                    inputs = central[start : start + bands] if is_central else differences[c]
                    if constants.offsets:
                        for z in range(bands):
                            changed = exponent + offsets[c, z]
                            u = (inputs[z] ^ signs[z]) - signs[z]
                            u = ((((u << max(-changed, 0)) >> max(changed, 0)) + 1) >> 1) + weights[c, z]
                            weights[c, z] = min(max(u, weight_smallest), weight_largest)
                    else:
                        for z in range(bands):
                            u = (inputs[z] ^ signs[z]) - signs[z]
                            u = ((((u << up) >> down) + 1) >> 1) + weights[c, z]
                            weights[c, z] = min(max(u, weight_smallest), weight_largest)
    return right


@compiled
@no_type_check
def _mapped(quantised, theta, double):
    """Mapped index (55): as far as both signs are possible they alternate, then only one remains."""
    magnitude = abs(quantised)
    odd = np.int64((quantised if double & 1 == 0 else -quantised) < 0)
    return magnitude + theta if magnitude > theta else 2 * magnitude - odd


@compiled
@no_type_check
def _unmapped(index, below, above, theta, double):
    """Quantiser index of a mapped one; ``below`` and ``above`` are the largest of either sign."""
    if index > 2 * theta:
        return index - theta if below < above else theta - index
    magnitude = (index + 1) >> 1
    return -magnitude if (index ^ double) & 1 else magnitude
