"""Which samples of a netCDF file are bands: variables, or the positions along a dimension of bands.

A band is a variable of rows and columns, such as ``B02``, or the position of a label along another dimension,
as in a variable of (band, y, x).
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import xarray

from spatial_prediction.errors import SceneError
from spatial_prediction.rasters.attributes import text
from spatial_prediction.rasters.band_choice import sentinel2_band, wavelength_in_nanometres
from spatial_prediction.rasters.containers import BandLabel
from spatial_prediction.rasters.netcdf_axes import spatial_dimensions

TIME_DIMENSIONS = ("t", "time")
BAND_DIMENSIONS = ("band", "bands", "wavelength", "wavelengths")


class BandVariable(NamedTuple):
    """Where a band is: a variable, and the position along its dimension of bands, if it has one.

    Attributes:
        name: of the variable.
        label: what the file calls the band.
        dimension: whose positions are bands; None where the variable is one band.
        position: the band's along that dimension.
    """

    name: str
    label: BandLabel
    dimension: str | None = None
    position: int = 0

    def check(self, dataset: xarray.Dataset) -> None:
        """Raise SceneError where the dimensions are not those of a band of one time."""
        variable = dataset.variables[self.name]
        label = f"band {self.label.name or self.label.place}"
        lengths = ", ".join(f"{name}={length}" for name, length in variable.sizes.items())
        try:
            axes = spatial_dimensions(dataset, variable.dims)
        except SceneError as fault:
            raise SceneError(f"{label} {fault}") from None
        others = [str(name) for name in variable.dims if name not in (*axes, self.dimension)]
        found = f"{label} has the dimensions ({lengths})"
        for name in others:
            if variable.sizes[name] != 1 and name in TIME_DIMENSIONS:
                raise SceneError(f"{found}, and a scene is of one time; store one file for each time")
            if variable.sizes[name] != 1 or name not in (*TIME_DIMENSIONS, *BAND_DIMENSIONS):
                raise SceneError(f"{found}, and is one band; store a variable for each band")


def band_variables(dataset: xarray.Dataset) -> list[BandVariable]:
    """Give all bands of a file, in its order; after them what has other dimensions, for messages' sake."""
    names = [str(name) for name, variable in dataset.variables.items() if variable.ndim >= 2]
    odd = [name for name in names if not _has_rows_and_columns(dataset, name)]
    return [
        band
        for name in [*(name for name in names if name not in odd), *odd]
        for band in _bands_of(dataset, name)
    ]


def _has_rows_and_columns(dataset: xarray.Dataset, name: str) -> bool:
    try:
        spatial_dimensions(dataset, dataset.variables[name].dims)
    except SceneError:
        return False
    return True


def _bands_of(dataset: xarray.Dataset, name: str) -> Iterator[BandVariable]:
    variable = dataset.variables[name]
    dimension = _band_dimension(dataset, name)
    if dimension is None:
        yield BandVariable(name, BandLabel(name, name, _wavelength_of(variable)))
        return
    labels = _labels(dataset, dimension)
    if variable.sizes[dimension] == 1 and (not labels or sentinel2_band(name)):
        labels = [name]
    wavelengths = _wavelengths(dataset, dimension)
    for position in range(variable.sizes[dimension]):
        label = BandLabel(
            labels[position] if labels else "",
            f"{name}[{position}]",
            wavelengths[position] if wavelengths else None,
            of_several=variable.sizes[dimension] > 1,
        )
        yield BandVariable(name, label, dimension, position)


def _band_dimension(dataset: xarray.Dataset, name: str) -> str | None:
    """Give the one dimension along which bands may lie: beside rows, columns and a time."""
    variable = dataset.variables[name]
    if not _has_rows_and_columns(dataset, name):
        return None
    axes = spatial_dimensions(dataset, variable.dims)
    others = [str(each) for each in variable.dims if each not in axes and each not in TIME_DIMENSIONS]
    if len(others) != 1:
        return None
    labelled = bool(_labels(dataset, others[0]) or _wavelengths(dataset, others[0]))
    return others[0] if labelled or variable.sizes[others[0]] > 1 else None


def _labels(dataset: xarray.Dataset, dimension: str) -> list[str]:
    """Give the texts along a dimension: its coordinate, or the only variable of texts, or ``long_name``."""
    coordinate = dataset.variables.get(dimension)
    if coordinate is not None and (texts := _texts(coordinate)):
        return texts
    described = [
        texts
        for variable in dataset.variables.values()
        if variable.dims[:1] == (dimension,) and (texts := _texts(variable))
    ]
    for variable in dataset.variables.values():
        names = variable.attrs.get("long_name")
        if dimension not in variable.dims or not isinstance(names, list | np.ndarray):
            continue
        if len(names) == dataset.sizes[dimension]:
            described.append([str(name) for name in names])
    return described[0] if len(described) == 1 else []


def _texts(variable: xarray.Variable) -> list[str]:
    """Read strings along one dimension, or characters along two; [] where the variable is neither."""
    if variable.dtype.kind in "OU" and variable.ndim == 1:
        return [text(value) for value in variable.to_numpy()]
    if variable.dtype == np.dtype("S1") and variable.ndim == 2:
        return [b"".join(row).decode("utf-8", errors="replace").strip("\0 ") for row in variable.to_numpy()]
    return []


def _wavelengths(dataset: xarray.Dataset, dimension: str) -> Sequence[float | None]:
    """Give the wavelengths along a dimension, in nanometres, where a coordinate or variable states them."""
    for name in (dimension, "wavelength", "wavelengths"):
        variable = dataset.variables.get(name)
        if variable is None or variable.dims != (dimension,) or variable.dtype.kind not in "iuf":
            continue
        units = text(variable.attrs.get("units", ""))
        found = [wavelength_in_nanometres(float(value), units) for value in variable.to_numpy()]
        if all(value is not None for value in found):
            return found
    return []


def _wavelength_of(variable: xarray.Variable) -> float | None:
    """Give the wavelength that a variable of one band states, in nanometres."""
    for name in ("wavelength", "radiation_wavelength", "central_wavelength"):
        value = variable.attrs.get(name)
        if isinstance(value, int | float | np.number):
            units = text(variable.attrs.get(f"{name}_units", variable.attrs.get(f"{name}_unit", "")))
            return wavelength_in_nanometres(float(value), units)
    return None
