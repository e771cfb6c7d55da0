"""Whether DN carry +1000, by what a file says of itself.

From processing baseline 04.00 on, Sentinel-2 products store reflectance x 10,000 + 1,000. What is to be
added to such DN, -1000, stands in the products' metadata as ``BOA_ADD_OFFSET`` (Level-2A) or
``RADIO_ADD_OFFSET`` (Level-1C). A number of a baseline from 04.00 on says little by itself: harmonised
products keep it when the 1,000 have been subtracted. A date says nothing at all.
"""

import contextlib
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple, cast

from spatial_prediction.errors import ConfigurationError, SceneError
from spatial_prediction.rasters.attributes import numbers, plain_name, shown, text, yes_or_no

OffsetSetting = Literal["auto", 0, -1000]
"""What ``dataset.offset`` may be."""

OFFSETS = (0, -1000)
"""What may be added to stored DN, beside their packing."""

FIRST_BASELINE_WITH_OFFSET = 4.0

_BAND_OF_COLOUR = {"blue": "B02", "green": "B03", "red": "B04"}

_PRODUCT_NAME = re.compile(r"_N(\d{4})_")


class Offset(NamedTuple):
    """What was added to the DN of a band, beside their packing.

    Attributes:
        dn: 0 or -1000.
        stated_by: what says so: an attribute with its value, or ``dataset.offset``; None where nothing does.
    """

    dn: int
    stated_by: str | None


def stated_offset(*attributes: Mapping[str, Any], band: str | None = None) -> Offset | None:
    """Find the offset that attributes state.

    In this order: ``boa_offset_applied`` (yes: 0, because it was subtracted before), ``BOA_ADD_OFFSET`` or
    ``RADIO_ADD_OFFSET`` (also one for only the band, such as ``BOA_ADD_OFFSET_B02``), a
    ``processing_baseline`` before 04.00 (0). Capitals, underscores and prefixes such as ``s2:`` do not
    matter.

    Args:
        attributes: of the band, of the file.
        band: which it is, such as ``B02``: offsets of other bands say nothing of it. None where that is
            unknown; then those of all bands count.

    Raises:
        SceneError: the attributes state another number than 0 or -1000, contradict one another, or say
            neither yes nor no where they should.
    """
    for name, value in _items(attributes):
        if plain_name(name).endswith("boaoffsetapplied") and yes_or_no(name, value):
            return Offset(0, f"{name}={shown(value)}")
    stated = {
        number: f"{name}={shown(value)}"
        for name, value in _items(attributes)
        if re.search("(boa|radio)addoffset", plain_name(name)) and _serves(name, band)
        for number in numbers(name, value)
    }
    if len(stated) > 1 or not stated.keys() <= set(OFFSETS):
        raise SceneError(
            f"the offset of DN is stated as {' and as '.join(stated.values())}, and it is 0 or -1000; "
            "correct the attributes, or set dataset.offset (--offset)"
        )
    for number, statement in stated.items():
        return Offset(int(number), statement)
    baselines = list(_baselines(attributes))
    if baselines and all(number < FIRST_BASELINE_WITH_OFFSET for number, _ in baselines):
        return Offset(0, baselines[0][1])
    return None


def offset_hints(*attributes: Mapping[str, Any]) -> list[str]:
    """Give what in the attributes lets one suppose that DN carry +1000, though it does not say so.

    A ``processing_baseline`` of 04.00 or later, or the name of such a product (``..._N0400_...``) in a text.
    """
    hints = [
        statement for number, statement in _baselines(attributes) if number >= FIRST_BASELINE_WITH_OFFSET
    ]
    for name, value in _items(attributes):
        found = _PRODUCT_NAME.search(text(value))
        if found and int(found[1]) >= 100 * FIRST_BASELINE_WITH_OFFSET:
            hints.append(f"{found[0].strip('_')} in {name}")
    return hints


def _items(attributes: tuple[Mapping[str, Any], ...]) -> Iterator[tuple[str, Any]]:
    for each in attributes:
        yield from each.items()


def _serves(name: str, band: str | None) -> bool:
    """Whether an attribute of this name is about ``band``: it names that one, or none."""
    named = _named_band(name)
    return band is None or named is None or named == band


def _named_band(name: str) -> str | None:
    """Give the band in an attribute's name: ``B02`` for ``BOA_ADD_OFFSET_b2`` or ``BOA_ADD_OFFSET_blue``."""
    for word in re.split(r"[^a-z0-9]+", name.lower()):
        if word in _BAND_OF_COLOUR:
            return _BAND_OF_COLOUR[word]
        if found := re.fullmatch(r"b0?(\d{1,2}a?)", word):
            return f"B{found[1].upper().zfill(2)}"
    return None


def _baselines(attributes: tuple[Mapping[str, Any], ...]) -> Iterator[tuple[float, str]]:
    """Give numbers such as 4.0, from ``04.00``, ``N0400`` or 4.0, with attribute and value."""
    for name, value in _items(attributes):
        if not plain_name(name).endswith("processingbaseline"):
            continue
        found = re.fullmatch(r"N?(\d+)(\.\d+)?", text(value).upper())
        if found:
            number = float(found[1] + (found[2] or ""))
            yield (number / 100 if number >= 100 else number), f"{name}={shown(value)}"


def check_offset_setting(setting: object) -> None:
    """Raise ConfigurationError where ``setting`` is none of ``OffsetSetting``."""
    if setting != "auto" and (isinstance(setting, str) or setting not in OFFSETS):
        raise ConfigurationError(f"offset={setting!r}: must be 'auto', 0 or -1000 (dataset.offset)")


def as_offset_setting(value: str) -> OffsetSetting:
    """Read a setting from text: ``auto``, ``0`` or ``-1000``.

    Raises:
        ConfigurationError: it is none of them.
    """
    setting: object = value
    with contextlib.suppress(ValueError):
        if (number := float(value)).is_integer():
            setting = int(number)
    check_offset_setting(setting)
    return cast(OffsetSetting, setting)
