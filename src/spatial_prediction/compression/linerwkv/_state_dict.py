"""Parameters out of files of PyTorch, without PyTorch and without unpickling.

``torch.save`` writes a ZIP archive: numbers as they lie in memory, and a pickle that says which name is which
part of them. ``_opcodes`` reads that as data.
"""

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from spatial_prediction.compression.linerwkv import _opcodes
from spatial_prediction.errors import CheckpointError

LARGEST_FILE = 2**24
"""Bytes; the largest published network takes less than a quarter."""

_LARGEST_PICKLE = 2**20
_REMEDY = "write one with torch.save(model.state_dict(), path), of contiguous float32 tensors"


def read_state_dict(path: str | Path) -> dict[str, Float32[np.ndarray, "..."]]:
    """Read a file of ``torch.save``: a dictionary of contiguous float32 tensors, such as a ``state_dict()``.

    Nothing out of the file is run, whatever it holds.

    Args:
        path: of the file, by PyTorch 1.6 or later.

    Returns:
        Arrays by name, read-only.

    Raises:
        CheckpointError: the file is missing, damaged, too large, or holds anything else.
    """
    try:
        with open(path, "rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror or error}); check the name") from None
    return parsed_state_dict(content, str(path))


def parsed_state_dict(content: bytes, name: str) -> dict[str, Float32[np.ndarray, "..."]]:
    """Read the content of such a file; messages call it by ``name``.

    Raises:
        CheckpointError: as :func:`read_state_dict`.
    """
    if len(content) > LARGEST_FILE:
        raise CheckpointError(
            f"{name}: is larger than {LARGEST_FILE} bytes, which no network of LineRWKV is; "
            "name the file of its parameters, not a checkpoint with an optimiser's state"
        )
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _arrays(archive)
    except ValueError as error:
        raise CheckpointError(f"{name}: {error}; {_REMEDY}") from None
    except zipfile.BadZipFile as error:
        raise CheckpointError(
            f"{name}: is no whole file of PyTorch 1.6 or later ({error}); fetch it again, or {_REMEDY}"
        ) from None
    except (EOFError, IndexError, KeyError, OSError, RuntimeError, TypeError, struct.error):
        raise CheckpointError(
            f"{name}: is damaged, or no file of tensors; fetch it again, or {_REMEDY}"
        ) from None


def _arrays(archive: zipfile.ZipFile) -> dict[str, Float32[np.ndarray, "..."]]:
    entries = archive.infolist()
    # stored as they are, entries take no more than the file, unless several stand for the same bytes
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise ValueError("is compressed, which files of torch.save are not")
    if sum(entry.file_size for entry in entries) > LARGEST_FILE:
        raise ValueError(f"holds more than {LARGEST_FILE} bytes")
    pickles = [entry for entry in entries if entry.filename.endswith("/data.pkl")]
    if len(pickles) != 1 or pickles[0].file_size > _LARGEST_PICKLE:
        raise ValueError("has no description of tensors")
    folder = pickles[0].filename.removesuffix("data.pkl")
    order = f"{folder}byteorder"
    if order in archive.namelist() and archive.read(order) != b"little":
        raise ValueError("was written on a big-endian machine")
    tensors = _opcodes.tensors_of(archive.read(pickles[0]))
    storages = {
        storage: _numbers(archive.read(f"{folder}data/{storage.key}"), storage.numbers)
        for storage in {tensor.storage for tensor in tensors.values()}
    }
    return {name: _part(storages[tensor.storage], tensor) for name, tensor in tensors.items()}


def _numbers(stored: bytes, count: int) -> Float32[np.ndarray, " numbers"]:
    if len(stored) != 4 * count:
        raise ValueError(f"has a storage of {len(stored)} bytes that should hold {count} numbers")
    return np.frombuffer(stored, "<f4").astype(np.float32, copy=False)


def _part(numbers: Float32[np.ndarray, " numbers"], tensor: _opcodes.Tensor) -> Float32[np.ndarray, "..."]:
    length = int(np.prod(tensor.shape, dtype=np.int64))
    return numbers[tensor.offset : tensor.offset + length].reshape(tensor.shape)
