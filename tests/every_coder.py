"""Every way to code a cube, by name: from cubes to bytes and back."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np

from spatial_prediction.compression import ccsds123, compress, decompress
from spatial_prediction.compression.integer_linerwkv import IntegerNetwork
from spatial_prediction.compression.methods import ByContext
from spatial_prediction.compression.predictors import (
    NEIGHBOURS,
    DifferentialPredictor,
)

STANDARD = {
    "CCSDS 123": {},
    "CCSDS 123, by pixel, reduced": {
        "encoding_order": "BI",
        "M": None,
        "prediction_mode": "reduced",
        "local_sum": "narrow_column",
    },
    "CCSDS 123, by row, P 6": {"encoding_order": "BI", "P": 6, "Omega": 16, "local_sum": "wide_column"},
    "CCSDS 123, hybrid": {"entropy_coder": "hybrid", "local_sum": "narrow_neighbor"},
}


class Coder(NamedTuple):
    """Codes cubes of any shape, with a largest error; ``decode`` is given what streams do not hold."""

    encode: Callable[[np.ndarray, int], bytes]
    decode: Callable[[bytes, tuple[int, ...], np.dtype, int], np.ndarray]


def coders(networks: Mapping[str, IntegerNetwork], *, threads: int = 1) -> dict[str, Coder]:
    """All coders, LineRWKV once for each network; containers are worked on by so many threads."""
    found = {f"differences by {name}": _by_context(DifferentialPredictor, name) for name in NEIGHBOURS}
    found |= {name: _standard(settings) for name, settings in STANDARD.items()}
    found |= {name: _container(name, None, threads) for name in ("ccsds123", "least_squares")}
    for name, network in networks.items():
        found[f"linerwkv {name}"] = _container("linerwkv", network, threads)
        found[f"least squares and {name}"] = _container("mixture", network, threads)
    return found


def _by_context(predictor, *arguments) -> Coder:
    method = ByContext(partial(predictor, *arguments))
    return Coder(method.encode, method.decode)


def _standard(settings) -> Coder:
    def encode(cube, delta):
        given = {key: cube.shape[2] if value is None else value for key, value in settings.items()}
        limits = {"fidelity": "absolute", "a": delta} if delta else {}
        return ccsds123.compress(cube, **given, **limits)

    return Coder(encode, lambda stream, shape, dtype, delta: ccsds123.decompress(stream).astype(dtype))


def _container(name: str, network: IntegerNetwork | None, threads: int) -> Coder:
    def encode(cube, delta):
        rows = -(-len(cube) // 2)
        return compress(
            cube, delta=delta, predictor=name, network=network, threads=threads, rows_per_group=rows
        )

    return Coder(encode, lambda stream, *_: decompress(stream, network=network, threads=threads))
