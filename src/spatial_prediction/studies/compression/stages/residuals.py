"""What a predictor misses: images of it, and the bits of each band."""

from pathlib import Path

import numpy as np
from jaxtyping import Integer

from spatial_prediction.compression.entropy_coder import encode_residuals
from spatial_prediction.named_arrays import save_arrays
from spatial_prediction.studies.compression.codecs.predictors import PredictorCodec
from spatial_prediction.studies.compression.cubes.cube import load_cube
from spatial_prediction.studies.compression.network import load_network

SHOWN = 2
"""Bands of which an image is kept, spread evenly."""


def evaluate_residuals(name: str, *, cube_path: Path, network_path: Path | None, output: Path) -> None:
    """Predict a cube without errors, and keep what was missed.

    Written are ``magnitudes`` (rows, columns, shown) of residuals in DN, the ``samples`` there, the ``shown``
    bands, and the ``band_bits`` (bands,) that a sample of each band takes with the sample-adaptive coder of
    the standard, whatever the predictor, each band coded by itself. Magnitudes are half of the mapped
    residuals: less than what was missed where that exceeds what lies between prediction and range's end.

    Args:
        name: of the predictor.
        cube_path: cube of ``build_cube``.
        network_path: network of ``train_linerwkv``, for predictors that need one.
        output: safetensors file to write.
    """
    cube = load_cube(cube_path)
    network = load_network(network_path).network if network_path else None
    residuals = PredictorCodec(name, network).residuals(cube.samples)
    shown = shown_bands(cube.samples.shape[2])
    arrays = {
        # residuals are mapped to 0, 1, 2, ... as 0, -1, 1, -2, ... or the other way round
        "magnitudes": (residuals[..., shown].astype(np.int64) + 1) // 2,
        "samples": cube.samples[..., shown],
        "shown": np.array(shown),
        "band_bits": band_bits(residuals),
    }
    save_arrays(output, arrays, {"cube": cube.name, "codec": name})


def shown_bands(bands: int) -> list[int]:
    """Choose the bands of which an image is kept."""
    return sorted({bands * (2 * index + 1) // (2 * SHOWN) for index in range(SHOWN)})


def band_bits(residuals: Integer[np.ndarray, "rows columns bands"]) -> np.ndarray:
    """Bits that a sample of each band takes, (bands,) float64."""
    samples = residuals.shape[0] * residuals.shape[1]
    streams = [encode_residuals(residuals[..., band : band + 1]) for band in range(residuals.shape[2])]
    return np.array([8 * len(stream) / samples for stream in streams])
