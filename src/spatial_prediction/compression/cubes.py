"""Cubes in containers: in memory, or a group of rows at a time from file to file."""

import io
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
from jaxtyping import Integer, Shaped

from spatial_prediction.compression.container import ContainerReader, ContainerWriter, Description
from spatial_prediction.compression.integer_linerwkv import IntegerNetwork
from spatial_prediction.compression.methods import METHODS, METHODS_OF_NETWORKS, PREDICTORS, Method, method_of
from spatial_prediction.errors import ConfigurationError, StreamError

PREDICTOR = "ccsds123"
"""Of the ``methods.PREDICTORS``, unless told otherwise."""

SAMPLES_OF_GROUP = 1 << 24
"""Of a group, unless told otherwise: 32 MB of 16-bit ones, and several times that while it is coded."""

Cube = Integer[np.ndarray, "rows columns bands"]


class CubeWriter:
    """Compresses a cube into an open binary file, as its rows come.

    Memory is bounded by a group of rows, or ``threads`` and two of them.

    Args:
        file: Written to from where it stands.
        shape: Rows, columns and bands of the whole cube.
        dtype: Whole numbers of 8 to 32 bits.
        delta: Largest error of a sample, or one for each band; 0 is lossless.
        rows_per_group: How many rows can be read without reading others; by default as many as have
            ``SAMPLES_OF_GROUP``. Prediction begins anew in each group, so that few rows cost rate.
        metadata: Kept beside the cube; anything that JSON can hold.
        threads: How many groups are compressed at a time.
        predictor: ``"ccsds123"``, or for samples of up to 16 bits ``"least_squares"``, ``"linerwkv"`` or
            ``"mixture"`` of both, which take more time, or ``"dpcm"``, which takes more bits.
        network: Which ``"linerwkv"`` and ``"mixture"`` predict with. The container names it by its hash and
            does not hold it: who reads it has to be given the same.

    Raises:
        ConfigurationError: an argument is not usable.
    """

    def __init__(
        self,
        file: io.BufferedIOBase,
        shape: tuple[int, int, int],
        dtype: np.dtype | str,
        *,
        delta: int | Sequence[int] = 0,
        rows_per_group: int | None = None,
        metadata: dict[str, Any] | None = None,
        threads: int = 1,
        predictor: str = PREDICTOR,
        network: IntegerNetwork | None = None,
    ) -> None:
        method = method_of(predictor, network)
        if network is not None and predictor in METHODS:
            raise ConfigurationError(f"network: predictor={predictor!r} takes none")
        rows, columns, bands = (int(size) for size in shape)
        if rows_per_group is None:
            rows_per_group = min(max(1, SAMPLES_OF_GROUP // max(1, columns * bands)), max(1, rows), 1 << 16)
        self.description = Description(
            (rows, columns, bands),
            np.dtype(dtype).str,
            predictor,
            rows_per_group,
            int(delta) if isinstance(delta, (int, np.integer)) else tuple(int(each) for each in delta),
            metadata or {},
            None if network is None else network.identity(),
        )
        self._container = ContainerWriter(file, self.description)
        self._waiting: list[np.ndarray] = []
        self._rows_waiting = self._rows_written = 0
        self._encode = method.encode
        self._pool = _pool(threads)
        self._compressed: deque[Future[bytes]] = deque()
        self._threads = threads

    def write_rows(self, rows: Shaped[np.ndarray, "..."]) -> None:
        """Append rows, as many as there are at hand.

        Raises:
            ConfigurationError: they do not belong to the cube that was announced.
        """
        announced = self.description
        if rows.ndim != 3 or rows.shape[1:] != announced.shape[1:] or rows.dtype.str != announced.dtype:
            raise ConfigurationError(
                f"rows: are {rows.dtype.str} {rows.shape}, announced was {announced.dtype} {announced.shape}"
            )
        while len(rows):
            count = announced.rows_per_group - self._rows_waiting
            self._waiting.append(rows[:count].copy())
            self._rows_waiting += len(rows[:count])
            rows = rows[count:]
            if self._rows_waiting == announced.rows_per_group:
                self._write_group()

    def finish(self) -> None:
        """Write what is left and the index, without which nothing can be read.

        Raises:
            ConfigurationError: rows are missing, or are more than announced.
        """
        if self._rows_waiting:
            self._write_group()
        if self._rows_written != self.description.shape[0]:
            raise ConfigurationError(
                f"{self._rows_written} rows were written, {self.description.shape[0]} were announced"
            )
        self._take_compressed(0)
        self._pool.shutdown()
        self._container.finish()

    def _write_group(self) -> None:
        group = self._waiting[0] if len(self._waiting) == 1 else np.concatenate(self._waiting)
        self._waiting = []
        self._rows_written += self._rows_waiting
        self._rows_waiting = 0
        self._compressed.append(self._pool.submit(self._encode, group, self.description.delta))
        self._take_compressed(self._threads if self._threads > 1 else 0)

    def _take_compressed(self, still_waiting: int) -> None:
        while len(self._compressed) > still_waiting:
            self._container.write_group(self._compressed.popleft().result())


class CubeReader:
    """Decompresses a cube from an open binary file, whole or a group of rows at a time.

    Args:
        file: An open binary file with nothing else in it, in which one can seek.
        network: As given to the writer, if one was. Without it the description can be read.

    Attributes:
        description: Shape, type, largest error and metadata.

    Raises:
        StreamError: it is no compressed cube, is damaged, was not written to its end, or was compressed with
            something that this package does not have.
        ConfigurationError: it was compressed with another network.
    """

    def __init__(self, file: io.BufferedIOBase, *, network: IntegerNetwork | None = None) -> None:
        self._container = ContainerReader(file)
        self.description = self._container.description
        self._network = network
        predictor, needed = self.description.predictor, self.description.network
        if predictor not in PREDICTORS:
            raise StreamError(
                f"the cube was compressed with {predictor!r}, which is not known here; "
                "decompress it with a newer version of this package"
            )
        if (needed is not None) != (predictor in METHODS_OF_NETWORKS):
            raise StreamError(
                f"the header of the compressed cube names the predictor {predictor!r} and the network "
                f"{needed}, which do not belong together; transfer or compress it again"
            )
        if needed is not None and network is not None and network.identity() != needed:
            raise ConfigurationError(
                f"network: is {network.identity()}, but the cube was compressed with {needed}; give that one"
            )

    def read_group(self, group: int) -> Cube:
        """Give the rows ``description.rows_of(group)``.

        Raises:
            IndexError: there is no such group.
            StreamError: they are damaged.
            ConfigurationError: the network is missing.
        """
        return self._decoded(self._method(), group, self._container.read_group(group))

    @property
    def sizes(self) -> list[int]:
        """Bytes of each group, compressed."""
        return self._container.sizes

    def check_group(self, group: int) -> None:
        """Compare the checksum of a group, without decompressing it.

        Raises:
            IndexError: there is no such group.
            StreamError: it is damaged.
        """
        self._container.read_group(group)

    def groups(self, *, first: int = 0, last: int | None = None, threads: int = 1) -> Iterator[Cube]:
        """Give the whole cube, rows after rows, or some groups of it.

        Args:
            first: The first group.
            last: The last group; None: the last one of the cube.
            threads: How many groups are decompressed at a time.

        Raises:
            ConfigurationError: ``threads`` is not usable, or the network is missing.
            StreamError: a group is damaged; those before are given.
        """
        method, end = self._method(), self.description.groups if last is None else last + 1
        with _pool(threads) as pool:
            decoded: deque[Future[Cube]] = deque()
            for group in range(first, end):
                decoded.append(pool.submit(self._decoded, method, group, self._container.read_group(group)))
                if len(decoded) >= threads:
                    yield decoded.popleft().result()
            for future in decoded:
                yield future.result()

    def _method(self) -> Method:
        needed = self.description.network
        if needed is not None and self._network is None:
            raise ConfigurationError(
                f"network: the cube was compressed with the network {needed}; give that (--network FILE)"
            )
        return method_of(self.description.predictor, self._network)

    def _decoded(self, method: Method, group: int, stream: bytes) -> Cube:
        described = self.description
        rows = described.rows_of(group)
        shape, dtype = (rows.stop - rows.start, *described.shape[1:]), np.dtype(described.dtype)
        try:
            return method.decode(stream, shape, dtype, described.delta)
        except StreamError as error:
            raise StreamError(f"rows {rows.start} to {rows.stop - 1}: {error}") from None


def compress(
    cube: Shaped[np.ndarray, "..."],
    *,
    delta: int | Sequence[int] = 0,
    rows_per_group: int | None = None,
    metadata: dict[str, Any] | None = None,
    threads: int = 1,
    predictor: str = PREDICTOR,
    network: IntegerNetwork | None = None,
) -> bytes:
    """Compress a cube; nothing else is needed to decompress it, apart from the network if one is given.

    Args:
        cube: Whole numbers of 8 to 32 bits, (rows, columns, bands), at most 65,536 columns and bands.
        delta: Largest error of a sample, or one for each band; 0 is lossless.
        rows_per_group: See ``CubeWriter``, which compresses cubes that do not fit into memory.
        metadata: Kept beside the cube; anything that JSON can hold.
        threads: How many groups are compressed at a time.
        predictor: See ``CubeWriter``.
        network: See ``CubeWriter``.

    Raises:
        ConfigurationError: an argument is not usable.
    """
    if cube.ndim != 3:
        raise ConfigurationError(f"cube: must be (rows, columns, bands), got the shape {cube.shape}")
    file = io.BytesIO()
    writer = CubeWriter(
        file,
        cube.shape,
        cube.dtype,
        delta=delta,
        rows_per_group=rows_per_group,
        metadata=metadata,
        threads=threads,
        predictor=predictor,
        network=network,
    )
    writer.write_rows(cube)
    writer.finish()
    return file.getvalue()


def decompress(stream: bytes, *, threads: int = 1, network: IntegerNetwork | None = None) -> Cube:
    """Give the cube that ``compress`` or ``CubeWriter`` was given, in its type and byte order.

    Args:
        stream: As ``compress`` returned it, or the bytes of a file of ``CubeWriter``.
        threads: How many groups are decompressed at a time.
        network: That which ``compress`` was given, if any.

    Raises:
        StreamError: the stream is damaged, was not written to its end, or is none of theirs.
        ConfigurationError: ``threads`` is not usable, or the network is missing or another.
    """
    reader = CubeReader(io.BytesIO(stream), network=network)
    return np.concatenate(
        list(reader.groups(threads=threads)), dtype=reader.description.dtype
    )  # native order otherwise


def _pool(threads: int) -> ThreadPoolExecutor:
    if threads < 1:
        raise ConfigurationError(f"threads={threads}: must be from 1")
    return ThreadPoolExecutor(threads)
