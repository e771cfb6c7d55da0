"""A cube of samples, and the file that keeps it."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Integer

from spatial_prediction.errors import SceneError
from spatial_prediction.named_arrays import load_arrays, save_arrays

DTYPES = ("uint8", "int8", "uint16", "int16")
"""Types of samples that all predictors take."""


@dataclass(frozen=True)
class Cube:
    """Samples of a spectrometer.

    Attributes:
        samples: (rows, columns, bands), of 8 or 16 bits, in native byte order.
        name: under which results stand.
        source: where it comes from, in words.
    """

    samples: Integer[np.ndarray, "rows columns bands"]
    name: str
    source: str

    def identity(self) -> str:
        """SHA-256 of type, shape and samples, by which a network's training cubes are known again."""
        samples = self.samples.astype(self.samples.dtype.newbyteorder("<"), order="C")
        digest = hashlib.sha256(json.dumps([samples.dtype.str, samples.shape]).encode())
        digest.update(samples.tobytes())
        return digest.hexdigest()


def save_cube(path: Path, cube: Cube) -> None:
    """Write a cube, complete or not at all.

    Raises:
        SceneError: its samples are of a type that the predictors do not take, or there are none.
    """
    if cube.samples.dtype.name not in DTYPES or not cube.samples.size:
        raise SceneError(
            f"{cube.source}: samples are {cube.samples.dtype} of shape {cube.samples.shape}; a cube of the "
            f"study holds {', '.join(DTYPES)}"
        )
    native = cube.samples.astype(cube.samples.dtype.newbyteorder("="), order="C")
    save_arrays(path, {"samples": native}, {"name": cube.name, "source": cube.source})


def load_cube(path: Path) -> Cube:
    """Read what :func:`save_cube` wrote.

    Raises:
        CheckpointError: the file is missing or damaged.
    """
    arrays, header = load_arrays(path)
    return Cube(samples=arrays["samples"], **header)
