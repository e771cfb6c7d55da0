"""The predictor of CCSDS 123.0-B-2 (clause 4), which encoder and decoder share."""

import numpy as np
from jaxtyping import Int64, UInt32

from spatial_prediction.compression.ccsds123._prediction_loop import Constants, predict
from spatial_prediction.compression.ccsds123.parameters import Parameters
from spatial_prediction.compression.entropy_coder._bits import damaged

ABSENT = 1 << 40
"""An error limit that limits nothing."""


class Predictor:
    """Turns samples into mapped quantiser indices or back, some rows at a time."""

    def __init__(self, parameters: Parameters, columns: int, bands: int) -> None:
        p = parameters
        full, components = p.prediction_mode == "full", p.components
        self._constants = Constants(
            p.D,
            p.P,
            p.R,
            p.Omega,
            p.Theta,
            p.t_inc.bit_length() - 1,
            p.v_min,
            p.v_max,
            3 if full else 0,
            p.local_sum.startswith("wide"),
            p.local_sum.endswith("column"),
            p.zeta is not None,
            p.r is not None,
            -(1 << (p.D - 1)) if p.signed else 0,
        )
        self._weights = initial_weights(p, bands)
        self._offsets = np.zeros((components, bands), np.int64)
        if p.zeta is not None:
            for band, values in enumerate(p.zeta):
                self._offsets[:3, band] = values[0] if full else 0
                central = values[full:]
                self._offsets[components - p.P : components - p.P + len(central), band] = central
        self._damping, self._offset = (
            np.array(np.broadcast_to(np.array(value, np.int64), (bands,))) for value in (p.phi, p.psi)
        )
        self._representatives = np.zeros((2 * columns, bands + 1), np.int64)
        self._representatives[:, 0] = 1 << (p.D - 1)
        self._rows = 0

    def _run(
        self,
        samples: UInt32[np.ndarray, "rows columns bands"],
        indices: UInt32[np.ndarray, "rows columns bands"],
        limits: Int64[np.ndarray, "2 bands"],
        decoding: bool,
    ) -> bool:
        right = predict(
            samples,
            indices,
            decoding,
            self._rows,
            self._constants,
            limits,
            self._damping,
            self._offset,
            self._offsets,
            self._weights,
            self._representatives,
        )
        self._rows += samples.shape[0]
        return bool(right)

    def encode_rows(
        self, samples: UInt32[np.ndarray, "rows columns bands"], limits: Int64[np.ndarray, "2 bands"]
    ) -> UInt32[np.ndarray, "rows columns bands"]:
        """Give the indices of the next rows.

        Args:
            samples: Less s_min.
            limits: Absolute error limits of the bands and relative ones, as of ``Limits.by_band``.
        """
        indices = np.empty(samples.shape, np.uint32)
        self._run(samples, indices, limits, False)
        return indices

    def decode_rows(
        self, indices: UInt32[np.ndarray, "rows columns bands"], limits: Int64[np.ndarray, "2 bands"]
    ) -> UInt32[np.ndarray, "rows columns bands"]:
        """Give the samples of the next rows, less s_min.

        Raises:
            StreamError: an index leads beyond the range of samples, so no encoder wrote it.
        """
        samples = np.empty(indices.shape, np.uint32)
        if not self._run(samples, indices, limits, True):
            raise damaged("samples lie beyond what its header allows")
        return samples


def initial_weights(parameters: Parameters, bands: int) -> Int64[np.ndarray, "components bands"]:
    """Weights of the second pixel; those of bands that do not exist are 0."""
    p = parameters
    weights = np.zeros((p.components, bands), np.int64)
    if p.Lambda is None:
        value = 7 << p.Omega
        for row in range(p.components - p.P, p.components):
            value >>= 3
            weights[row] = value
    else:
        shift = p.Omega + 3 - p.Q
        low_bits = -(-(1 << shift) // 2) - 1
        for band, values in enumerate(p.Lambda):
            weights[: len(values), band] = [(value << shift) + low_bits for value in values]
    for band in range(min(p.P, bands)):
        weights[p.components - p.P + band :, band] = 0
    return weights
