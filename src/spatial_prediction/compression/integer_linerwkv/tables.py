"""Tables of functions in integers, the same on every machine.

They are computed in decimal arithmetic with digits to spare, which is specified to the last digit, rather
than in floating point, whose exponentials differ from library to library.
"""

import functools
import math
from collections.abc import Callable
from decimal import Context, Decimal, localcontext

import numpy as np

GATE_BITS = 15
"""Fractional bits of gates, 0 to 2**15."""
STREAM_BITS = 12
"""Fractional bits of the features between blocks."""
LOG_BITS = 16
"""Fractional bits of log weights."""
LOG_INDEX_BITS = 8
"""Fractional bits of the arguments of ``SIGMOID`` and ``SOFTPLUS``."""
GELU_INDEX_BITS = 9
"""Fractional bits of the argument of ``GELU_DEFICIT``."""
ENTRIES = 4096
"""Entries of each of them."""
ROOT_FIRST = 1024
"""Argument of the first entry of :func:`inverse_roots`, which goes to four times that."""

_CONTEXT = Context(prec=60)
_ROOT_OF_TWO_PI = Decimal("2.50662827463100050241576528481104525300698674060993831663")


@functools.cache
def sigmoid() -> np.ndarray:
    """Return ``1 / (1 + exp(-i / 256))`` with 15 fractional bits, int32."""
    return _table(lambda i: 2**GATE_BITS / (1 + (-Decimal(i) / 2**LOG_INDEX_BITS).exp()))


@functools.cache
def softplus() -> np.ndarray:
    """Return ``log(1 + exp(-i / 256))`` with 16 fractional bits, int32."""
    return _table(lambda i: 2**LOG_BITS * (1 + (-Decimal(i) / 2**LOG_INDEX_BITS).exp()).ln())


@functools.cache
def gelu_deficit() -> np.ndarray:
    """Return ``max(x, 0) - gelu(x)`` at ``x = ±i / 512`` with 12 fractional bits, int32."""

    def deficit(i: int) -> Decimal:
        x = Decimal(i) / 2**GELU_INDEX_BITS
        # The distribution function by its series: x - x^3 / (2 * 3) + x^5 / (2 * 4 * 5) - …
        term, total, n = x, Decimal(0), 0
        while abs(term) > Decimal("1e-12") or n < x * x:
            total += term / (2 * n + 1)
            n += 1
            term *= -x * x / (2 * n)
        return 2**STREAM_BITS * x * (Decimal("0.5") - total / _ROOT_OF_TWO_PI)

    return _table(deficit)


@functools.cache
def inverse_roots(features: int) -> np.ndarray:
    """Return ``sqrt(features / (i + 0.5))`` for i = 1024 … 4095 with 20 fractional bits, int32."""
    entries = []
    for i in range(ROOT_FIRST, 4 * ROOT_FIRST):
        four_times_square = (features << 43) // (2 * i + 1)
        entries.append((math.isqrt(four_times_square) + 1) // 2)
    return _frozen(entries)


def exponential(x: np.ndarray) -> list[Decimal]:
    """Return exp of each number of a vector, to 60 digits."""
    with localcontext(_CONTEXT):
        return [Decimal(float(each)).exp() for each in x]


def _table(function: Callable[[int], Decimal]) -> np.ndarray:
    with localcontext(_CONTEXT):
        return _frozen([int(function(i).to_integral_value()) for i in range(ENTRIES)])


def _frozen(entries: list[int]) -> np.ndarray:
    table = np.array(entries, np.int32)
    table.flags.writeable = False
    return table
