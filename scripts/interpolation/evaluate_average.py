"""Evaluate the average of several models from what they predicted."""

from collections.abc import Sequence
from pathlib import Path

from spatial_prediction import command
from spatial_prediction.studies.interpolation.arguments import add_evaluation, evaluation
from spatial_prediction.studies.interpolation.stages.remembered import evaluate_average


def main(arguments: Sequence[str] | None = None) -> None:
    """Evaluate as the arguments say."""
    parser = command.argument_parser(__doc__ or "")
    parser.add_argument(
        "--predictions", type=Path, nargs="+", required=True, help="predictions (evaluate_process.py)"
    )
    add_evaluation(parser)
    options = parser.parse_args(arguments)
    evaluate_average(options.predictions, **evaluation(options))


if __name__ == "__main__":
    command.run(main)
