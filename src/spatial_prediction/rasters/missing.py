"""Which samples are missing, by what attributes declare: single values, and a valid range."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from spatial_prediction.errors import SceneError
from spatial_prediction.rasters.attributes import numbers, plain_name, shown
from spatial_prediction.rasters.packing import LARGEST_ROUNDING, NO_PACKING, Packing

MISSING_NAMES = {
    "fillvalue",
    "missingvalue",
    "missingvalues",
    "nodata",
    "nodatavalue",
    "nodatavalues",
    "nodatavals",
    "gdalnodata",
    "dataignorevalue",
}
"""Attributes that declare missing values, without capitals and underscores."""


def missing_values(attributes: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Give the numbers that mark missing samples, each with the attribute that says so.

    Raises:
        SceneError: an attribute holds no numbers.
    """
    return [
        (f"{name}={shown(value)}", number)
        for name, value in attributes.items()
        if plain_name(name) in MISSING_NAMES
        for number in numbers(name, value)
    ]


def find_missing(
    stored: np.ndarray, values: list[tuple[str, float]], either_sign: bool
) -> tuple[np.ndarray, list[str]]:
    """Find samples equal to one of ``values``, and why each value counts as missing.

    Args:
        stored: the samples.
        values: as ``missing_values`` gives them.
        either_sign: the values may be the numbers that the same bits are in the other sign.

    Returns:
        True at missing samples, NaN and infinite ones among them; and the reasons that occur.
    """
    because: dict[str, None] = {}
    missing = ~np.isfinite(stored) if stored.dtype.kind == "f" else np.zeros(stored.shape, bool)
    if missing.any():
        because["NaN or infinite"] = None
    for name, value in values:
        comparable = _as_stored(value, stored.dtype, either_sign)
        if comparable is None:
            continue
        equal = stored == comparable
        if equal.any():
            because[name] = None
        missing |= equal
    return missing, list(because)


def can_mark(values: list[tuple[str, float]], dtype: np.dtype, either_sign: bool) -> bool:
    """Whether one of ``values`` is a number that a sample can have."""
    return any(
        np.isfinite(value) and _as_stored(value, dtype, either_sign) is not None for _, value in values
    )


def _as_stored(value: float, dtype: np.dtype, either_sign: bool) -> np.generic | None:
    """Give ``value`` in the samples' type; None where no sample can be equal to it."""
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            return dtype.type(value)
    value = _same_bits(value, dtype) if either_sign else value
    limits = np.iinfo(dtype)
    if not value.is_integer() or not limits.min <= value <= limits.max:
        return None
    return dtype.type(int(value))


def _same_bits(value: float, dtype: np.dtype) -> float:
    """Give the number that has the bits of ``value`` in ``dtype``, where ``value`` was of the other sign."""
    span = 2.0 ** (8 * dtype.itemsize)
    if dtype.kind == "u" and -span / 2 <= value < 0:
        return value + span
    if dtype.kind == "i" and span / 2 <= value < span:
        return value - span
    return value


def outside_valid_range(
    stored: np.ndarray, attributes: Mapping[str, Any], packing: Packing, either_sign: bool
) -> list[tuple[str, np.ndarray]]:
    """Find samples below and above the valid range, with the attribute that says so.

    Args:
        stored: the samples.
        attributes: of the band.
        packing: of the samples; a range of the type of unpacked values is compared with those.
        either_sign: as for ``find_missing``.

    Raises:
        SceneError: the range is not one of numbers.
    """
    found = []
    for name, limit, side in _valid_limits(attributes):
        tolerance = 0.0
        if _is_ofunpacked(attributes[name], attributes, stored.dtype, packing):
            limit, tolerance = (limit - packing.shift) / packing.scale, LARGEST_ROUNDING
        elif stored.dtype.kind == "f":
            limit = float(stored.dtype.type(limit))
        elif either_sign:
            limit = _same_bits(limit, stored.dtype)
        outside = stored < limit - tolerance if side < 0 else stored > limit + tolerance
        found.append((f"outside {name}={shown(attributes[name])}", outside))
    return found


def _valid_limits(attributes: Mapping[str, Any]) -> list[tuple[str, float, int]]:
    """Give attribute, limit and side (-1: the least, 1: the largest) of the valid range."""
    names = ("valid_range",) if "valid_range" in attributes else ("valid_min", "valid_max")
    sides = {"valid_range": (-1, 1), "valid_min": (-1,), "valid_max": (1,)}
    limits = []
    for name in names:
        if name not in attributes:
            continue
        values = numbers(name, attributes[name])
        if len(values) != len(sides[name]) or np.isnan(values).any():
            count = "one number" if len(sides[name]) == 1 else "two numbers"
            raise SceneError(
                f"attribute {name}={shown(attributes[name])!r} must be {count}; "
                "correct or remove the attribute"
            )
        limits += [(name, value, side) for value, side in zip(values, sides[name], strict=True)]
    return limits


def _is_ofunpacked(value: Any, attributes: Mapping[str, Any], stored: np.dtype, packing: Packing) -> bool:
    """Whether a limit of the valid range is one of unpacked values, by its type."""
    packed_with = [attributes[name] for name in ("scale_factor", "add_offset") if name in attributes]
    kinds = [np.asarray(each).dtype for each in packed_with]
    if packing == NO_PACKING or not all(kind.kind in "iuf" for kind in kinds):
        return False
    own = np.asarray(value).dtype
    wider = own.itemsize > stored.itemsize or (own.kind == "f" and stored.kind in "iu")
    return own == np.result_type(*kinds) and wider
