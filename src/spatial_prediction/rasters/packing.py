"""How stored numbers are unpacked to DN: ``scale_factor`` and ``add_offset`` of CF, and what they may be."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Num

from spatial_prediction.errors import SceneError
from spatial_prediction.rasters.attributes import numbers, one_number, plain_name, shown, text
from spatial_prediction.rasters.offset import OFFSETS
from spatial_prediction.rasters.settings import ScaleSetting
from spatial_prediction.reflectance import DN_PER_REFLECTANCE

LARGEST_ROUNDING = 0.01
"""How far, in DN, a sample may lie from a whole number to be one."""

QUANTIFICATION_NAMES = {"quantificationvalue", "boaquantificationvalue", "reflectancequantificationvalue"}
"""Attributes that say what reflectance of 1 is stored as, without capitals and underscores."""

REFLECTANCE_UNITS = {"", "1", "-", "none", "dimensionless", "unitless", "reflectance"}

_REFLECTANCE_STEP = 0.001 * (1 + 1e-6)  # with the rounding of a float32 attribute


class Packing(NamedTuple):
    """How stored numbers become DN: ``(stored * scale + shift) * dn_per_unit``.

    Attributes:
        scale: ``scale_factor``.
        shift: ``add_offset``.
        dn_per_unit: 10,000 where unpacking gives reflectance, 1 where it gives DN.
    """

    scale: float
    shift: float
    dn_per_unit: int

    @property
    def takes_offset_off(self) -> bool:
        """Whether unpacking adds -1000 DN."""
        return abs(self.shift * self.dn_per_unit - OFFSETS[1]) < 0.5

    def unpack(self, stored: Num[np.ndarray, "..."]) -> Num[np.ndarray, "..."]:
        """Give DN: integers that are DN already as they are, float64 otherwise."""
        if self == NO_PACKING and stored.dtype.kind in "iu":
            return stored
        return (stored.astype(np.float64) * self.scale + self.shift) * self.dn_per_unit

    def in_words(self) -> str:
        """Say how samples are unpacked."""
        if self == NO_PACKING:
            return "taken as DN"
        words = f"unpacked by scale_factor={self.scale:.6g}, add_offset={self.shift:.6g}"
        return f"{words}, reflectance times 10000" if self.dn_per_unit != 1 else f"{words}, taken as DN"


NO_PACKING = Packing(1.0, 0.0, 1)
"""Of stored numbers that are DN."""


def is_packed(attributes: Mapping[str, Any]) -> bool:
    """Whether attributes of a band say how to unpack it.

    Raises:
        SceneError: they cannot be understood.
    """
    return stated_packing(attributes) != NO_PACKING


def stated_packing(attributes: Mapping[str, Any]) -> Packing:
    """Read the packing that attributes of a band state.

    Raises:
        SceneError: they cannot be understood, or give neither reflectance nor DN.
    """
    scale = one_number("scale_factor", attributes["scale_factor"]) if "scale_factor" in attributes else 1.0
    shift = one_number("add_offset", attributes["add_offset"]) if "add_offset" in attributes else 0.0
    units = text(attributes.get("units", ""))
    if scale == 1 and shift == 0:
        if units.lower() in ("%", "percent", "per cent"):
            raise SceneError(f"units={units!r}, and DN are no per cent; store reflectance x 10000")
        return NO_PACKING
    if 0 < scale <= _REFLECTANCE_STEP:
        if units.lower() not in REFLECTANCE_UNITS:
            raise SceneError(
                f"packed with scale_factor={scale:g} and units={units!r}, which are not those of "
                "reflectance; store reflectance, or correct the attribute"
            )
        return Packing(scale, shift, DN_PER_REFLECTANCE)
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
    return Packing(scale, shift, 1)


def set_packing(scale: ScaleSetting) -> Packing:
    """Give the packing that a setting stands for, other than ``"auto"``."""
    if scale == "dn":
        return NO_PACKING
    return Packing(1.0 if scale == "reflectance" else float(scale), 0.0, DN_PER_REFLECTANCE)


def check_quantification(attributes: Mapping[str, Any]) -> None:
    """Refuse samples that the product's own metadata call something else than reflectance x 10,000.

    Raises:
        SceneError: the message names the attribute.
    """
    for name, value in attributes.items():
        if plain_name(name) in QUANTIFICATION_NAMES and set(numbers(name, value)) - {DN_PER_REFLECTANCE}:
            raise SceneError(
                f"attribute {name}={shown(value)} says that a sample is reflectance x {shown(value)}; store "
                "reflectance x 10000, or give the band a scale_factor"
            )
