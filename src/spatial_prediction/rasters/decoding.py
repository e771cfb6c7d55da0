"""What stored samples mean: from the numbers in a raster file and its attributes to DN.

DN are reflectance x 10,000.

The conventions are those of netCDF (the User's Guide's attribute conventions) and CF, in this order:

1. ``_Unsigned`` says how the bits of an integer are read.
2. Missing values and the valid range are compared with these stored numbers, before unpacking. Only a range
   whose type is that of ``scale_factor`` and ``add_offset``, and not that of the stored integers, holds for
   unpacked values.
3. ``scale_factor`` and ``add_offset`` unpack. The result is reflectance, and taken times 10,000, where a
   stored step is worth 0.001 or less; it is DN where a stored step is worth 1 or more. In between lies per
   cent, among others: refused, as is a packing whose ``units`` are not those of reflectance.
   ``scale`` in place of ``"auto"`` says what stored numbers are, and no packing is looked at.
4. The offset of Sentinel-2's processing baseline 04.00 and later is added
   (``spatial_prediction.rasters.offset``), unless the packing has done so.

No file is opened here, so that all readers can share it.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Num

from spatial_prediction.errors import SceneError
from spatial_prediction.rasters.attributes import numbers, one_number, plain_name, shown, text
from spatial_prediction.rasters.offset import (
    OFFSETS,
    Offset,
    OffsetSetting,
    check_offset_setting,
    offset_hints,
    stated_offset,
)
from spatial_prediction.rasters.settings import (
    NodataSetting,
    ScaleSetting,
    check_nodata_setting,
    check_scale_setting,
)
from spatial_prediction.reflectance import DN_PER_REFLECTANCE

DN_RANGE = np.iinfo(np.int16)

LARGEST_ROUNDING = 0.01
"""How far, in DN, a sample may lie from a whole number to be one."""

MISSING_DN = -32768
"""What stands in integer DN where a sample is missing."""

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

QUANTIFICATION_NAMES = {"quantificationvalue", "boaquantificationvalue", "reflectancequantificationvalue"}
"""Attributes that say what reflectance of 1 is stored as, in the same spelling."""

REFLECTANCE_UNITS = {"", "1", "-", "none", "dimensionless", "unitless", "reflectance"}

_REFLECTANCE_STEP = 0.001 * (1 + 1e-6)  # with the rounding of a float32 attribute


@dataclasses.dataclass(frozen=True)
class Decoded:
    """Samples as DN, and what was decided on the way.

    Attributes:
        dn: the samples' shape. int16 where every sample present is a whole number (within 0.01) of 16 bits,
            with ``MISSING_DN`` at missing samples; otherwise float64 with NaN there.
        missing: True at missing samples; the samples' shape.
        declared: what is missing by declaration, attributes with their values; whether or not it occurs.
        missing_because: why samples are missing: attributes with their values, NaN.
        unpacked: the packing gives reflectance; DN that are not whole then may be rounded.
        offset: what was added beside the packing, or by it, and what says so.
        decided: how the samples were read, in words.
        undeclared_zeros: number of stored zeros, if some of them touch one another (2 x 2 or more) and
            nothing declares missing values that are numbers; 0 otherwise. Zero is the nodata of Sentinel-2's
            products, and many writers declare NaN without being asked.
        overruled: the attribute that states another offset than ``dataset.offset``; empty where none does.
        hints: what lets one suppose an offset that nothing states; empty where something states it.
    """

    dn: np.ndarray
    missing: Bool[np.ndarray, "..."]
    declared: tuple[str, ...]
    missing_because: tuple[str, ...]
    unpacked: bool
    offset: Offset
    decided: str
    undeclared_zeros: int
    overruled: str
    hints: tuple[str, ...]


class _Packing(NamedTuple):
    scale: float
    shift: float
    dn_per_unit: int

    @property
    def takes_offset_off(self) -> bool:
        """Whether unpacking adds -1000 DN."""
        return abs(self.shift * self.dn_per_unit - OFFSETS[1]) < 0.5


_NO_PACKING = _Packing(1.0, 0.0, 1)


def decode(
    samples: Num[np.ndarray, "..."],
    attributes: Mapping[str, Any],
    *,
    scene_attributes: Mapping[str, Any] | None = None,
    default_fill: float | None = None,
    offset: OffsetSetting = "auto",
    scale: ScaleSetting = "auto",
    nodata: NodataSetting = "auto",
    band: str | None = None,
) -> Decoded:
    """Decode the samples of a band.

    Args:
        samples: as stored; integers or floats, any shape. Masked ones are missing.
        attributes: of the band. Numbers may be given as text.
        scene_attributes: of the file. They may declare missing values and state an offset; no packing.
        default_fill: what the format puts where nothing was ever written. It is missing where the
            attributes have no ``_FillValue``. None where the format has no such value.
        offset: ``"auto"`` adds what the attributes state, and nothing where they state nothing; 0 and -1000
            add that whatever the attributes state. Where the packing adds -1000 DN, nothing more is added.
        scale: ``"auto"`` unpacks as the attributes say and takes what has no packing as DN; ``"dn"``,
            ``"reflectance"`` and a factor that gives reflectance hold in place of any packing.
        nodata: ``"auto"``: missing is what the attributes declare; a number: that too; ``"none"``: nothing
            but NaN and what lies outside the valid range.
        band: which it is, such as ``B02``; an offset stated for another band then says nothing of it.

    Raises:
        ConfigurationError: ``offset``, ``scale`` or ``nodata`` is another one.
        SceneError: the attributes contradict one another or cannot be understood, or floats are reflectance
            without a packing. The message begins with what was found and names no file.
    """
    check_offset_setting(offset)
    check_scale_setting(scale)
    check_nodata_setting(nodata)
    scene_attributes = scene_attributes or {}
    stored, sign = _signed_as_declared(samples, attributes)
    packing = _packing(attributes) if scale == "auto" else _set_packing(scale)
    if scale == "auto" and packing == _NO_PACKING:
        _check_quantification({**scene_attributes, **attributes})
    declared = [] if nodata == "none" else _missing_values(attributes) + _missing_values(scene_attributes)
    if isinstance(nodata, int | float):
        declared.append((f"nodata={nodata:g}", float(nodata)))
    fill = []
    if default_fill is not None and "_FillValue" not in attributes and nodata != "none":
        fill = [(f"the format's fill value {default_fill:g}", default_fill)]
    either_sign = "_Unsigned" in attributes  # then attributes may hold the numbers of the other sign
    missing, because = _missing(stored, [*declared, *fill], either_sign)
    if np.ma.is_masked(samples):
        missing |= np.ma.getmaskarray(samples)
        because.append("masked")
    for name, outside in _outside_valid_range(stored, attributes, packing, either_sign):
        if (outside & ~missing).any():
            because.append(name)
        missing |= outside

    added, overruled, hints = _offset(attributes, scene_attributes, packing, offset, band)
    values = _unpacked(stored, packing)
    if scale == "auto" and stored.dtype.kind == "f" and not missing.all():
        # Where the packing gives reflectance, floats as stored must be none: they were unpacked already.
        _check_not_reflectance((values if packing.dn_per_unit == 1 else stored)[~missing])
    if not packing.takes_offset_off and added.dn:
        values = values.astype(np.float64) + added.dn
    return Decoded(
        dn=_whole_where_possible(values, missing),
        missing=missing,
        declared=tuple(dict.fromkeys(name for name, _ in declared)),
        missing_because=tuple(because),
        unpacked=packing.dn_per_unit != 1,
        offset=added,
        decided=f"{samples.dtype.name}{sign}, {_in_words(packing)}",
        undeclared_zeros=0 if _can_mark(declared, stored.dtype, either_sign) else _zeros_that_touch(stored),
        overruled=overruled,
        hints=tuple(hints),
    )


def _signed_as_declared(samples: np.ndarray, attributes: Mapping[str, Any]) -> tuple[np.ndarray, str]:
    samples = np.asarray(samples, samples.dtype.newbyteorder("="))
    declared = attributes.get("_Unsigned")
    if declared is None or samples.dtype.kind not in "iu":
        return samples, ""
    kinds = {"true": "u", "false": "i"}
    if text(declared).lower() not in kinds:
        raise SceneError(
            f"attribute _Unsigned={shown(declared)} is neither true nor false; correct or remove it"
        )
    kind = kinds[text(declared).lower()]
    if samples.dtype.kind == kind:
        return samples, ""
    return samples.view(f"{kind}{samples.dtype.itemsize}"), f" with _Unsigned={text(declared)}"


def is_packed(attributes: Mapping[str, Any]) -> bool:
    """Whether attributes of a band say how to unpack it.

    Raises:
        SceneError: they cannot be understood.
    """
    return _packing(attributes) != _NO_PACKING


def _packing(attributes: Mapping[str, Any]) -> _Packing:
    scale = one_number("scale_factor", attributes["scale_factor"]) if "scale_factor" in attributes else 1.0
    shift = one_number("add_offset", attributes["add_offset"]) if "add_offset" in attributes else 0.0
    units = text(attributes.get("units", ""))
    if scale == 1 and shift == 0:
        if units.lower() in ("%", "percent", "per cent"):
            raise SceneError(f"units={units!r}, and DN are no per cent; store reflectance x 10000")
        return _NO_PACKING
    if 0 < scale <= _REFLECTANCE_STEP:
        if units.lower() not in REFLECTANCE_UNITS:
            raise SceneError(
                f"packed with scale_factor={scale:g} and units={units!r}, which are not those of "
                "reflectance; store reflectance, or correct the attribute"
            )
        return _Packing(scale, shift, DN_PER_REFLECTANCE)
    if scale < 1:
        raise SceneError(
            f"packed with scale_factor={scale:g}, which gives neither reflectance (above 0, at most 0.001) "
            "nor DN (at least 1); store reflectance x 10000 without packing, or with scale_factor=0.0001"
        )
    if not shift.is_integer():
        raise SceneError(
            f"packed with add_offset={shift:g} and scale_factor={scale:g}, which gives neither reflectance "
            "nor whole DN; correct the attributes"
        )
    return _Packing(scale, shift, 1)


def _set_packing(scale: ScaleSetting) -> _Packing:
    if scale == "dn":
        return _NO_PACKING
    return _Packing(1.0 if scale == "reflectance" else float(scale), 0.0, DN_PER_REFLECTANCE)


def _check_quantification(attributes: Mapping[str, Any]) -> None:
    """Refuse samples that the product's own metadata call something else than reflectance x 10,000."""
    for name, value in attributes.items():
        if plain_name(name) in QUANTIFICATION_NAMES and set(numbers(name, value)) - {DN_PER_REFLECTANCE}:
            raise SceneError(
                f"attribute {name}={shown(value)} says that a sample is reflectance x {shown(value)}; store "
                "reflectance x 10000, or give the band a scale_factor"
            )


def _in_words(packing: _Packing) -> str:
    if packing == _NO_PACKING:
        return "taken as DN"
    words = f"unpacked by scale_factor={packing.scale:.6g}, add_offset={packing.shift:.6g}"
    return f"{words}, reflectance times 10000" if packing.dn_per_unit != 1 else f"{words}, taken as DN"


def _missing_values(attributes: Mapping[str, Any]) -> list[tuple[str, float]]:
    return [
        (f"{name}={shown(value)}", number)
        for name, value in attributes.items()
        if plain_name(name) in MISSING_NAMES
        for number in numbers(name, value)
    ]


def _missing(
    stored: np.ndarray, values: list[tuple[str, float]], either_sign: bool
) -> tuple[np.ndarray, list[str]]:
    """Find samples equal to one of ``values``, and why each value counts as missing."""
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


def _can_mark(values: list[tuple[str, float]], dtype: np.dtype, either_sign: bool) -> bool:
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


def _outside_valid_range(
    stored: np.ndarray, attributes: Mapping[str, Any], packing: _Packing, either_sign: bool
) -> list[tuple[str, np.ndarray]]:
    """Find samples below and above the valid range, with the attribute that says so."""
    found = []
    for name, limit, side in _valid_limits(attributes):
        tolerance = 0.0
        if _is_of_unpacked(attributes[name], attributes, stored.dtype, packing):
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


def _is_of_unpacked(value: Any, attributes: Mapping[str, Any], stored: np.dtype, packing: _Packing) -> bool:
    """Whether a limit of the valid range is one of unpacked values, by its type."""
    packed_with = [attributes[name] for name in ("scale_factor", "add_offset") if name in attributes]
    kinds = [np.asarray(each).dtype for each in packed_with]
    if packing == _NO_PACKING or not all(kind.kind in "iuf" for kind in kinds):
        return False
    own = np.asarray(value).dtype
    wider = own.itemsize > stored.itemsize or (own.kind == "f" and stored.kind in "iu")
    return own == np.result_type(*kinds) and wider


def _offset(
    attributes: Mapping[str, Any],
    scene_attributes: Mapping[str, Any],
    packing: _Packing,
    setting: OffsetSetting,
    band: str | None,
) -> tuple[Offset, str, list[str]]:
    """Decide the offset; give what contradicts it, and what hints at one where nothing states it."""
    if packing.takes_offset_off:
        return Offset(OFFSETS[1], f"add_offset={shown(attributes['add_offset'])}"), "", []
    if setting == "auto":
        if stated := stated_offset(attributes, scene_attributes, band=band):
            return stated, "", []
        return Offset(0, None), "", offset_hints(attributes, scene_attributes)
    try:
        stated = stated_offset(attributes, scene_attributes, band=band)
    except SceneError:
        stated = None  # what the setting is there to settle
    overruled = (stated.stated_by or "") if stated and stated.dn != setting else ""
    return Offset(setting, "dataset.offset"), overruled, []


def _check_not_reflectance(values: np.ndarray) -> None:
    """Refuse floats most of which would be rounded to zeros, ones and twos."""
    small = np.abs(values) <= 2
    if small.mean() > 0.5 and (values[small] != np.rint(values[small])).any():
        raise SceneError(
            f"holds {values[small].min():.6g} to {values[small].max():.6g}: reflectance, not DN; store DN, "
            "that is reflectance x 10000, rounded, integers with scale_factor=0.0001, or "
            "say what they are (scale, --scale)"
        )


def _unpacked(stored: np.ndarray, packing: _Packing) -> np.ndarray:
    """Give integers that are DN as they are, float64 otherwise."""
    if packing == _NO_PACKING and stored.dtype.kind in "iu":
        return stored
    return (stored.astype(np.float64) * packing.scale + packing.shift) * packing.dn_per_unit


def _whole_where_possible(values: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Give int16 if every sample present is a whole number of 16 bits, float64 otherwise."""
    gaps = missing.any()
    present = values[~missing] if gaps else values
    whole = np.rint(present) if values.dtype.kind == "f" else present
    fits = not present.size or (DN_RANGE.min <= whole.min() and whole.max() <= DN_RANGE.max)
    if fits and (whole is present or (np.abs(present - whole) <= LARGEST_ROUNDING).all()):
        if not gaps:
            return whole.astype(np.int16)
        dn = np.full(values.shape, MISSING_DN, np.int16)
        dn[~missing] = whole
        return dn
    return np.where(missing, np.nan, values)


def _zeros_that_touch(stored: np.ndarray) -> int:
    """Count zeros, if four of them make a square."""
    zero = stored == 0
    if zero.ndim < 2:
        return 0
    rows = zero[..., 1:, :] & zero[..., :-1, :]
    squares = rows[..., :, 1:] & rows[..., :, :-1]
    return int(np.count_nonzero(zero)) if squares.any() else 0
