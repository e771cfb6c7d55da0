"""Which samples of a netCDF file are a band: by the names of variables, or by the labels of a dimension.

A band is a variable of its name, such as ``B02``; or, where there is none, the one variable of another
common name (``COMMON_NAMES``); or the position of such a label along a dimension, as in a variable of
(band, y, x).
"""

from collections.abc import Iterator
from typing import NamedTuple

import netCDF4
import numpy as np

from spatial_prediction.errors import SceneError
from spatial_prediction.rasters.netcdf_files import attributes_of, stored_texts

COMMON_NAMES = {"B02": ("b02", "b2", "blue"), "B03": ("b03", "b3", "green"), "B04": ("b04", "b4", "red")}
"""Names of the bands, in small letters."""

TIME_DIMENSIONS = ("t", "time")
BAND_DIMENSIONS = ("band", "bands")


class BandVariable(NamedTuple):
    """Where a band is: a variable, and the position along its dimension of bands, if it has one.

    Attributes:
        variable: holds the samples.
        band_dimension: name of the dimension whose labels name bands; None where the variable is one band.
        position: the band's along that dimension.
    """

    variable: netCDF4.Variable
    band_dimension: str | None = None
    position: int = 0

    def shape(self) -> str:
        """Give names and lengths of the dimensions, as a message shows them."""
        pairs = zip(self.variable.dimensions, self.variable.shape, strict=True)
        return f"({', '.join(f'{name}={length}' for name, length in pairs)})"

    def corner(self, size: int) -> tuple[int | slice, ...]:
        """Give the index of the first ``size`` x ``size`` pixels; the samples read have the shape (y, x).

        Raises:
            SceneError: the dimensions are not those of a band of one time, or too short.
        """
        found = f"has the dimensions {self.shape()}"
        dimensions = dict(zip(self.variable.dimensions, self.variable.shape, strict=True))
        others = [name for name in dimensions if name not in ("y", "x", self.band_dimension)]
        axes = [name for name in dimensions if name in ("y", "x")]
        if axes != ["y", "x"] or not set(others) <= {*TIME_DIMENSIONS, *BAND_DIMENSIONS}:
            raise SceneError(f"{found}, not (t=1, y, x) or (y, x); rename or transpose them")
        for name in others:
            if dimensions[name] != 1 and name in TIME_DIMENSIONS:
                raise SceneError(f"{found}, and a scene is of one time; store one file for each time")
            if dimensions[name] != 1:
                raise SceneError(f"{found}, and is one band; store a variable for each band")
        if min(dimensions["y"], dimensions["x"]) < size:
            raise SceneError(
                f"{found}, too small for {size} x {size} pixels; use a larger scene or a smaller "
                "dataset.scene_size (--size)"
            )
        index: dict[str | None, int | slice] = {
            "y": slice(size),
            "x": slice(size),
            self.band_dimension: self.position,
        }
        return tuple(index.get(name, 0) for name in dimensions)


def band_variable(dataset: netCDF4.Dataset, band: str) -> BandVariable:
    """Find a band.

    Args:
        dataset: the open file.
        band: one of ``COMMON_NAMES``.

    Raises:
        SceneError: the band is missing, or there are several that may be meant.
    """
    if band in dataset.variables:
        return BandVariable(dataset[band])
    named = [
        BandVariable(variable)
        for name, variable in dataset.variables.items()
        if name.lower() in COMMON_NAMES[band] and variable.ndim >= 2
    ]
    labelled = [
        BandVariable(variable, dimension, position)
        for dimension, position in _labelled(dataset, band)
        for variable in dataset.variables.values()
        if {dimension, "y", "x"} <= set(variable.dimensions)
    ]
    found = named or labelled
    if len(found) > 1:
        places = [
            each.variable.name if each.band_dimension is None else f"{each.variable.name}[{each.position}]"
            for each in found
        ]
        raise SceneError(
            f"band {band} may be {' or '.join(places)}; name the one that is meant {band}, or export it alone"
        )
    if not found:
        raise SceneError(
            f"band {band} is missing, the variables are {', '.join(dataset.variables) or 'none'}; "
            f"a scene needs {', '.join(sorted(COMMON_NAMES))}: export these bands or rename the variables"
        )
    return found[0]


def _labelled(dataset: netCDF4.Dataset, band: str) -> Iterator[tuple[str, int]]:
    """Give dimensions and positions along them whose label names the band."""
    for dimension in dataset.dimensions:
        if dimension in ("y", "x"):
            continue
        for position, label in enumerate(_labels(dataset, dimension)):
            if label.lower() in COMMON_NAMES[band]:
                yield dimension, position


def _labels(dataset: netCDF4.Dataset, dimension: str) -> list[str]:
    """Give the texts along a dimension: its coordinate, or the only variable of texts, or ``long_name``."""
    coordinate = dataset.variables.get(dimension)
    if coordinate is not None and (texts := stored_texts(coordinate)):
        return texts
    described = [
        texts
        for variable in dataset.variables.values()
        if variable.dimensions[:1] == (dimension,) and (texts := stored_texts(variable))
    ]
    for variable in dataset.variables.values():
        names = attributes_of(variable).get("long_name")
        if dimension not in variable.dimensions or not isinstance(names, list | np.ndarray):
            continue
        if len(names) == len(dataset.dimensions[dimension]):
            described.append([str(name) for name in names])
    return described[0] if len(described) == 1 else []
