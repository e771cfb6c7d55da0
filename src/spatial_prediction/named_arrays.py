"""Files of named arrays with a header that explains them: networks, training results and checkpoints."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from spatial_prediction.errors import CheckpointError
from spatial_prediction.files import written_aside

FORMAT_VERSION = "1"


def save_arrays(path: Path, arrays: dict[str, np.ndarray], header: dict[str, Any]) -> None:
    """Write arrays and a JSON header as one safetensors file, complete or not at all.

    A checksum over all of it goes with them.

    Raises:
        WriteError: the disk is full, the folder read-only, and so on.
    """
    contiguous = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    text = json.dumps(header)
    metadata = {
        "format_version": FORMAT_VERSION,
        "header": text,
        "checksum": _checksum(contiguous, text),
    }
    with written_aside(path) as temporary:
        # by a plain write, whose error names its reason
        temporary.write_bytes(_with_ordered_metadata(save(contiguous, metadata)))


def load_arrays(path: str | Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read what :func:`save_arrays` wrote, and verify the checksum. Files of earlier releases have none.

    Raises:
        CheckpointError: the file is missing, damaged, something else, or of another format version.
    """
    try:
        with safe_open(path, "numpy") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise CheckpointError(
            f"{path}: cannot be read (no such file); check the name, or run the stage that makes it"
        ) from None
    except (OSError, SafetensorError) as error:
        if Path(path).is_dir():
            raise CheckpointError(f"{path}: cannot be read (a folder); name a file in it") from None
        raise CheckpointError(
            f"{path}: cannot be read ({error}); remove it and run the stage again"
        ) from None
    if metadata.get("format_version") != FORMAT_VERSION:
        found = metadata.get("format_version")
        raise CheckpointError(f"{path}: format version {found}, this program reads version {FORMAT_VERSION}")
    text = metadata.get("header", "")
    if metadata.get("checksum", expected := _checksum(arrays, text)) != expected:
        raise CheckpointError(
            f"{path}: its checksum is not that of its content, so it was changed or damaged after it was "
            "written; remove it and run the stage again"
        )
    return arrays, _header(path, text)


def _with_ordered_metadata(content: bytes) -> bytes:
    """Sort the metadata of a safetensors file by name, so that equal arrays and headers give equal files.

    safetensors itself writes them in an order that changes from call to call.
    """
    end = 8 + int.from_bytes(content[:8], "little")
    described = json.loads(content[8:end])
    described["__metadata__"] = dict(sorted(described["__metadata__"].items()))
    text = json.dumps(described, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)  # arrays begin at a multiple of 8 bytes
    return len(text).to_bytes(8, "little") + text + content[end:]


def _header(path: str | Path, text: str) -> dict[str, Any]:
    try:
        header = json.loads(text)
    except ValueError:
        header = None
    if not isinstance(header, dict):
        raise CheckpointError(f"{path}: has no header, so this program did not write it; move it away")
    return header


def _checksum(arrays: dict[str, np.ndarray], header: str) -> str:
    """SHA-256 over the header and each array's name, type, shape and bytes."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(json.dumps([name, array.dtype.str, array.shape]).encode())
        digest.update(array.tobytes())
    digest.update(header.encode())
    return digest.hexdigest()
