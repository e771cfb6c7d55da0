"""Whether a netCDF file of the classic format is whole.

From a file that is too short the netCDF library reads zeros, without an error. From memory it reports one.
Formats: CDF-1 (classic), CDF-2 (64-bit offsets) and CDF-5 (64-bit data).
"""

import mmap
from collections.abc import Iterator
from pathlib import Path

import netCDF4
import numpy as np

MAGIC = b"CDF"


def is_classic(path: Path) -> bool:
    """Whether a file begins as one of the classic format."""
    with open(path, "rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def is_whole(path: Path) -> bool:
    """Whether the last sample of every variable is in the file; what follows it is padding.

    Args:
        path: a file that the netCDF library has opened as one of the classic format.
    """
    with open(path, "rb") as file:
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    try:
        dataset = netCDF4.Dataset(path, memory=content)
    except OSError:
        # From memory, the library does not open what is more header than samples: small files only.
        return _is_the_same_with_other_bytes_behind(path, bytes(content))
    with dataset:
        try:
            list(_last_samples(dataset))
        except (OSError, RuntimeError):
            return False
    return True


def _is_the_same_with_other_bytes_behind(path: Path, content: bytes) -> bool:
    """Whether nothing is read from behind the end, where the library finds zeros, and here ones."""
    with netCDF4.Dataset(path) as dataset:
        found = list(_last_samples(dataset))
    try:
        dataset = netCDF4.Dataset(path, memory=content + b"\xff" * (2 * len(content)))
    except OSError:  # the header ends behind the end
        return False
    with dataset:
        return list(_last_samples(dataset)) == found


def _last_samples(dataset: netCDF4.Dataset) -> Iterator[bytes]:
    dataset.set_auto_maskandscale(False)
    dataset.set_auto_chartostring(False)
    for variable in dataset.variables.values():
        if 0 not in variable.shape:
            yield np.asarray(variable[(-1,) * variable.ndim]).tobytes()
