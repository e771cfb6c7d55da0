"""How a group of rows becomes bytes and back: the methods that a container can name.

Each needs the extra ``compression`` when it is used, not before.
"""

import functools
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import numpy as np

from spatial_prediction.compression._protocol import Predictor
from spatial_prediction.compression.integer_linerwkv import IntegerNetwork
from spatial_prediction.compression.integer_linerwkv.bounds import check
from spatial_prediction.errors import ConfigurationError, StreamError

Delta = int | tuple[int, ...]


@runtime_checkable
class Method(Protocol):
    """Compresses groups of rows (rows, columns, bands)."""

    def residuals(self, group: np.ndarray, delta: Delta) -> np.ndarray:
        """Predict a group, and map what was missed to numbers from 0, of the group's shape.

        Raises:
            ConfigurationError: the method does not take such samples.
        """

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

    def residuals(self, group: np.ndarray, delta: Delta) -> np.ndarray:
        """Predict a group."""
        from spatial_prediction.compression import ccsds123

        return ccsds123.mapped_indices(group, **self._parameters(group, delta))

    def encode(self, group: np.ndarray, delta: Delta) -> bytes:
        """Compress a group."""
        from spatial_prediction.compression import ccsds123

        return ccsds123.compress(group, **self._parameters(group, delta))

    @staticmethod
    def _parameters(group: np.ndarray, delta: Delta) -> dict[str, Any]:
        parameters: dict[str, Any] = {"encoding_order": "BI", "M": group.shape[2]}
        if group.shape[1] == 1:  # nothing stands beside a sample
            parameters |= {"prediction_mode": "reduced", "local_sum": "wide_column"}
        if np.any(delta):
            parameters |= {"fidelity": "absolute", "a": delta}
        return parameters

    def decode(self, stream: bytes, shape: tuple[int, int, int], dtype: np.dtype, delta: Delta) -> np.ndarray:
        """Undo :meth:`encode`."""
        from spatial_prediction.compression import ccsds123

        cube = ccsds123.decompress(stream)
        if cube.shape != shape:
            raise StreamError(f"they have the shape {cube.shape} instead of {shape}: damaged")
        return cube.astype(dtype)


class ByContext:
    """A predictor of samples of up to 16 bits, and the coder by context.

    Args:
        predictor_of: Makes a fresh predictor of so many columns and bands.
    """

    def __init__(self, predictor_of: Callable[..., Predictor]) -> None:
        self._predictor_of = predictor_of

    def residuals(self, group: np.ndarray, delta: Delta) -> np.ndarray:
        """Predict a group."""
        from spatial_prediction.compression.predictors import to_residuals

        predictor = self._predictor_of(columns=group.shape[1], bands=group.shape[2])
        return to_residuals(group, predictor, largest_error=delta)

    def encode(self, group: np.ndarray, delta: Delta) -> bytes:
        """Compress a group."""
        from spatial_prediction.compression.context_coder import encode_residuals

        return encode_residuals(self.residuals(group, delta))

    def decode(self, stream: bytes, shape: tuple[int, int, int], dtype: np.dtype, delta: Delta) -> np.ndarray:
        """Undo :meth:`encode`."""
        from spatial_prediction.compression.context_coder import decode_residuals
        from spatial_prediction.compression.predictors import from_residuals

        residuals = decode_residuals(stream, shape)
        predictor = self._predictor_of(columns=shape[1], bands=shape[2])
        return from_residuals(residuals, predictor, dtype=dtype, largest_error=delta)


def differences() -> Method:
    """What a sample differs by from the band before, the line before and their corner."""
    from spatial_prediction.compression.predictors import DifferentialPredictor

    return ByContext(functools.partial(DifferentialPredictor, "both"))


def least_squares() -> Method:
    """Least squares across bands, lines and columns."""
    from spatial_prediction.compression.predictors import LeastSquaresPredictor

    return ByContext(LeastSquaresPredictor)


def linerwkv(network: IntegerNetwork) -> Method:
    """LineRWKV with a network, which the decoder needs too."""
    from spatial_prediction.compression.predictors import LineRWKVPredictor

    check(network)
    return ByContext(functools.partial(LineRWKVPredictor, network))


def mixture(network: IntegerNetwork) -> Method:
    """Least squares that take LineRWKV's prediction for one more neighbour."""
    from spatial_prediction.compression.predictors import LeastSquaresPredictor, LineRWKVPredictor

    check(network)

    def predictor_of(columns: int, bands: int) -> Predictor:
        expert = LineRWKVPredictor(network, columns=columns, bands=bands)
        return LeastSquaresPredictor(columns=columns, bands=bands, experts=[expert])

    return ByContext(predictor_of)


METHODS: dict[str, Callable[[], Method]] = {
    "ccsds123": Standard,
    "least_squares": least_squares,
    "dpcm": differences,
}
"""By the names that stand in containers; what a name means never changes."""

METHODS_OF_NETWORKS: dict[str, Callable[[IntegerNetwork], Method]] = {
    "linerwkv": linerwkv,
    "mixture": mixture,
}
"""Likewise, those for which a network is given."""

PREDICTORS = (*METHODS, *METHODS_OF_NETWORKS)
"""All names."""


def method_of(predictor: str, network: IntegerNetwork | None = None) -> Method:
    """Return the method of a name.

    Raises:
        ConfigurationError: there is no such name, or the network is missing.
        CheckpointError: no network has such numbers.
    """
    if predictor in METHODS:
        return METHODS[predictor]()
    if predictor not in METHODS_OF_NETWORKS:
        raise ConfigurationError(f"predictor={predictor!r}: must be one of {', '.join(PREDICTORS)}")
    if network is None:
        raise ConfigurationError(
            f"predictor={predictor!r}: needs a network: --network FILE, or network= with what "
            "integer_linerwkv.load_network reads"
        )
    return METHODS_OF_NETWORKS[predictor](network)
