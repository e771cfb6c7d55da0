"""This package's predictors, in its containers."""

import io

import numpy as np
from jaxtyping import Integer

from spatial_prediction.compression import ccsds123, compress, decompress
from spatial_prediction.compression.container import ContainerReader, ContainerWriter, Description
from spatial_prediction.compression.context_coder import decode_residuals, encode_residuals
from spatial_prediction.compression.integer_linerwkv import IntegerNetwork
from spatial_prediction.compression.predictors import (
    DifferentialPredictor,
    LeastSquaresPredictor,
    LineRWKVPredictor,
    Predictor,
    from_residuals,
    to_residuals,
)
from spatial_prediction.errors import ConfigurationError
from spatial_prediction.studies.compression.config import (
    CCSDS123,
    DPCM,
    LEAST_SQUARES,
    LINERWKV,
    WITH_NETWORK,
)

METHODS = (CCSDS123, LEAST_SQUARES)
"""Those that ``compression.compress`` knows; the others are coded by context, in a container all the same."""


class PredictorCodec:
    """One of the package's predictors; the whole cube is one group of rows."""

    def __init__(self, name: str, network: IntegerNetwork | None = None) -> None:
        """Make a codec.

        Args:
            name: one of ``PREDICTORS``.
            network: the trained network, for those ``WITH_NETWORK``.

        Raises:
            ConfigurationError: the network is missing.
        """
        if name in WITH_NETWORK and network is None:
            raise ConfigurationError(f"{name}: needs a trained network; give its file")
        self._name, self._network = name, network

    def compress(self, samples: Integer[np.ndarray, "rows columns bands"], delta: int) -> bytes:
        """Compress a cube."""
        rows = len(samples)
        if self._name in METHODS:
            return compress(samples, delta=delta, predictor=self._name, rows_per_group=rows)
        file = io.BytesIO()
        identity = {"network": self._network.identity()} if self._network else {}
        described = Description(samples.shape, samples.dtype.str, self._name, rows, delta, identity)
        writer = ContainerWriter(file, described)
        writer.write_group(encode_residuals(self.residuals(samples, delta)))
        writer.finish()
        return file.getvalue()

    def decompress(self, compressed: bytes) -> Integer[np.ndarray, "rows columns bands"]:
        """Undo :meth:`compress`."""
        if self._name in METHODS:
            return decompress(compressed)
        container = ContainerReader(io.BytesIO(compressed))
        described = container.description
        return from_residuals(
            decode_residuals(container.read_group(0), described.shape),
            self._predictor(*described.shape[1:]),
            dtype=np.dtype(described.dtype),
            largest_error=described.delta,
        )

    def stream_bytes(self, compressed: bytes) -> int:
        """Count the bytes of the one group."""
        return len(ContainerReader(io.BytesIO(compressed)).read_group(0))

    def residuals(
        self, samples: Integer[np.ndarray, "rows columns bands"], delta: int = 0
    ) -> Integer[np.ndarray, "rows columns bands"]:
        """Map what the predictor missed to numbers from 0, of which an entropy coder makes the stream."""
        if self._name == CCSDS123:
            limits = {"fidelity": "absolute", "a": delta} if delta else {}
            return ccsds123.mapped_indices(samples, **limits)
        predictor = self._predictor(*samples.shape[1:])
        return to_residuals(samples, predictor, largest_error=delta)

    def _predictor(self, columns: int, bands: int) -> Predictor:
        if self._name == DPCM:
            return DifferentialPredictor("both", columns=columns, bands=bands)
        if self._name == LEAST_SQUARES:
            return LeastSquaresPredictor(columns=columns, bands=bands)
        assert self._network is not None
        network = LineRWKVPredictor(self._network, columns=columns, bands=bands)
        if self._name == LINERWKV:
            return network
        return LeastSquaresPredictor(columns=columns, bands=bands, experts=[network])
