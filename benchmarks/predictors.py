"""Claim: least squares and the coder by context take 5 % fewer bits than CCSDS 123.0-B-2, decoded exactly.

Codes a cube of a spectrometer, or a synthetic one, with CCSDS 123.0-B-2 and with the predictors of
spatial_prediction.compression.predictors, each with the sample-adaptive coder of the standard and with the
coder by context. Shows bits per sample and seconds of processor time for predicting and for decoding.
--weights FILE.npz adds LineRWKV with the named arrays of a network, --rows takes the first rows only.

  python benchmarks/predictors.py --cube enmap_potsdam.bsq
  python benchmarks/predictors.py --cube enmap_potsdam.bsq --weights weights_xs.npz
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from codec import stored_cube, synthetic_cube  # the benchmark beside this one

from spatial_prediction.compression import ccsds123, context_coder, entropy_coder
from spatial_prediction.compression.linerwkv import LineRWKV, quantised
from spatial_prediction.compression.predictors import (
    DifferentialPredictor,
    LeastSquaresPredictor,
    LineRWKVPredictor,
    Predictor,
    from_residuals,
    to_residuals,
)


def predictors(cube: np.ndarray, weights: Path | None) -> dict[str, Callable[[], Predictor]]:
    """What makes each predictor anew."""
    size = {"columns": cube.shape[1], "bands": cube.shape[2]}
    makers: dict[str, Callable[[], Predictor]] = {
        "band and line": partial(DifferentialPredictor, "both", **size),
        "least squares": partial(LeastSquaresPredictor, **size),
        "least squares, 48 bands": partial(LeastSquaresPredictor, spectral_order=48, forgetting=8, **size),
    }
    if weights:
        with np.load(weights) as arrays:
            network = quantised(LineRWKV.from_named_arrays(dict(arrays)))
        linerwkv = partial(LineRWKVPredictor, network, **size)
        makers["LineRWKV"] = linerwkv
        makers["both mixed"] = lambda: LeastSquaresPredictor(experts=[linerwkv()], **size)
    return makers


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cube", type=Path, help="raw file by band; a synthetic cube otherwise")
    parser.add_argument("--weights", type=Path, help="named arrays of a LineRWKV network")
    parser.add_argument("--rows", type=int, help="code the first rows only")
    options = parser.parse_args()

    cube = (stored_cube(options.cube) if options.cube else synthetic_cube())[: options.rows]
    standard = 8 * len(ccsds123.compress(cube)) / cube.size
    print(f"{options.cube or 'synthetic cube'}, (rows, columns, bands) = {cube.shape}")
    print(f"CCSDS 123.0-B-2 takes {standard:.3f} bits per sample")
    print(f"{'':24} bits per sample, Golomb  by context      against the standard  seconds: encode  decode")
    for make in predictors(cube[:2], options.weights).values():
        from_residuals(to_residuals(cube[:2], make()), make(), dtype=cube.dtype)  # compiles
    for name, make in predictors(cube, options.weights).items():
        begun = time.process_time()
        residuals = to_residuals(cube, make())
        predicted = time.process_time()
        decoded = from_residuals(residuals, make(), dtype=cube.dtype)
        ended = time.process_time()
        assert (decoded == cube).all(), f"{name} did not decode"
        golomb = 8 * len(entropy_coder.encode_residuals(residuals)) / cube.size
        stream = context_coder.encode_residuals(residuals)
        assert (context_coder.decode_residuals(stream, cube.shape) == residuals).all()
        context = 8 * len(stream) / cube.size
        print(
            f"{name:24} {golomb:23.3f}  {context:10.3f}  {100 * (context / standard - 1):21.1f} %  "
            f"{predicted - begun:15.1f}  {ended - predicted:6.1f}"
        )


if __name__ == "__main__":
    main()
