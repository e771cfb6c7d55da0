"""Containers to damage, above and beneath their checksums, and what may come of them."""

import io
import json
import struct
import zlib

import numpy as np

from spatial_prediction.compression import compress, context_coder, decompress
from spatial_prediction.compression.container import MAGIC, ContainerReader, ContainerWriter
from spatial_prediction.compression.linerwkv import quantised
from spatial_prediction.compression.methods import METHODS, PREDICTORS
from spatial_prediction.errors import ConfigurationError, StreamError
from tests.compressed_streams import damaged, smooth_cube
from tests.line_networks import random_network

PLACES = ("anywhere", "beneath a group's checksum", "beneath the header's checksum")


class Containers:
    """A cube in a container of each predictor, and as the residuals of the coder by context."""

    def __init__(self, shape=(6, 5, 4)):
        self._network = quantised(random_network())
        self._cube = smooth_cube(shape)
        self._streams = {
            predictor: compress(
                self._cube, predictor=predictor, network=self._network_of(predictor), rows_per_group=3
            )
            for predictor in PREDICTORS
        }
        self._residuals = np.random.default_rng(0).geometric(0.1, shape).astype(np.uint16)
        self._coded = context_coder.encode_residuals(self._residuals)
        self.cases = [(predictor, place) for predictor in PREDICTORS for place in PLACES]

    def _network_of(self, predictor):
        return None if predictor in METHODS else self._network

    def outcome(self, predictor, place, rng):
        """``error``, ``right``, or beneath a checksum ``wrong`` of a damaged container."""
        stream = self._streams[predictor]
        if place == PLACES[0]:
            stream = damaged(stream, rng)
        elif place == PLACES[1]:
            stream = with_damaged_group(stream, rng)
        else:
            stream = with_damaged_header(stream, rng)
        try:
            decoded = decompress(stream, network=self._network)
        except (StreamError, ConfigurationError):
            return "error"
        if decoded.shape == self._cube.shape and (decoded == self._cube).all():
            return "right"
        assert place != PLACES[0], "damage that no checksum notices"
        assert place == PLACES[2] or decoded.shape == self._cube.shape
        return "wrong"

    def outcome_of_residuals(self, rng):
        """The same of a stream of the coder by context, which has no checksum."""
        try:
            decoded = context_coder.decode_residuals(damaged(self._coded, rng), self._residuals.shape)
        except StreamError:
            return "error"
        assert decoded.shape == self._residuals.shape
        return "right" if (decoded == self._residuals).all() else "wrong"


def with_damaged_group(container, rng):
    """Damage a group and give the container the checksum of what it now is."""
    reader = ContainerReader(io.BytesIO(container))
    file = io.BytesIO()
    writer = ContainerWriter(file, reader.description)
    unlucky = int(rng.integers(reader.description.groups))
    for group in range(reader.description.groups):
        stream = reader.read_group(group)
        writer.write_group(damaged(stream, rng) if group == unlucky else stream)
    writer.finish()
    return file.getvalue()


def with_damaged_header(container, rng):
    """Change a character of the header's text, or one of its values, and make its checksum right."""
    length = struct.unpack_from("<I", container, len(MAGIC))[0]
    begin = len(MAGIC) + 4
    text = bytearray(container[begin : begin + length])
    if rng.integers(2):
        text[int(rng.integers(length))] = int(rng.integers(32, 127))
    else:
        header = json.loads(text)
        name = str(rng.choice(sorted(header)))
        others = [0, 1, -1, 2, 7, 1 << 20, 1 << 40, None, "x", [], [1, 2, 3], [5, 6, 4], {}, 0.5, True]
        header[name] = others[int(rng.integers(len(others)))]
        text = json.dumps(header, separators=(",", ":")).encode()
    start = MAGIC + struct.pack("<I", len(text)) + bytes(text)
    return start + struct.pack("<I", zlib.crc32(start)) + container[begin + length + 4 :]
