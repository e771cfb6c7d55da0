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
from typing import Any

import numpy as np
from jaxtyping import Bool, Num

from spatial_prediction.errors import SceneError
from spatial_prediction.rasters.attributes import shown, text
from spatial_prediction.rasters.missing import can_mark, find_missing, missing_values, outside_valid_range
from spatial_prediction.rasters.offset import (
    OFFSETS,
    Offset,
    OffsetSetting,
    check_offset_setting,
    offset_hints,
    stated_offset,
)
from spatial_prediction.rasters.packing import (
    LARGEST_ROUNDING,
    NO_PACKING,
    Packing,
    check_quantification,
    set_packing,
    stated_packing,
)
from spatial_prediction.rasters.settings import (
    NodataSetting,
    ScaleSetting,
    check_nodata_setting,
    check_scale_setting,
)

DN_RANGE = np.iinfo(np.int16)

MISSING_DN = -32768
"""What stands in integer DN where a sample is missing."""


@dataclasses.dataclass(frozen=True)
class Decoded:
    """Samples as DN, and what was decided on the way.

    Attributes:
        dn: the samples' shape. int16 where every sample present is a whole number (within 0.01) of 16 bits,
            with ``MISSING_DN`` at missing samples; otherwise, or where no rounding was asked for, float64
            with NaN there.
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
    round_to_whole: bool = True,
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
        round_to_whole: give int16 where all samples are whole within 0.01. What is given for a sample then
            depends on the others, by less than that.

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
    packing = stated_packing(attributes) if scale == "auto" else set_packing(scale)
    if scale == "auto" and packing == NO_PACKING:
        check_quantification({**scene_attributes, **attributes})
    declared = [] if nodata == "none" else missing_values(attributes) + missing_values(scene_attributes)
    if isinstance(nodata, int | float):
        declared.append((f"nodata={nodata:g}", float(nodata)))
    fill = []
    if default_fill is not None and "_FillValue" not in attributes and nodata != "none":
        fill = [(f"the format's fill value {default_fill:g}", default_fill)]
    either_sign = "_Unsigned" in attributes  # then attributes may hold the numbers of the other sign
    missing, because = find_missing(stored, [*declared, *fill], either_sign)
    if np.ma.is_masked(samples):
        missing |= np.ma.getmaskarray(samples)
        because.append("masked")
    for name, outside in outside_valid_range(stored, attributes, packing, either_sign):
        if (outside & ~missing).any():
            because.append(name)
        missing |= outside

    added, overruled, hints = _offset(attributes, scene_attributes, packing, offset, band)
    values = packing.unpack(stored)
    if scale == "auto" and stored.dtype.kind == "f" and not missing.all():
        # Where the packing gives reflectance, floats as stored must be none: they were unpacked already.
        _check_not_reflectance((values if packing.dn_per_unit == 1 else stored)[~missing])
    if not packing.takes_offset_off and added.dn:
        values = values.astype(np.float64) + added.dn
    return Decoded(
        dn=_whole_where_possible(values, missing) if round_to_whole else _with_nan(values, missing),
        missing=missing,
        declared=tuple(dict.fromkeys(name for name, _ in declared)),
        missing_because=tuple(because),
        unpacked=packing.dn_per_unit != 1,
        offset=added,
        decided=f"{samples.dtype.name}{sign}, {packing.in_words()}",
        undeclared_zeros=0 if can_mark(declared, stored.dtype, either_sign) else _zeros_that_touch(stored),
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


def _offset(
    attributes: Mapping[str, Any],
    scene_attributes: Mapping[str, Any],
    packing: Packing,
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
    return _with_nan(values, missing)


def _with_nan(values: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Give float64 with NaN at missing samples."""
    return np.where(missing, np.nan, values)


def _zeros_that_touch(stored: np.ndarray) -> int:
    """Count zeros, if four of them make a square."""
    zero = stored == 0
    if zero.ndim < 2:
        return 0
    rows = zero[..., 1:, :] & zero[..., :-1, :]
    squares = rows[..., :, 1:] & rows[..., :, :-1]
    return int(np.count_nonzero(zero)) if squares.any() else 0
