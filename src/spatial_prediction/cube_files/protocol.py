"""What a reader of cubes gives, and what a writer takes."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeAlias, runtime_checkable

import numpy as np
from jaxtyping import Integer

from spatial_prediction.compression.container import DTYPES, Description
from spatial_prediction.errors import ConfigurationError, SceneError, StreamError

Cube: TypeAlias = Integer[np.ndarray, "rows columns bands"]

Write: TypeAlias = Callable[[Cube], None]
"""Takes the next rows."""

REMEDY = (
    "pack them into whole numbers first, such as reflectance x 10,000 in int16 with a scale factor of 0.0001 "
    "(docs/compression.md shows how)"
)


@runtime_checkable
class Source(Protocol):
    """An open cube. Every method raises SceneError, whose message names no file, where it cannot be used.

    Attributes:
        kind: what the file is, by the name that metadata give it.
        shape: rows, columns and bands.
        dtype: of the samples as stored, with their byte order.
        nodata: values of samples that are missing, as the header declares them.
        rows_at_once: reading this many rows, or a multiple, is no slower than reading fewer.
        files: of which the cube consists.
        metadata: what restores everything but the samples; what JSON can hold.
        not_kept: what of the file will not be restored, in words.
    """

    kind: str
    shape: tuple[int, int, int]
    dtype: np.dtype
    nodata: tuple[int, ...]
    rows_at_once: int
    files: tuple[Path, ...]
    metadata: dict[str, Any]
    not_kept: tuple[str, ...]

    def read(self, rows: slice) -> Cube:
        """Read rows in the order of the file; only these are held in memory."""

    def close(self) -> None:
        """Close the file."""


class Restored(NamedTuple):
    """What a writer is to make.

    Attributes:
        path: of the file; others beside it get its name.
        description: of the whole cube.
        rows: which of its rows are written.
        overwrite: whether files that stand there may be replaced.
        source: the compressed file, which may not be replaced.
    """

    path: Path
    description: Description
    rows: slice
    overwrite: bool
    source: Path

    @property
    def height(self) -> int:
        """Number of rows."""
        return self.rows.stop - self.rows.start

    @property
    def metadata(self) -> dict[str, Any]:
        """What the reader of the format has put down."""
        return self.description.metadata

    @property
    def is_whole(self) -> bool:
        """Whether all rows are written."""
        return self.height == self.description.shape[0]


@runtime_checkable
class Writer(Protocol):
    """Writes a file that appears when the context ends without an error."""

    def __call__(self, restored: Restored) -> contextlib.AbstractContextManager[Write]:
        """Begin the file; the context gives what takes rows.

        Raises:
            ConfigurationError: the name is none of the format, or the file stands in the way.
            StreamError: the metadata are not those of the format.
            WriteError: the system cannot write it.
        """


def check_samples(dtype: np.dtype) -> None:
    """Refuse samples that are no whole numbers of 8 to 32 bits.

    Raises:
        SceneError: the message says what to do.
    """
    if dtype.str in DTYPES:
        return
    if dtype.kind in "iu":
        raise SceneError(
            f"holds samples of {dtype.name}, and cubes are compressed from 8 to 32 bits; {REMEDY}"
        )
    raise SceneError(f"holds samples of {dtype.name}, and cubes are compressed as whole numbers; {REMEDY}")


def in_range(value: float, dtype: np.dtype) -> bool:
    """Whether a sample can have a value."""
    info = np.iinfo(dtype)
    return float(value).is_integer() and info.min <= value <= info.max


def check_ending(path: Path, endings: tuple[str, ...], kind: str) -> None:
    """Refuse the name of a file of another format.

    Raises:
        ConfigurationError: the name has none of the endings.
    """
    if path.suffix.lower() not in endings:
        raise ConfigurationError(
            f"--out {path}: what was compressed is {kind}; give a name that ends in {' or '.join(endings)}"
        )


@contextlib.contextmanager
def metadata_read(path: Path) -> Iterator[None]:
    """Turn what is raised for metadata of another form into an error that names the compressed file.

    Raises:
        StreamError: the metadata lack something or hold something else.
    """
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, SceneError) as error:
        if isinstance(error, ConfigurationError):
            raise
        raise StreamError(
            f"{path}: its metadata cannot be used ({type(error).__name__}: {error}); compress the cube again"
        ) from error
