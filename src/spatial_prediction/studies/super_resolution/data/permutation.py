"""The order of the scenes, which decides what is training data and what is test data."""

from pathlib import Path

import numpy as np
from jaxtyping import Int64

from spatial_prediction.errors import ConfigurationError


def scene_order(
    count: int, *, seed: int | None = None, file: str | Path | None = None
) -> Int64[np.ndarray, " count"]:
    """Return a permutation of ``count`` scenes, from a seed or from a file.

    A permutation file is text with one index per line, counted from 0; empty lines and everything from a
    ``#`` on are ignored. The indices refer to the scenes sorted by name.

    Args:
        count: number of scenes.
        seed: seed of a random permutation.
        file: the permutation file. Give either this or ``seed``.

    Returns:
        Indices 0 to ``count - 1``, each once; int64.

    Raises:
        ConfigurationError: not exactly one of ``seed`` and ``file`` is given, the seed is negative, or the
            file is not a permutation; the message names the line and its value.
    """
    if (seed is None) == (file is None):
        raise ConfigurationError(f"seed={seed}, file={file}: give exactly one of them to order the scenes")
    if file is not None:
        return _read_permutation(Path(file), count)
    if seed is not None and seed < 0:
        raise ConfigurationError(f"seed={seed}: must not be negative; give 0 or more")
    return np.random.default_rng(seed).permutation(count)


def _read_permutation(file: Path, count: int) -> np.ndarray:
    line_of: dict[int, int] = {}
    for number, line in enumerate(_read_lines(file), start=1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        index = _parse_index(text, count, place=f"{file}: line {number}")
        if index in line_of:
            raise ConfigurationError(
                f"{file}: line {number}: {index} stands on line {line_of[index]} already; "
                "list each scene once"
            )
        line_of[index] = number
    if len(line_of) < count:
        absent = next(index for index in range(count) if index not in line_of)
        raise ConfigurationError(
            f"{file}: lists {len(line_of)} of the {count} scenes, the first absent is {absent}; "
            f"list every index from 0 to {count - 1}"
        )
    return np.array(list(line_of), dtype=np.int64)


def _read_lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{file}: cannot be read as text ({error}); give a text file with one index per line"
        ) from error


def _parse_index(text: str, count: int, *, place: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ConfigurationError(f"{place}: {text[:40]!r} is not an index; write one whole number per line")
    # Numbers with more digits than the longest index need not be parsed.
    index = int(text) if len(text) <= 18 else count
    if index >= count:
        raise ConfigurationError(
            f"{place}: {text[:40]} is not the index of a scene; there are {count} scenes, counted from 0"
        )
    return index
