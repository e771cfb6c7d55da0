"""Files of named arrays with a header that explains them: networks, training results and checkpoints."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from spatial_prediction.errors import CheckpointError
from spatial_prediction.files import written_aside

FORMAT_VERSION = "1"


def save_arrays(path: Path, arrays: dict[str, np.ndarray], header: dict[str, Any]) -> None:
    """Write arrays and a JSON header as one safetensors file, complete or not at all."""
    with written_aside(path) as temporary:
        contiguous = {name: np.asarray(array, order="C") for name, array in arrays.items()}
        save_file(contiguous, temporary, {"format_version": FORMAT_VERSION, "header": json.dumps(header)})


def load_arrays(path: str | Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read what :func:`save_arrays` wrote.

    Raises:
        CheckpointError: the file is missing, damaged, or of another format version.
    """
    try:
        with safe_open(path, "numpy") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"{path}: cannot be read ({error}); remove it and run the stage again"
        ) from None
    if metadata.get("format_version") != FORMAT_VERSION:
        found = metadata.get("format_version")
        raise CheckpointError(f"{path}: format version {found}, this program reads version {FORMAT_VERSION}")
    return arrays, json.loads(metadata["header"])
