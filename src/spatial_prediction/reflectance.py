"""How satellite products store reflectance, and how networks take it.

Products have digital numbers (DN), whole and of 16 bits. Networks take and give reflectance scaled so that
0 to 1 becomes -1 to 1, which is DN / 5000 - 1. Arrays may be of NumPy or JAX.
"""

from typing import Any

DN_PER_REFLECTANCE = 10_000
"""Digital numbers per unit of reflectance in Sentinel-2 products."""

DN_PER_HALF_UNIT = DN_PER_REFLECTANCE // 2
"""Digital numbers per unit of what networks take."""


def scaled_from_dn(dn: Any) -> Any:
    """Turn DN, as floating numbers, into what networks take."""
    return dn * (1 / DN_PER_HALF_UNIT) - 1


def dn_from_scaled(scaled: Any) -> Any:
    """Turn what networks give into DN, not rounded."""
    return (scaled + 1) * DN_PER_HALF_UNIT


def reflectance_from_scaled(scaled: Any) -> Any:
    """Turn what networks take or give into reflectance."""
    return (scaled + 1) / 2
