"""Compress a cube with one codec, decode and compare it, and measure bytes, time and memory."""

from collections.abc import Sequence
from pathlib import Path

from spatial_prediction import command
from spatial_prediction.studies.compression.config import PEERS, PREDICTORS
from spatial_prediction.studies.compression.stages.benchmark import benchmark_codec


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure as the arguments say."""
    parser = command.argument_parser(__doc__ or "")
    parser.add_argument("--codec", choices=[*PREDICTORS, *PEERS], required=True, help="what compresses")
    parser.add_argument("--delta", type=int, default=0, help="largest error of a sample, DN; 0 is lossless")
    parser.add_argument("--cube", type=Path, required=True, help="cube (build_cube.py)")
    parser.add_argument("--network", type=Path, help="network (train_linerwkv.py), for codecs that need one")
    parser.add_argument("--repeats", type=int, default=3, help="how often time is taken; the least counts")
    parser.add_argument("--output", type=Path, required=True, help="table of one row to write (.parquet)")
    options = parser.parse_args(arguments)
    benchmark_codec(
        options.codec,
        options.delta,
        cube_path=options.cube,
        network_path=options.network,
        repeats=options.repeats,
        output=options.output,
    )


if __name__ == "__main__":
    command.run(main)
