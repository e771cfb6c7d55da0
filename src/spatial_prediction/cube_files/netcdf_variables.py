"""Which variables of a netCDF file make up the cube, and how."""

from collections.abc import Sequence
from typing import NamedTuple

import netCDF4
import numpy as np
import xarray

from spatial_prediction.cube_files.protocol import Cube, check_samples
from spatial_prediction.errors import ConfigurationError, SceneError
from spatial_prediction.rasters.netcdf_axes import spatial_dimensions


class CubeVariables(NamedTuple):
    """Variables whose samples make up a cube: their other dimensions, one after another, are its bands.

    Attributes:
        names: of the variables.
        dimensions: of each.
        sizes: of each dimension.
        rows: the dimension of rows.
        columns: that of columns.
    """

    names: tuple[str, ...]
    dimensions: tuple[tuple[str, ...], ...]
    sizes: dict[str, int]
    rows: str
    columns: str

    @property
    def shape(self) -> tuple[int, int, int]:
        """Rows, columns and bands."""
        return self.sizes[self.rows], self.sizes[self.columns], sum(map(self._bands, self.dimensions))

    def read(self, file: netCDF4.Dataset, rows: slice) -> Cube:
        """Read rows."""
        parts = []
        for name, dimensions in zip(self.names, self.dimensions, strict=True):
            samples = np.asarray(file[name][self._index(dimensions, rows)])
            ordered = samples.transpose(self._order(dimensions))
            parts.append(ordered.reshape(*ordered.shape[:2], -1))
        return np.concatenate(parts, axis=2)

    def write(self, file: netCDF4.Dataset, first: int, cube: Cube) -> None:
        """Write rows from ``first`` on."""
        band = 0
        for name, dimensions in zip(self.names, self.dimensions, strict=True):
            count = self._bands(dimensions)
            others = [self.sizes[each] for each in self._others(dimensions)]
            ordered = cube[:, :, band : band + count].reshape(*cube.shape[:2], *others)
            samples = ordered.transpose(np.argsort(self._order(dimensions)))
            file[name][self._index(dimensions, slice(first, first + len(cube)))] = samples
            band += count

    def _others(self, dimensions: Sequence[str]) -> list[str]:
        return [each for each in dimensions if each not in (self.rows, self.columns)]

    def _bands(self, dimensions: Sequence[str]) -> int:
        return int(np.prod([self.sizes[each] for each in self._others(dimensions)], dtype=int))

    def _order(self, dimensions: Sequence[str]) -> list[int]:
        return [dimensions.index(each) for each in (self.rows, self.columns, *self._others(dimensions))]

    def _index(self, dimensions: Sequence[str], rows: slice) -> tuple[slice, ...]:
        # Explicit ends: an unlimited dimension is as long as what has been written.
        whole = {each: slice(0, self.sizes[each]) for each in dimensions}
        return tuple(rows if each == self.rows else whole[each] for each in dimensions)


def cube_variables(
    file: netCDF4.Dataset,
    dataset: xarray.Dataset,
    *,
    names: Sequence[str] = (),
    axes: tuple[str, str] | None = None,
) -> CubeVariables:
    """Find the cube of a file: the variables asked for, or the largest and all of its type and grid.

    Args:
        file: opened by the netCDF library.
        dataset: the same, opened by xarray.
        names: of variables.
        axes: dimensions of rows and columns; None: what the file says.

    Raises:
        ConfigurationError: there is no such variable or dimension.
        SceneError: no variable has rows and columns, or what has is no whole numbers.
    """
    for name in names:
        if name not in file.variables:
            raise ConfigurationError(
                f"--variable {name}: the file has {', '.join(file.variables) or 'no variables'}"
            )
    for name in axes or ():
        if name not in file.dimensions:
            raise ConfigurationError(
                f"--axes {' '.join(axes or ())}: the file has the dimensions {', '.join(file.dimensions)}"
            )
    grids = {name: _axes(dataset, name, axes) for name in names or file.variables}
    placed = {name: grid for name, grid in grids.items() if grid is not None}
    if not placed or (names and len(placed) < len(names)):
        raise SceneError(
            "has no variable with dimensions of rows and columns that are known as such; name the variable "
            "by --variable, and its dimensions of rows and columns by --axes"
        )
    first = names[0] if names else max(placed, key=lambda name: file[name].size)
    dtype = file[first].dtype
    if not isinstance(dtype, np.dtype):
        raise SceneError(f"variable {first} holds no numbers; name another by --variable")
    try:
        check_samples(dtype)
    except SceneError as fault:
        raise SceneError(f"variable {first} {fault}") from None
    chosen = [name for name in placed if placed[name] == placed[first] and file[name].dtype == dtype]
    if names and len(chosen) < len(names):
        raise ConfigurationError(
            "--variable: those named have several types or grids; compress them one by one"
        )
    if 0 in (size for name in chosen for size in file[name].shape):
        raise SceneError(f"variable {first} has no samples; a cube has rows, columns and bands, from 1 on")
    sizes = {name: len(file.dimensions[name]) for each in chosen for name in file[each].dimensions}
    rows, columns = placed[first]
    return CubeVariables(
        tuple(chosen), tuple(tuple(file[name].dimensions) for name in chosen), sizes, rows, columns
    )


def _axes(dataset: xarray.Dataset, name: str, axes: tuple[str, str] | None) -> tuple[str, str] | None:
    """Give the dimensions of rows and columns of a variable; None where it has none."""
    dimensions = tuple(map(str, dataset.variables[name].dims))
    if axes is not None:
        return axes if set(axes) <= set(dimensions) and axes[0] != axes[1] else None
    try:
        return spatial_dimensions(dataset, dimensions)
    except SceneError:
        return None
