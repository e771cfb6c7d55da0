"""Coordinates of an upscaled xarray.DataArray: the same outer corners, smaller pixels."""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import xarray

_RELATIVE_TOLERANCE = 1e-3
"""Of the spacing: coordinates stored as float32 are no more regular than that."""


def upscaled_coordinates(array: "xarray.DataArray", dims: tuple[str, str], factor: int) -> dict[str, Any]:
    """Return the coordinates of ``array`` with those along ``dims`` made finer.

    They are taken for pixel centres. Where ``spatial_ref`` states a transform, as rioxarray writes it, that
    is scaled too.

    Raises:
        ValueError: coordinates are irregular, of one pixel, not numbers, or depend on ``dims`` otherwise.
    """
    coordinates: dict[str, Any] = {}
    for name, coordinate in array.coords.items():
        if name in dims:
            finer = _finer(str(name), coordinate.values, factor)
            coordinates[str(name)] = (name, finer, coordinate.attrs)
        elif set(coordinate.dims) & set(dims):
            raise ValueError(
                f"coordinate {name!r} over {coordinate.dims} cannot be made finer exactly; take it off with "
                f"array.drop_vars({name!r})"
            )
        else:
            coordinates[str(name)] = coordinate.copy()
    if "spatial_ref" in coordinates and "GeoTransform" in coordinates["spatial_ref"].attrs:
        reference = coordinates["spatial_ref"]
        words = str(reference.attrs["GeoTransform"]).split()
        finer_words = [float(word) / (factor if place % 3 else 1) for place, word in enumerate(words)]
        reference.attrs["GeoTransform"] = " ".join(map(repr, finer_words))
    return coordinates


def upscaled_attributes(attributes: dict[Any, Any], factor: int) -> dict[Any, Any]:
    """Return attributes with the pixel size of ``transform`` and ``res``, as rasterio has them, divided."""
    scaled = dict(attributes)
    if "transform" in scaled:  # a, b, c, d, e, f of x = a column + b row + c, y = d column + e row + f
        scaled["transform"] = tuple(
            value if place % 3 == 2 or place > 5 else value / factor
            for place, value in enumerate(scaled["transform"])
        )
    if "res" in scaled:
        scaled["res"] = tuple(value / factor for value in scaled["res"])
    return scaled


def _finer(name: str, centres: np.ndarray, factor: int) -> np.ndarray:
    if len(centres) < 2 or not np.issubdtype(centres.dtype, np.number):
        raise ValueError(
            f"coordinate {name!r} must have at least two numbers for its spacing to be known, got {centres}; "
            f"take it off with array.drop_vars({name!r})"
        )
    centres = centres.astype(np.float64)
    spacing = (centres[-1] - centres[0]) / (len(centres) - 1)
    regular = centres[0] + spacing * np.arange(len(centres))
    if spacing == 0 or np.abs(centres - regular).max() > _RELATIVE_TOLERANCE * abs(spacing):
        raise ValueError(
            f"coordinate {name!r} must be regular for pixels to have a size; take it off with "
            f"array.drop_vars({name!r})"
        )
    corner = centres[0] - spacing / 2
    return corner + spacing / factor * (np.arange(len(centres) * factor) + 0.5)
