"""Evaluate the baselines, one line each, on what the models are given."""

from collections.abc import Sequence
from pathlib import Path

from spatial_prediction import command
from spatial_prediction.studies.interpolation.config import CONDITIONING, Frames
from spatial_prediction.studies.interpolation.stages.evaluation import evaluate_baselines


def main(arguments: Sequence[str] | None = None) -> None:
    """Evaluate as the arguments say."""
    parser = command.argument_parser(__doc__ or "")
    parser.add_argument("--field", type=Path, required=True, help="field (build_field.py)")
    parser.add_argument("--masks", type=Path, required=True, help="observed pixels (build_masks.py)")
    parser.add_argument(
        "--condition-on", nargs="+", choices=CONDITIONING, required=True, help="what predictions may know"
    )
    parser.add_argument("--scores", type=Path, required=True, help="table to write (.parquet)")
    command.add_settings(parser, Frames)
    options = parser.parse_args(arguments)
    evaluate_baselines(
        options.field,
        options.masks,
        command.settings_from(options, Frames),
        options.condition_on,
        output=options.scores,
    )


if __name__ == "__main__":
    command.run(main)
