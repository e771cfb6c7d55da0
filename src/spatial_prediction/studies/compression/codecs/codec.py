"""The protocol of what is compared, and codecs by name."""

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Integer

from spatial_prediction.compression.integer_linerwkv import IntegerNetwork
from spatial_prediction.studies.compression.codecs.peers import PeerCodec
from spatial_prediction.studies.compression.codecs.predictors import PredictorCodec
from spatial_prediction.studies.compression.config import PREDICTORS


@runtime_checkable
class Codec(Protocol):
    """Compresses cubes of 8 or 16 bits."""

    def compress(self, samples: Integer[np.ndarray, "rows columns bands"], delta: int) -> bytes:
        """Compress a cube so that no sample is wrong by more than ``delta``; the bytes say all."""

    def decompress(self, compressed: bytes) -> Integer[np.ndarray, "rows columns bands"]:
        """Undo :meth:`compress`."""

    def stream_bytes(self, compressed: bytes) -> int:
        """Count those bytes that are neither header nor index nor checksum of the whole."""


def codec_from_name(name: str, network: IntegerNetwork | None = None) -> Codec:
    """Make a codec.

    Args:
        name: one of ``PREDICTORS`` or ``PEERS``.
        network: for those that need one.

    Raises:
        ConfigurationError: there is no such codec, or it needs a network.
    """
    return PredictorCodec(name, network) if name in PREDICTORS else PeerCodec(name)
