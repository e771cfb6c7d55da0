"""Measure the squared errors of a preset's networks on the corner tiles of test scenes, by output crop."""

from collections.abc import Sequence
from pathlib import Path

from spatial_prediction import command
from spatial_prediction.compiled_programs import keep_compiled_programs
from spatial_prediction.studies.super_resolution.stages.evaluation import CornerTiles, evaluate_mse


def main(arguments: Sequence[str] | None = None) -> None:
    """Evaluate according to the arguments."""
    parser = command.argument_parser(__doc__ or "")
    parser.add_argument(
        "--models", type=Path, nargs="+", required=True, help="exported weights, of any seeds of one preset"
    )
    parser.add_argument("--output", type=Path, required=True, help="table to write (.parquet)")
    command.add_settings(parser, CornerTiles)
    options = parser.parse_args(arguments)

    keep_compiled_programs()
    evaluate_mse(options.models, command.settings_from(options, CornerTiles), output=options.output)


if __name__ == "__main__":
    command.run(main)
