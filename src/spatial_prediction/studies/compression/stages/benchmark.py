"""One cube, one codec, one largest error: how many bytes, how long, how much memory, how exactly."""

import logging
import math
from pathlib import Path
from typing import Any

import pandas as pd

from spatial_prediction.errors import SpatialPredictionError
from spatial_prediction.files import written_aside
from spatial_prediction.studies.compression.codecs.codec import Codec, codec_from_name
from spatial_prediction.studies.compression.config import PREDICTORS, WITH_NETWORK
from spatial_prediction.studies.compression.cubes.cube import Cube, load_cube
from spatial_prediction.studies.compression.measurement import fidelity, measured
from spatial_prediction.studies.compression.network import TrainedNetwork, load_network
from spatial_prediction.studies.compression.results import COLUMNS

logger = logging.getLogger(__name__)

WARM_UP_ROWS = 2
"""Rows that are coded beforehand, so that nothing is compiled while time is taken."""


def benchmark_codec(
    name: str, delta: int, *, cube_path: Path, network_path: Path | None, repeats: int, output: Path
) -> None:
    """Compress and decompress a cube, compare, and write a table of one row.

    A codec that fails, or that does not restore what it should, is recorded as such.

    Args:
        name: of the codec.
        delta: largest error of a sample.
        cube_path: cube of ``build_cube``.
        network_path: network of ``train_linerwkv``, for codecs that need one.
        repeats: how often time is taken; the least counts.
        output: Parquet file to write.
    """
    cube = load_cube(cube_path)
    trained = load_network(network_path) if network_path else None
    codec = codec_from_name(name, trained.network if trained else None)
    row = {
        "cube": cube.name,
        "codec": name,
        "kind": "predictor" if name in PREDICTORS else "peer",
        "delta": delta,
        "rows": cube.samples.shape[0],
        "columns": cube.samples.shape[1],
        "bands": cube.samples.shape[2],
        "dtype": cube.samples.dtype.name,
        "trained_on": trained.trained_on if trained and name in WITH_NETWORK else "",
    }
    try:
        row |= _measurements(codec, cube, delta, trained, repeats)
    except (SpatialPredictionError, RuntimeError, ValueError) as error:
        row |= _FAILED | {"status": f"failed: {' '.join(str(error).split())}"}
    level = logging.INFO if row["verified"] else logging.WARNING
    logger.log(
        level, "%s, delta %d: %.4f bits per sample, %s", name, delta, row["bits_per_sample"], row["status"]
    )
    with written_aside(output) as temporary:
        pd.DataFrame([row])[list(COLUMNS)].to_parquet(temporary, index=False)


_FAILED: dict[str, Any] = {
    **dict.fromkeys(("stream_bytes", "container_bytes", "model_bytes"), 0),
    **dict.fromkeys(("bits_per_sample", "encode_seconds", "decode_seconds"), math.nan),
    **dict.fromkeys(("encode_memory", "decode_memory", "rmse", "psnr"), math.nan),
    "largest_error": -1,
    "verified": False,
}


def _measurements(
    codec: Codec, cube: Cube, delta: int, trained: TrainedNetwork | None, repeats: int
) -> dict[str, Any]:
    samples = cube.samples
    codec.decompress(codec.compress(samples[:WARM_UP_ROWS], delta))
    compressed, encoding = measured(lambda: codec.compress(samples, delta), repeats)
    decoded, decoding = measured(lambda: codec.decompress(compressed), repeats)
    compared = fidelity(samples, decoded, delta)
    model_bytes = trained.bytes_counted(cube.identity()) if trained else 0
    kept = "exact" if compared.largest_error == 0 else f"largest error {compared.largest_error}"
    return {
        "stream_bytes": codec.stream_bytes(compressed),
        "container_bytes": len(compressed),
        "model_bytes": model_bytes,
        "bits_per_sample": 8 * (len(compressed) + model_bytes) / samples.size,
        "encode_seconds": encoding.seconds,
        "decode_seconds": decoding.seconds,
        "encode_memory": encoding.memory,
        "decode_memory": decoding.memory,
        **compared._asdict(),
        "status": kept if compared.verified else f"not restored: {kept}",
    }
