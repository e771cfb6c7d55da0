"""Which coordinates are latitudes and longitudes."""

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import xarray


def is_geographic(coordinate: "xarray.DataArray", kind: Literal["lat", "lon"]) -> bool:
    """Whether a coordinate is a latitude (``lat``) or a longitude (``lon``), by units, or else by name."""
    towards, long_name = ("north", "latitude") if kind == "lat" else ("east", "longitude")
    units = str(coordinate.attrs.get("units", "")).lower().replace("_", "")
    if units:
        return units in (f"degree{towards}", f"degrees{towards}")
    return str(coordinate.name).lower() in (kind, long_name)
