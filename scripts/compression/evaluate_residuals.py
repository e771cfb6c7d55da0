"""Keep what a predictor misses: images of it, and the bits of each band."""

from collections.abc import Sequence
from pathlib import Path

from spatial_prediction import command
from spatial_prediction.studies.compression.config import PREDICTORS
from spatial_prediction.studies.compression.stages.residuals import evaluate_residuals


def main(arguments: Sequence[str] | None = None) -> None:
    """Evaluate as the arguments say."""
    parser = command.argument_parser(__doc__ or "")
    parser.add_argument("--codec", choices=PREDICTORS, required=True, help="what predicts")
    parser.add_argument("--cube", type=Path, required=True, help="cube (build_cube.py)")
    parser.add_argument(
        "--network", type=Path, help="network (train_linerwkv.py), for predictors that need one"
    )
    parser.add_argument("--output", type=Path, required=True, help="file to write (.safetensors)")
    options = parser.parse_args(arguments)
    evaluate_residuals(
        options.codec, cube_path=options.cube, network_path=options.network, output=options.output
    )


if __name__ == "__main__":
    command.run(main)
