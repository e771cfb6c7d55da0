"""Measure the squared errors of a network on the corner tiles of all test scenes, by output crop."""

from collections.abc import Sequence
from pathlib import Path

from spatial_prediction import command
from spatial_prediction.experiments.compilation import keep_compiled_programs
from spatial_prediction.experiments.evaluation import CornerTiles, evaluate_mse


def main(arguments: Sequence[str] | None = None) -> None:
    """Evaluate as the arguments say."""
    parser = command.argument_parser(__doc__ or "")
    parser.add_argument("--model", type=Path, required=True, help="exported weights")
    parser.add_argument("--output", type=Path, required=True, help="table to write (.parquet)")
    command.add_settings(parser, CornerTiles)
    options = parser.parse_args(arguments)

    keep_compiled_programs()
    evaluate_mse(options.model, command.settings_from(options, CornerTiles), output=options.output)


if __name__ == "__main__":
    command.run(main)
