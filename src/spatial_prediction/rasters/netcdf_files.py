"""Opening netCDF files, with messages that say why one cannot be opened; reading what they store."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np

from spatial_prediction.errors import SceneError
from spatial_prediction.rasters.classic_length import needed_bytes


@contextlib.contextmanager
def opened(path: Path) -> Iterator[netCDF4.Dataset]:
    """Open a file for reading, with a check that it is whole.

    Raises:
        SceneError: it cannot be opened; the message says why and what to do, and does not name the file.
    """
    if not path.is_file():
        raise SceneError("no such file; check the folder and the name")
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
    with dataset:
        # HDF5 notices truncation by itself; files of the classic format read as zeros beyond their end.
        if dataset.data_model.startswith("NETCDF3") and not _is_whole(path):
            raise SceneError(f"truncated to {path.stat().st_size} bytes; fetch or write it again")
        yield dataset


def attributes_of(owner: netCDF4.Dataset | netCDF4.Variable) -> dict[str, Any]:
    """Give the attributes of a file or a variable; one whose type Python has no value for is None."""
    attributes: dict[str, Any] = {}
    for name in owner.ncattrs():
        try:
            attributes[name] = owner.getncattr(name)
        except (KeyError, ValueError, OSError, RuntimeError, AttributeError):
            attributes[name] = None
    return attributes


def stored_samples(variable: netCDF4.Variable, index: tuple[int | slice, ...]) -> np.ndarray:
    """Read samples in their stored type, without unpacking, masking or joining of characters.

    Raises:
        SceneError: the library cannot read them.
    """
    variable.set_auto_maskandscale(False)
    variable.set_auto_chartostring(False)
    try:
        return np.asarray(variable[index])
    except (OSError, RuntimeError) as error:
        raise SceneError(f"cannot be read ({error}): the file is damaged; fetch or write it again") from error


def stored_texts(variable: netCDF4.Variable) -> list[str]:
    """Read strings along one dimension, or characters along two; [] where the variable is neither."""
    if variable.dtype is str and variable.ndim == 1:
        return [str(value).strip() for value in variable[:]]
    if variable.dtype == np.dtype("S1") and variable.ndim == 2:
        characters = stored_samples(variable, (slice(None), slice(None)))
        return [b"".join(row).decode("utf-8", errors="replace").strip("\0 ") for row in characters]
    return []


def _is_whole(path: Path) -> bool:
    try:
        return path.stat().st_size >= needed_bytes(path)
    except (EOFError, LookupError):
        return False


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
