"""What a user may say of samples where files do not: their scale and what is missing.

The third such setting is in ``spatial_prediction.rasters.offset``.
"""

import math
from typing import Literal

from spatial_prediction.errors import ConfigurationError

ScaleSetting = Literal["auto", "dn", "reflectance"] | int | float
"""What stored numbers are: ``auto``, what the packing says, or else DN; a number: what gives reflectance."""

NodataSetting = Literal["auto", "none"] | int | float
"""What is missing: ``auto``, what is declared; ``none``, only NaN; or this number and what is declared."""


def check_scale_setting(setting: object) -> None:
    """Raise ConfigurationError where ``setting`` is none of ``ScaleSetting``."""
    if setting in ("auto", "dn", "reflectance"):
        return
    if isinstance(setting, bool) or not isinstance(setting, int | float) or not 0 < setting < math.inf:
        raise ConfigurationError(
            f"scale={setting!r}: must be 'auto', 'dn', 'reflectance' or a factor above 0 that gives it"
        )


def check_nodata_setting(setting: object) -> None:
    """Raise ConfigurationError where ``setting`` is none of ``NodataSetting``."""
    if setting in ("auto", "none"):
        return
    if isinstance(setting, bool) or not isinstance(setting, int | float):
        raise ConfigurationError(f"nodata={setting!r}: must be 'auto', 'none' or a number")


def as_scale_setting(value: str) -> ScaleSetting:
    """Read a setting from text: ``auto``, ``dn``, ``reflectance`` or a number.

    Raises:
        ConfigurationError: it is none of them.
    """
    setting: ScaleSetting = _number_or_text(value)  # type: ignore[assignment]
    check_scale_setting(setting)
    return setting


def as_nodata_setting(value: str) -> NodataSetting:
    """Read a setting from text: ``auto``, ``none`` or a number.

    Raises:
        ConfigurationError: it is none of them.
    """
    setting: NodataSetting = _number_or_text(value)  # type: ignore[assignment]
    check_nodata_setting(setting)
    return setting


def _number_or_text(value: str) -> float | str:
    try:
        return float(value)
    except ValueError:
        return value
