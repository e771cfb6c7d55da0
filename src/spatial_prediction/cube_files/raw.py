"""Plain numbers without a header, whose shape, type and order the user states."""

import base64
import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from spatial_prediction.compression.container import Description
from spatial_prediction.cube_files.protocol import Cube, Restored, Write, check_samples, metadata_read
from spatial_prediction.errors import ConfigurationError, SceneError
from spatial_prediction.files import written_aside
from spatial_prediction.output_files import check_output, only_writer
from spatial_prediction.rasters.envi_layout import AXES, Layout

LARGEST_SKIPPED = 1 << 20
"""Bytes before the first sample that are kept."""


class RawCube:
    """A file of plain numbers, a ``Source``.

    Args:
        path: of the file.
        layout: of its samples.
        metadata: to be kept, besides what stands before the samples.
    """

    kind = "raw"
    not_kept: tuple[str, ...] = ()
    rows_at_once = 1

    def __init__(self, path: Path, layout: Layout, metadata: dict[str, Any] | None = None):
        check_samples(layout.dtype)
        if layout.skipped > LARGEST_SKIPPED:
            raise SceneError(
                f"{layout.skipped} bytes stand before its samples, and at most {LARGEST_SKIPPED} are kept; "
                "store the samples without them"
            )
        self._path, self._layout = path, layout
        self.files: tuple[Path, ...] = (path,)
        self.nodata: tuple[int, ...] = ()
        self.shape = (layout.lines, layout.samples, layout.bands)
        self.dtype = layout.dtype
        with open(path, "rb") as file:
            before = file.read(layout.skipped)
        self.metadata = {
            "format": self.kind,
            "interleave": layout.interleave,
            "before_samples": base64.b64encode(before).decode(),
            **(metadata or {}),
        }

    def read(self, rows: slice) -> Cube:
        """Read rows; what the system has mapped for them is given back."""
        return np.array(self._layout.mapped(self._path)[:, rows].transpose(1, 2, 0), order="C")

    def close(self) -> None:
        """Nothing is open between two calls."""


def open_raw(
    path: Path,
    shape: Sequence[int],
    dtype: np.dtype,
    *,
    interleave: str = "bsq",
    skipped: int = 0,
) -> RawCube:
    """Open a file of plain numbers.

    Args:
        path: of the file.
        shape: rows, columns and bands.
        dtype: with its byte order.
        interleave: one of ``AXES``.
        skipped: bytes before the first sample.

    Raises:
        ConfigurationError: an argument is not usable.
        SceneError: the file has another length, or samples that are not compressed.
    """
    if len(shape) != 3 or min(shape) < 1:
        raise ConfigurationError(
            f"--shape {' '.join(map(str, shape))}: give rows, columns and bands, from 1 on"
        )
    if interleave not in AXES:
        raise ConfigurationError(f"--interleave {interleave}: must be one of {', '.join(AXES)}")
    if skipped < 0:
        raise ConfigurationError(f"--header-offset {skipped}: must be from 0")
    rows, columns, bands = shape
    layout = Layout(bands, rows, columns, np.dtype(dtype), interleave, skipped)
    held = path.stat().st_size
    if held != layout.size:
        raise SceneError(
            f"holds {held} bytes, and its shape and type make {layout.size} ({layout.in_words()}): "
            f"{'truncated' if held < layout.size else 'longer than stated'}; correct --shape, --dtype or "
            "--header-offset, or fetch the file again"
        )
    return RawCube(path, layout)


@contextlib.contextmanager
def raw_written(restored: Restored) -> Iterator[Write]:
    """Write a file of plain numbers; a ``Writer``."""
    with metadata_read(restored.source):
        layout = layout_of_rows(restored)
        before = before_samples(restored.metadata)
    check_output(restored.path, {"input": restored.source}, overwrite=restored.overwrite)
    with (
        only_writer(restored.path),
        written_aside(restored.path) as temporary,
        samples_written(temporary, layout, before) as write,
    ):
        yield write


def layout_of_rows(restored: Restored) -> Layout:
    """Give the layout of the file that holds the rows to be written; BIP where metadata say nothing."""
    described: Description = restored.description
    _, columns, bands = described.shape
    interleave = restored.metadata.get("interleave", "bip")
    if interleave not in AXES:
        raise ValueError(f"interleave={interleave!r}")
    return Layout(
        bands,
        restored.height,
        columns,
        np.dtype(described.dtype),
        interleave,
        len(before_samples(restored.metadata)),
    )


def before_samples(metadata: dict[str, Any]) -> bytes:
    """Give what stands before the samples."""
    return base64.b64decode(metadata.get("before_samples", ""), validate=True)


@contextlib.contextmanager
def samples_written(path: Path, layout: Layout, before: bytes) -> Iterator[Write]:
    """Write samples in their order, a part of each band at a time where bands lie one after another."""
    with open(path, "wb") as file:
        file.write(before)
        written = 0

        def write(cube: Cube) -> None:
            nonlocal written
            _write_rows(file, layout, written, cube)
            written += len(cube)

        yield write


def _write_rows(file: BinaryIO, layout: Layout, first: int, cube: Cube) -> None:
    """Write rows from ``first`` on.

    By calls of the system, not through a map: a full disk is an error here, and ends the process there.
    """
    cube = cube.astype(layout.dtype, copy=False)
    stored = cube.transpose([(2, 0, 1)[axis] for axis in AXES[layout.interleave]])
    row = layout.samples * layout.dtype.itemsize
    if layout.interleave != "bsq":
        file.seek(layout.skipped + first * row * layout.bands)
        file.write(np.ascontiguousarray(stored).data)
        return
    for band, samples in enumerate(stored):
        file.seek(layout.skipped + (band * layout.lines + first) * row)
        file.write(np.ascontiguousarray(samples).data)
