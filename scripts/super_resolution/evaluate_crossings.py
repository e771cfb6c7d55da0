"""Upscale the middle of test scenes in four tiles that meet there, and in one window."""

from collections.abc import Sequence
from pathlib import Path

from spatial_prediction import command
from spatial_prediction.compiled_programs import keep_compiled_programs
from spatial_prediction.studies.super_resolution.stages.crossings import evaluate_crossings


def main(arguments: Sequence[str] | None = None) -> None:
    """Evaluate as the arguments say."""
    parser = command.argument_parser(__doc__ or "")
    parser.add_argument(
        "--models", type=Path, nargs="+", required=True, help="exported weights, one file for each preset"
    )
    parser.add_argument("--test", type=Path, required=True, help="array of test scenes")
    parser.add_argument("--summary", type=Path, required=True, help="summary of the arrays")
    parser.add_argument("--scenes", type=int, nargs="+", default=[0, 1, 2], help="which test scenes")
    parser.add_argument("--low-res-size", type=int, required=True, help="rows and columns of a tile")
    parser.add_argument("--output", type=Path, required=True, help="file to write (.safetensors)")
    options = parser.parse_args(arguments)

    keep_compiled_programs()
    evaluate_crossings(
        options.models,
        test=options.test,
        summary=options.summary,
        scenes=options.scenes,
        low_res_size=options.low_res_size,
        output=options.output,
    )


if __name__ == "__main__":
    command.run(main)
