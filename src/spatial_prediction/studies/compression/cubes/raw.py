"""Cubes in raw files, beside a header of ENVI or a description in JSON."""

import json
from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from spatial_prediction.errors import SceneError
from spatial_prediction.rasters.envi import ENVI
from spatial_prediction.studies.compression.cubes.cube import DTYPES, Cube

KEYS = ("rows", "columns", "bands", "interleave", "dtype")
"""What a description in JSON must say; ``byte_order`` (``little endian``, ``big endian``) may be left out."""

AXES = {"bsq": ("bands", "rows", "columns"), "bil": ("rows", "bands", "columns"), "bip": KEYS[:3]}
"""In which order a file has the axes, the slowest first."""


def read_raw_cube(raw: Path, description: Path) -> Cube:
    """Read a raw file, exactly as stored.

    Raises:
        SceneError: file and description do not fit together, or the description says too little.
    """
    read = _by_json if description.suffix.lower() == ".json" else _by_envi
    return Cube(read(raw, description), raw.stem, raw.name)


def _by_envi(raw: Path, header: Path) -> Shaped[np.ndarray, "rows columns bands"]:
    try:
        image = ENVI(header, raw)
        grid, bands = image.grid(0), range(len(image.labels))
        stored = image.read(bands, slice(0, grid.height), slice(0, grid.width))
    except SceneError as error:
        raise SceneError(f"{raw}: {error}") from None
    return np.stack(stored.stored, axis=-1)


def _by_json(raw: Path, description: Path) -> Shaped[np.ndarray, "rows columns bands"]:
    try:
        about = json.loads(description.read_text(encoding="utf-8"))
        sizes = {key: about[key] for key in KEYS[:3]}
        axes = AXES[about["interleave"].lower()]
        if not all(type(size) is int and size > 0 for size in sizes.values()):
            raise ValueError(f"sizes are {sizes}")
        if about["dtype"] not in DTYPES:
            raise ValueError(f"dtype is {about['dtype']!r}, none of {', '.join(DTYPES)}")
        dtype = np.dtype(about["dtype"]).newbyteorder(">" if about.get("byte_order") == "big endian" else "<")
    except (ValueError, TypeError, KeyError, AttributeError, OSError, RecursionError) as error:
        raise SceneError(
            f"{description}: does not describe a cube ({error}); it needs {', '.join(KEYS)}, with interleave "
            f"one of {', '.join(AXES)}"
        ) from None
    shape = tuple(sizes[axis] for axis in axes)
    held, needed = raw.stat().st_size, int(np.prod(shape, dtype=object)) * dtype.itemsize
    if held != needed:
        raise SceneError(f"{raw}: holds {held} bytes, and {description.name} says {needed}; fetch both again")
    stored = np.fromfile(raw, dtype).reshape(shape)
    return stored.transpose([axes.index(axis) for axis in KEYS[:3]])
