"""An output to be written: what it holds, and how its blocks are given to it."""

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol, TypeAlias

import numpy as np
from jaxtyping import Shaped

from spatial_prediction.reflectance import DN_PER_REFLECTANCE
from spatial_prediction.upscaling.georeference import Georeference
from spatial_prediction.upscaling.samples import SampleType

REFLECTANCE_OF_DN = 1 / DN_PER_REFLECTANCE
"""``scale_factor`` of every output: DN times it are reflectance, without an offset."""

Write: TypeAlias = Callable[[slice, slice, Shaped[np.ndarray, "bands height width"]], None]
"""Takes rows and columns of the output and their samples. One thread at a time."""


class Compression(NamedTuple):
    """How samples are compressed.

    Attributes:
        codec: one of ``settings.LEVELS``.
        level: of the codec; None for one without.
    """

    codec: str
    level: int | None


class Output(NamedTuple):
    """What a file is to hold.

    Attributes:
        height: number of rows.
        width: number of columns.
        bands: their names.
        samples: their type.
        georeference: where the pixels lie.
        tags: attributes of the file.
        compression: of the samples.
        in_whole_blocks: every block is given once and whole; otherwise parts of one come at several times.
        is_point: a sample stands for a point (``AREA_OR_POINT``), rather than for the area of its pixel.
    """

    height: int
    width: int
    bands: tuple[str, ...]
    samples: SampleType
    georeference: Georeference
    tags: Mapping[str, str]
    compression: Compression = Compression("none", None)
    in_whole_blocks: bool = True
    is_point: bool = False

    @property
    def raw_bytes(self) -> int:
        """Size of all samples as they are."""
        return self.height * self.width * len(self.bands) * np.dtype(self.samples.name).itemsize


class Writer(Protocol):
    """Writes a file that is complete when the context ends."""

    def __call__(self, path: Path, output: Output) -> contextlib.AbstractContextManager[Write]:
        """Begin the file; the context gives what takes its blocks.

        Args:
            path: of the file.
            output: what it is to hold.

        Raises:
            RasterioError: GDAL cannot write.
            OSError: the system, GDAL or HDF5 could not.
        """


def check_shape(rows: slice, columns: slice, samples: np.ndarray) -> None:
    """Refuse samples of another shape than their place, which some writers would resample in silence.

    Raises:
        ValueError: the shapes differ.
    """
    place = (rows.stop - rows.start, columns.stop - columns.start)
    if samples.shape[1:] != place:
        raise ValueError(f"samples of shape {samples.shape} cannot be written to {place} pixels")
