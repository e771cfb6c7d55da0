"""Which files of a folder are cubes, and what describes each. No file is opened: a dry run can afford it."""

import re
from pathlib import Path
from typing import NamedTuple

from spatial_prediction.errors import ConfigurationError, SceneError
from spatial_prediction.rasters.listing import list_scenes

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
"""What a cube may be called; its results stand in a folder of that name."""


class RawCube(NamedTuple):
    """A raw file and what describes it."""

    raw: Path
    description: Path


def list_cubes(directory: str | Path, pattern: str) -> dict[str, RawCube]:
    """List the raw cubes of a folder by name, which is a file's without its ending.

    Raises:
        ConfigurationError: a file cannot give a name, or two give one.
        SceneError: there is no such folder or no such file, or a file is described by none or by several.
    """
    cubes: dict[str, RawCube] = {}
    for raw in list_scenes(directory, pattern):
        if not NAME.fullmatch(raw.stem):
            raise ConfigurationError(
                f"{raw}: cannot be the name of a cube; rename it with letters, digits, -, _ and ."
            )
        if raw.stem in cubes:
            raise ConfigurationError(
                f"{raw} and {cubes[raw.stem].raw.name} differ in their endings only; choose by the pattern"
            )
        cubes[raw.stem] = RawCube(raw, description_of(raw))
    return cubes


def description_of(raw: Path) -> Path:
    """Find what describes a raw file: ``x.hdr``, ``x.bsq.hdr`` or ``x.json`` for ``x.bsq``.

    Raises:
        SceneError: there is none, or there are several.
    """
    names = (raw.with_suffix(".hdr"), raw.with_name(f"{raw.name}.hdr"), raw.with_suffix(".json"))
    found = [path for path in dict.fromkeys(names) if path.is_file()]
    if len(found) != 1:
        listing = ", ".join(path.name for path in found) or "none"
        raise SceneError(
            f"{raw}: is described by {listing}; there must be one of {', '.join(path.name for path in names)}"
        )
    return found[0]
