"""netCDF files, of every format that the netCDF library reads, opened by xarray without decoding."""

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import xarray
from xarray.backends import NetCDF4DataStore

from spatial_prediction.errors import SceneError
from spatial_prediction.rasters.containers import Band, BandLabel, Grid, Samples, flipped
from spatial_prediction.rasters.netcdf_axes import grid_of, runs_north, spatial_dimensions
from spatial_prediction.rasters.netcdf_bands import BandVariable, band_variables
from spatial_prediction.rasters.netcdf_classic import is_classic, is_whole
from spatial_prediction.rasters.netcdf_lock import NETCDF_LOCK


class NetCDF:
    """A netCDF file, a ``Container``. Its bands are variables, or places along a dimension of one."""

    kind = "netCDF"

    def __init__(self, path: Path):
        with NETCDF_LOCK, contextlib.ExitStack() as closing:
            self._file = opened_file(path)
            closing.callback(self._file.close)
            try:
                # cache=False: a window that was read is not kept.
                self._dataset = xarray.open_dataset(
                    NetCDF4DataStore(self._file, lock=NETCDF_LOCK), decode_cf=False, cache=False
                )
            except (ValueError, KeyError, TypeError, AttributeError, OSError, RuntimeError) as error:
                raise SceneError(f"cannot be read by xarray ({error}); write it again") from error
            self._bands: Sequence[BandVariable] = band_variables(self._dataset)
            if not self._bands and self._file.groups:
                raise SceneError(
                    f"its variables lie in groups ({', '.join(self._file.groups)}), and a scene's in none; "
                    "export the bands to the root of a file"
                )
            closing.pop_all()
        self.labels: Sequence[BandLabel] = [band.label for band in self._bands]
        self.tags: Mapping[str, Any] = dict(self._dataset.attrs)

    def grid(self, band: int) -> Grid:
        """Give shape and place of a band, by its index in ``labels``."""
        found = self._bands[band]
        found.check(self._dataset)
        return grid_of(self._dataset, found.name)

    def band(self, band: int) -> Band:
        """Give what the file says of a band's samples."""
        found = self._bands[band]
        variable = self._dataset.variables[found.name]
        with NETCDF_LOCK:
            default_fill = _default_fill(self._file[found.name])
        return Band(variable.dtype, variable.attrs, default_fill)

    def read(self, bands: Sequence[int], rows: slice, columns: slice) -> Samples:
        """Read a window of bands; only that window is held in memory."""
        return Samples([self._read(self._bands[band], rows, columns) for band in bands])

    def close(self) -> None:
        """Close the file."""
        with NETCDF_LOCK:
            self._file.close()  # and nothing more: xarray's is the same file

    def _read(self, band: BandVariable, rows: slice, columns: slice) -> np.ndarray:
        variable = self._dataset.variables[band.name]
        y, x = spatial_dimensions(self._dataset, variable.dims)
        reversed_rows = runs_north(self._dataset, y)
        index: dict[str, int | slice] = dict.fromkeys(map(str, variable.dims), 0)
        index[y] = flipped(rows, variable.sizes[y]) if reversed_rows else rows
        index[x] = columns
        if band.dimension is not None:
            index[band.dimension] = band.position
        try:
            window = variable[index].transpose(y, x).to_numpy()
        except (OSError, RuntimeError) as error:
            raise SceneError(
                f"band {band.label.name or band.label.place} cannot be read ({error}): the file is damaged; "
                "fetch or write it again"
            ) from error
        return window[::-1] if reversed_rows else window


def opened_file(path: Path) -> netCDF4.Dataset:
    """Open a file with the netCDF library, with messages that say why one cannot be opened.

    Raises:
        SceneError: it cannot be opened, or is truncated.
    """
    try:
        dataset = netCDF4.Dataset(path)
    except PermissionError as error:
        raise SceneError("no permission to read the file; change its permissions") from error
    except UnicodeEncodeError as error:
        raise SceneError("its name is not UTF-8, which the netCDF library needs; rename the file") from error
    except OSError as error:
        if _is_locked(path):
            raise SceneError(
                "another process has it open for writing and holds a lock on it; close it there, or wait"
            ) from error
        raise SceneError(
            f"cannot be opened as netCDF ({error.strerror}): not a netCDF file, or a truncated one; "
            "fetch or write it again"
        ) from error
    # HDF5 notices truncation by itself.
    if is_classic(path) and not is_whole(path):
        dataset.close()
        raise SceneError(f"truncated to {path.stat().st_size} bytes; fetch or write it again")
    return dataset


def _default_fill(variable: netCDF4.Variable) -> float | None:
    """Give what netCDF itself puts where nothing was ever written; single bytes have no such value."""
    if not isinstance(variable.dtype, np.dtype) or variable.dtype.kind not in "iuf":
        return None
    if variable.dtype.itemsize == 1:
        return None
    fill = variable.get_fill_value()  # None where the file says that nothing was put there
    return None if fill is None else float(fill)


def _is_locked(path: Path) -> bool:
    """Whether another process holds a lock that forbids reading, of the kind that HDF5 sets."""
    try:
        import fcntl
    except ImportError:  # no Unix
        return False
    with open(path, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:  # a file system without locks
            return False
    return False
