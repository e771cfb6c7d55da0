"""This package's predictors, in its containers."""

import io

import numpy as np
from jaxtyping import Integer

from spatial_prediction.compression import compress, decompress
from spatial_prediction.compression.container import ContainerReader
from spatial_prediction.compression.integer_linerwkv import IntegerNetwork
from spatial_prediction.compression.methods import method_of
from spatial_prediction.errors import ConfigurationError
from spatial_prediction.studies.compression.config import WITH_NETWORK


class PredictorCodec:
    """One of the package's predictors; the whole cube is one group of rows."""

    def __init__(self, name: str, network: IntegerNetwork | None = None) -> None:
        """Make a codec.

        Args:
            name: one of ``PREDICTORS``.
            network: the trained network, which those ``WITH_NETWORK`` use.

        Raises:
            ConfigurationError: the network is missing.
        """
        if name in WITH_NETWORK and network is None:
            raise ConfigurationError(f"{name}: needs a trained network; give its file")
        self._name, self._network = name, network if name in WITH_NETWORK else None

    def compress(self, samples: Integer[np.ndarray, "rows columns bands"], delta: int) -> bytes:
        """Compress a cube."""
        return compress(
            samples, delta=delta, predictor=self._name, network=self._network, rows_per_group=len(samples)
        )

    def decompress(self, compressed: bytes) -> Integer[np.ndarray, "rows columns bands"]:
        """Undo :meth:`compress`."""
        return decompress(compressed, network=self._network)

    def stream_bytes(self, compressed: bytes) -> int:
        """Count the bytes of the one group."""
        return len(ContainerReader(io.BytesIO(compressed)).read_group(0))

    def residuals(
        self, samples: Integer[np.ndarray, "rows columns bands"], delta: int = 0
    ) -> Integer[np.ndarray, "rows columns bands"]:
        """Map what the predictor missed to numbers from 0, of which an entropy coder makes the stream."""
        return method_of(self._name, self._network).residuals(samples, delta)
