"""Least squares in integers: normal equations gathered, forgotten and solved with 64-bit numbers only."""

from typing import no_type_check

import numpy as np

from spatial_prediction.compression._compiled import compiled
from spatial_prediction.compression._protocol import FRACTION_BITS

WEIGHT_BITS = FRACTION_BITS
"""Fractional bits of the solution and of factors on the way to it."""
LARGEST_WEIGHT = 64
RIDGE_SHIFT = 17
"""The ridge is 2**-17 of the mean of the diagonal, which settles what the data leave open."""
_LARGEST_DIAGONAL_BITS = 30


@compiled
@no_type_check
def gather(features, targets, forgetting, normal, right):
    """Let old equations fade by ``2**-forgetting`` and add those of new examples.

    Args:
        features: (unknowns, examples) int32, below 2**18 in magnitude.
        targets: (examples,) int32, likewise.
        forgetting: bits.
        normal: (unknowns, unknowns) int64, whose lower triangle is kept.
        right: (unknowns,) int64.
    """
    unknowns, examples = features.shape
    for i in range(unknowns):
        for j in range(i + 1):
            total = 0
            for n in range(examples):
                total += np.int64(features[i, n]) * np.int64(features[j, n])
            normal[i, j] += total - (normal[i, j] >> forgetting)
        total = 0
        for n in range(examples):
            total += np.int64(features[i, n]) * np.int64(targets[n])
        right[i] += total - (right[i] >> forgetting)


@compiled
@no_type_check
def solve(normal, right, weights):
    """Solve the equations, with a ridge, into ``weights`` (unknowns,) int64 with ``WEIGHT_BITS``.

    A decomposition into triangular factors and a diagonal, in fixed point. Integers would wrap around rather
    than end the program if they ever left their range, so the result is the same everywhere, whatever it is.
    """
    unknowns = len(right)
    trace, largest = 0, 1
    for i in range(unknowns):
        trace += normal[i, i]
        largest = max(largest, normal[i, i])
    shift = 0
    while largest >> shift >= 1 << _LARGEST_DIAGONAL_BITS:
        shift += 1
    ridge = ((trace // unknowns) >> (shift + RIDGE_SHIFT)) + 1
    lower = np.zeros((unknowns, unknowns), np.int64)
    product = np.zeros((unknowns, unknowns), np.int64)  # of lower and diagonal
    diagonal = np.zeros(unknowns, np.int64)
    largest_weight = LARGEST_WEIGHT << WEIGHT_BITS
    for i in range(unknowns):
        for j in range(i):
            value = normal[i, j] >> shift
            for k in range(j):
                value -= (lower[j, k] * product[i, k]) >> WEIGHT_BITS
            product[i, j] = value
            factor = (value << WEIGHT_BITS) // diagonal[j]
            lower[i, j] = max(min(factor, largest_weight << 4), -(largest_weight << 4))
        value = (normal[i, i] >> shift) + ridge
        for k in range(i):
            value -= (lower[i, k] * product[i, k]) >> WEIGHT_BITS
        diagonal[i] = max(value, ridge)
    for i in range(unknowns):
        value = right[i] >> shift
        for k in range(i):
            value -= (lower[i, k] * weights[k]) >> WEIGHT_BITS
        weights[i] = value
    for i in range(unknowns - 1, -1, -1):
        value = (weights[i] << WEIGHT_BITS) // diagonal[i]
        for k in range(i + 1, unknowns):
            value -= (lower[k, i] * weights[k]) >> WEIGHT_BITS
        weights[i] = max(min(value, largest_weight), -largest_weight)
