"""Cubes from file to file, a group of rows at a time."""

import contextlib
import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from spatial_prediction.compression.container import Description
from spatial_prediction.compression.cubes import PREDICTOR, SAMPLES_OF_GROUP, CubeReader, CubeWriter
from spatial_prediction.compression.integer_linerwkv import load_network
from spatial_prediction.cube_files.formats import RawSettings, open_cube, writer_of
from spatial_prediction.cube_files.protocol import Cube, Restored, Source
from spatial_prediction.errors import ConfigurationError, SceneError, StreamError
from spatial_prediction.files import written_aside
from spatial_prediction.output_files import check_output, only_writer
from spatial_prediction.progress import progress

logger = logging.getLogger(__name__)

MOST_ROWS = 1 << 16
"""Of a group, which predictors take."""


class Compressed(NamedTuple):
    """What has been written.

    Attributes:
        size: bytes of the compressed file.
        samples: number of samples.
        raw_size: bytes of the samples as they were.
    """

    size: int
    samples: int
    raw_size: int

    def in_words(self) -> str:
        """Say how much is left of the cube."""
        return (
            f"{self.size:,} bytes, {8 * self.size / self.samples:.3f} bits per sample, "
            f"{self.raw_size / self.size:.2f} times smaller"
        )


def compress_file(
    source: str | Path,
    target: str | Path,
    *,
    predictor: str = PREDICTOR,
    network: str | Path | None = None,
    delta: int | Sequence[int] = 0,
    rows_per_group: int | None = None,
    threads: int = 1,
    raw: RawSettings | None = None,
    variables: Sequence[str] = (),
    axes: tuple[str, str] | None = None,
    overwrite: bool = False,
) -> Compressed:
    """Compress a cube, with everything that its header says, in memory that does not grow with it.

    Args:
        source: ENVI (header or samples), GeoTIFF, netCDF, or with ``raw`` a file of plain numbers.
        target: the compressed file; appears when it is complete.
        predictor: as of ``compression.compress``.
        network: file of the network, for predictors with one (``integer_linerwkv.save_network``).
        delta: largest error of a sample, or one for each band; 0 is lossless.
        rows_per_group: how many rows can be read without reading others.
        threads: how many groups are compressed at a time.
        raw: what a file of plain numbers holds.
        variables: of a netCDF file that make up the cube.
        axes: dimensions of rows and columns of a netCDF file.
        overwrite: replace ``target`` if it exists.

    Raises:
        ConfigurationError: a setting is not usable, or ``target`` exists.
        CheckpointError: there is no such network.
        SceneError: the source cannot be read, or does not hold whole numbers of 8 to 32 bits.
        WriteError: the target cannot be written.
    """
    source, target = Path(source), Path(target)
    with (
        _named(source),
        contextlib.closing(open_cube(source, raw=raw, variables=variables, axes=axes)) as cube,
    ):
        read = [("input", path) for path in cube.files]
        if network is not None:
            read.append(("network", Path(network)))
        for name, path in read:
            check_output(target, {name: path}, overwrite=overwrite)
        rows, columns, bands = cube.shape
        logger.info(
            "%s: %s, %d rows x %d columns x %d bands of %s", source, cube.kind, *cube.shape, cube.dtype
        )
        for what in cube.not_kept:
            logger.warning("%s: its %s will not be restored", source, what)
        with only_writer(target), written_aside(target) as temporary:
            with open(temporary, "wb") as file:
                writer = CubeWriter(
                    file,
                    cube.shape,
                    cube.dtype,
                    delta=delta,
                    rows_per_group=rows_per_group or _rows_per_group(cube),
                    metadata=cube.metadata,
                    threads=threads,
                    predictor=predictor,
                    network=None if network is None else load_network(network),
                )
                described = writer.description
                for group in progress(
                    range(described.groups),
                    total=described.groups,
                    description=f"compressing {source.name}",
                    unit="groups of rows",
                ):
                    samples = cube.read(described.rows_of(group))
                    _check_missing(samples, cube.nodata, described)
                    writer.write_rows(samples)
                writer.finish()
            size = temporary.stat().st_size
    samples_in_all = rows * columns * bands
    compressed = Compressed(size, samples_in_all, samples_in_all * cube.dtype.itemsize)
    logger.info("%s: %s", target, compressed.in_words())
    return compressed


def decompress_file(
    source: str | Path,
    target: str | Path,
    *,
    network: str | Path | None = None,
    rows: tuple[int, int] | None = None,
    threads: int = 1,
    overwrite: bool = False,
) -> None:
    """Restore the file that was compressed, in its format, or some of its rows.

    Args:
        source: the compressed file.
        target: the cube, with the ending of its format; appears when it is complete.
        network: file of the network with which it was compressed, if that was so.
        rows: the first row and the one after the last; georeference and header are those of these rows.
        threads: how many groups are decompressed at a time.
        overwrite: replace ``target`` if it exists.

    Raises:
        ConfigurationError: there are no such rows, ``target`` exists or has the ending of another format, or
            the network is missing or another.
        CheckpointError: there is no such network.
        StreamError: the source is damaged, was not written to its end, or is no compressed cube.
        WriteError: the target cannot be written.
    """
    source, target = Path(source), Path(target)
    if network is not None:
        check_output(target, {"network": Path(network)}, overwrite=overwrite)
    with opened_compressed(source, network) as reader:
        described = reader.description
        chosen = _chosen_rows(rows, described)
        first, last = (row // described.rows_per_group for row in (chosen.start, chosen.stop - 1))
        with _named(source):
            kind = str(described.metadata.get("format", "raw"))
            written = writer_of(kind)
            restored = Restored(target, described, chosen, overwrite, source)
            with written(restored) as write:
                groups = progress(
                    reader.groups(first=first, last=last, threads=threads),
                    total=last - first + 1,
                    description=f"decompressing {source.name}",
                    unit="groups of rows",
                )
                for group, samples in enumerate(groups, first):
                    skipped = described.rows_of(group).start
                    write(samples[max(0, chosen.start - skipped) : chosen.stop - skipped])
    count = chosen.stop - chosen.start
    logger.info("%s: %s, %d rows x %d columns x %d bands", target, kind, count, *described.shape[1:])


@contextlib.contextmanager
def opened_compressed(path: Path, network: str | Path | None = None) -> Iterator[CubeReader]:
    """Open a compressed file; samples of one that was compressed with a network need that.

    Raises:
        StreamError: it is damaged, was not written to its end, or is no compressed cube.
        ConfigurationError: it was compressed with another network.
        CheckpointError: there is no such network.
    """
    known = None if network is None else load_network(network)
    with contextlib.ExitStack() as closing:
        try:
            file = closing.enter_context(open(path, "rb"))
        except OSError as error:
            raise StreamError(
                f"{path}: cannot be read ({os.strerror(error.errno or 0)}); check the folder and the name"
            ) from None
        with _named(path):
            reader = CubeReader(file, network=known)
        yield reader


@contextlib.contextmanager
def _named(path: Path) -> Iterator[None]:
    """Put the file's name before the message of every error of the file's."""
    try:
        yield
    except (SceneError, StreamError) as fault:
        if str(fault).startswith(f"{path}: "):
            raise
        raise type(fault)(f"{path}: {fault}") from fault.__cause__


def _rows_per_group(cube: Source) -> int:
    """Give the default of containers, in whole blocks of the source."""
    rows, columns, bands = cube.shape
    at_once = max(1, min(cube.rows_at_once, rows))
    blocks = max(1, SAMPLES_OF_GROUP // (columns * bands * at_once))
    return min(blocks * at_once, rows, MOST_ROWS)


def _check_missing(samples: Cube, nodata: Sequence[int], described: Description) -> None:
    """Refuse errors that could make missing samples of others, or others of missing ones.

    Raises:
        ConfigurationError: samples are as near to a value that marks missing ones.
    """
    delta = np.broadcast_to(np.asarray(described.delta, np.int64), described.shape[2])
    (lossy,) = np.nonzero(delta)
    if not len(lossy) or not nodata:
        return
    samples, delta = samples[:, :, lossy], delta[lossy]
    for value in nodata:
        near = (samples >= value - delta) & (samples <= value + delta)
        if near.any():
            band = lossy[np.nonzero(near.any((0, 1)))[0][0]]
            raise ConfigurationError(
                f"--delta {described.delta}: band {band + 1} has samples within it of {value}, which marks "
                "missing ones: they could no longer be told apart; give that band 0, or leave --delta out"
            )


def _chosen_rows(rows: tuple[int, int] | None, described: Description) -> slice:
    height = described.shape[0]
    first, end = rows if rows is not None else (0, height)
    if not 0 <= first < end <= height:
        raise ConfigurationError(f"--rows {first}:{end}: the cube has rows 0 to {height}, the last excluded")
    return slice(first, end)
