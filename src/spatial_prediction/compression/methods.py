"""How a group of rows becomes bytes and back: the methods that a container can name.

Each needs the extra ``compression`` when it is used, not before.
"""

from typing import Any, Protocol

import numpy as np

from spatial_prediction.errors import StreamError

Delta = int | tuple[int, ...]


class Method(Protocol):
    """Compresses groups of rows (rows, columns, bands)."""

    def encode(self, group: np.ndarray, delta: Delta) -> bytes:
        """Compress a group, with a largest error of a sample or one for each band.

        Raises:
            ConfigurationError: the method does not take such samples.
        """

    def decode(self, stream: bytes, shape: tuple[int, int, int], dtype: np.dtype, delta: Delta) -> np.ndarray:
        """Undo :meth:`encode`.

        Raises:
            StreamError: the stream is damaged.
        """


class Standard:
    """CCSDS 123.0-B-2, ordered by pixel (BIP)."""

    def encode(self, group: np.ndarray, delta: Delta) -> bytes:
        """Compress a group."""
        from spatial_prediction.compression import ccsds123

        bands = group.shape[2]
        parameters: dict[str, Any] = {"encoding_order": "BI", "M": bands}
        if group.shape[1] == 1:  # nothing stands beside a sample
            parameters |= {"prediction_mode": "reduced", "local_sum": "wide_column"}
        if np.any(delta):
            parameters |= {"fidelity": "absolute", "a": delta}
        return ccsds123.compress(group, **parameters)

    def decode(self, stream: bytes, shape: tuple[int, int, int], dtype: np.dtype, delta: Delta) -> np.ndarray:
        """Undo :meth:`encode`."""
        from spatial_prediction.compression import ccsds123

        cube = ccsds123.decompress(stream)
        if cube.shape != shape:
            raise StreamError(f"they have the shape {cube.shape} instead of {shape}: damaged")
        return cube.astype(dtype)


class LeastSquares:
    """Least squares across bands, lines and columns, and the coder by context; samples of up to 16 bits."""

    def encode(self, group: np.ndarray, delta: Delta) -> bytes:
        """Compress a group."""
        from spatial_prediction.compression.context_coder import encode_residuals
        from spatial_prediction.compression.predictors import LeastSquaresPredictor, to_residuals

        predictor = LeastSquaresPredictor(columns=group.shape[1], bands=group.shape[2])
        return encode_residuals(to_residuals(group, predictor, largest_error=delta))

    def decode(self, stream: bytes, shape: tuple[int, int, int], dtype: np.dtype, delta: Delta) -> np.ndarray:
        """Undo :meth:`encode`."""
        from spatial_prediction.compression.context_coder import decode_residuals
        from spatial_prediction.compression.predictors import LeastSquaresPredictor, from_residuals

        predictor = LeastSquaresPredictor(columns=shape[1], bands=shape[2])
        return from_residuals(decode_residuals(stream, shape), predictor, dtype=dtype, largest_error=delta)


METHODS: dict[str, Method] = {"ccsds123": Standard(), "least_squares": LeastSquares()}
"""By the names that stand in containers; what a name means never changes."""
