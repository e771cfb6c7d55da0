"""What others offer for images, applied to cubes: a codec of imagecodecs with an arrangement of the cube.

With an error allowed, samples are quantised beforehand: every codec, lossless itself, gives a guaranteed
largest error so.
"""

import struct

import numpy as np
from jaxtyping import Integer

from spatial_prediction.errors import ConfigurationError, StreamError
from spatial_prediction.studies.compression.codecs.arrangements import BY_NAME
from spatial_prediction.studies.compression.codecs.images import CODECS
from spatial_prediction.studies.compression.config import PEERS

_HEADER = struct.Struct("<3I2sI")
"""Rows, columns, bands, type of samples without byte order, largest error; 4 bytes for each image follow."""


class PeerCodec:
    """A codec of images and how the cube becomes images."""

    def __init__(self, name: str) -> None:
        """Make a codec of one of ``PEERS``.

        Raises:
            ConfigurationError: there is no such codec.
        """
        if name not in PEERS:
            raise ConfigurationError(f"codec {name!r}: must be one of {', '.join(PEERS)}")
        codec, _, arrangement = name.partition("-")
        self._codec, self._arrangement = CODECS[codec], BY_NAME[arrangement]

    def compress(self, samples: Integer[np.ndarray, "rows columns bands"], delta: int) -> bytes:
        """Compress a cube: a header, the lengths of images, and these."""
        lowest = np.iinfo(samples.dtype).min
        indices = samples.astype(np.uint16) - np.int32(lowest).astype(np.uint16)  # wraps
        if delta:
            indices = ((indices.astype(np.uint32) + delta) // (2 * delta + 1)).astype(np.uint16)
        parts = [self._codec.encode(image) for image in self._arrangement.images(indices)]
        header = _HEADER.pack(*samples.shape, samples.dtype.str[1:].encode(), delta)
        return b"".join([header, struct.pack(f"<{len(parts)}I", *map(len, parts)), *parts])

    def decompress(self, compressed: bytes) -> Integer[np.ndarray, "rows columns bands"]:
        """Undo :meth:`compress`.

        Raises:
            StreamError: it is not as long as it says.
        """
        *sizes, dtype, delta = _HEADER.unpack_from(compressed)
        shape = (sizes[0], sizes[1], sizes[2])
        lengths, start = self._lengths(compressed)
        if start + sum(lengths) != len(compressed):
            raise StreamError(
                f"the stream has {len(compressed)} bytes, not those of its images: it is damaged"
            )
        images = []
        for length, size in zip(lengths, self._arrangement.sizes(shape), strict=True):
            images.append(self._codec.decode(compressed[start : start + length], size))
            start += length
        indices = self._arrangement.cube(images, shape)
        limits = np.iinfo(np.dtype(dtype.decode()))
        if delta:
            largest = limits.max - limits.min
            indices = (indices.astype(np.uint32) * (2 * delta + 1)).clip(0, largest).astype(np.uint16)
        return (indices + np.int32(limits.min).astype(np.uint16)).astype(limits.dtype)  # wraps

    def stream_bytes(self, compressed: bytes) -> int:
        """Count the bytes of the images."""
        return len(compressed) - self._lengths(compressed)[1]

    def _lengths(self, compressed: bytes) -> tuple[tuple[int, ...], int]:
        """Lengths of the images, and where the first begins."""
        rows, columns, bands, *_ = _HEADER.unpack_from(compressed)
        table = struct.Struct(f"<{len(self._arrangement.sizes((rows, columns, bands)))}I")
        return table.unpack_from(compressed, _HEADER.size), _HEADER.size + table.size
