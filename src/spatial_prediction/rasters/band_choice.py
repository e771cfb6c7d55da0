"""Which band of a file is meant: by its name, its number, or its wavelength."""

import re
from collections.abc import Callable, Sequence

from spatial_prediction.errors import SceneError
from spatial_prediction.rasters.containers import BandLabel

BANDS = ("B04", "B03", "B02")
"""The bands that are read where none are asked for: red, green, blue."""

COMMON_NAMES = {"B02": ("b02", "b2", "blue"), "B03": ("b03", "b3", "green"), "B04": ("b04", "b4", "red")}
"""Names of the bands of Sentinel-2 that networks read, in small letters."""

WAVELENGTHS = {"B02": (459.0, 525.0), "B03": (541.0, 578.0), "B04": (649.0, 680.0)}
"""Where these bands begin and end, in nanometres (Sentinel-2A, full width at half maximum, rounded)."""

_WAVELENGTH = re.compile(r"(\d+(?:\.\d+)?) ?(nm|um|µm)")


def chosen_bands(wanted: Sequence[str], labels: Sequence[BandLabel]) -> list[int]:
    """Find bands, in the order asked for.

    In this order, a band is the one whose name is the one asked for, as written or in other capitals; one
    of another common name (``red`` is ``B04``); the one of that number, counted from 1 on (``"3"``); the one
    nearest to a wavelength (``"665 nm"``, within 15 nm, or ``B02``, ``B03``, ``B04`` within these bands).

    Args:
        wanted: names, numbers or wavelengths.
        labels: what the file calls its bands.

    Returns:
        indices into ``labels``.

    Raises:
        SceneError: a band is missing, or several may be meant; the message names no file.
    """
    return [_chosen(band, labels) for band in wanted]


def sentinel2_band(name: str) -> str | None:
    """Give the band of Sentinel-2 that a name means, ``B02`` for ``blue``; None where there is none."""
    known = {other: band for band, names in COMMON_NAMES.items() for other in names}
    name = name.strip().lower()
    if name in known:
        return known[name]
    found = re.fullmatch(r"b0?(1?\d)(a?)", name)
    return f"B{found[1] + found[2].upper():0>2}" if found else None


def wavelength_in_nanometres(value: float, units: str) -> float | None:
    """Give a wavelength in nanometres; None where the units are not those of a length.

    Without units, what is below 100 is in micrometres: optical sensors see some 300 to 15,000 nm.
    """
    units = units.strip().lower()
    if units in ("", "unknown"):
        units = "um" if value < 100 else "nm"
    if units in ("nm", "nanometer", "nanometers", "nanometre", "nanometres"):
        return value
    if units in ("um", "µm", "μm", "micrometer", "micrometers", "micrometre", "micrometres", "microns"):
        return 1000 * value
    return None


def _chosen(band: str, labels: Sequence[BandLabel]) -> int:
    synonyms = COMMON_NAMES.get(sentinel2_band(band) or "", ())
    tiers: list[Callable[[BandLabel], bool]] = [
        lambda label: label.name == band and not label.of_several,
        lambda label: label.name.lower() in {band.lower(), *synonyms} and not label.of_several,
        lambda label: label.name == band,
        lambda label: plain(label.name) in {band.lower(), *synonyms},
    ]
    for fits in tiers:
        if found := [index for index, label in enumerate(labels) if fits(label)]:
            return _only(band, found, labels)
    if band.isdecimal():
        if 1 <= int(band) <= len(labels):
            return int(band) - 1
        raise SceneError(f"band {band} is asked for, and there are {len(labels)}; counted from 1 on")
    if found := _by_wavelength(band, labels):
        return _only(band, found, labels)
    raise SceneError(_missing(band, labels))


def plain(name: str) -> str:
    """Give a name in small letters, without an explanation: ``b4`` for ``B4, central wavelength 665 nm``.

    Further words without a sign between are no explanation: ``Red Edge 1`` is not ``red``.
    """
    return re.split(r"\s*[,;:(\[]", name.strip(), maxsplit=1)[0].lower()


def _only(band: str, found: list[int], labels: Sequence[BandLabel]) -> int:
    if len(found) > 1:
        places = [labels[index].place for index in found]
        raise SceneError(
            f"band {band} may be {' or '.join(places)}; name the one that is meant {band}, or export it alone"
        )
    return found[0]


def _by_wavelength(band: str, labels: Sequence[BandLabel]) -> list[int]:
    """Give the bands nearest to the wavelength that is meant, of those within its limits."""
    if asked := _WAVELENGTH.fullmatch(band.strip().lower()):
        centre = wavelength_in_nanometres(float(asked[1]), asked[2]) or 0.0
        low, high = centre - 15, centre + 15
    elif limits := WAVELENGTHS.get(sentinel2_band(band) or ""):
        low, high = limits
        centre = (low + high) / 2
    else:
        return []
    distances = {
        index: abs(label.wavelength - centre)
        for index, label in enumerate(labels)
        if label.wavelength is not None and low <= label.wavelength <= high
    }
    return [index for index, distance in distances.items() if distance == min(distances.values())]


def _missing(band: str, labels: Sequence[BandLabel]) -> str:
    wavelengths = [label.wavelength for label in labels if label.wavelength is not None]
    shown = [label.name or label.place for label in labels]
    listing = ", ".join(shown if len(shown) <= 20 else [*shown[:10], f"... ({len(shown)} bands)"])
    named = any(label.name for label in labels)
    found = f"the bands are {listing or 'none'}{'' if named or not labels else ' (without names)'}"
    if wavelengths:
        found += f", of {min(wavelengths):.6g} to {max(wavelengths):.6g} nm"
    return (
        f"band {band} is missing, {found}; name the bands in the file (B02, B03, B04, or blue, green, red), "
        "or say which are meant (bands, --bands), by name, number or wavelength"
    )
