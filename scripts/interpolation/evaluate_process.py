"""Evaluate a fitted model, or the average of several, and reconstruct frames for pictures."""

from collections.abc import Sequence
from pathlib import Path

from spatial_prediction import command
from spatial_prediction.compiled_programs import keep_compiled_programs
from spatial_prediction.studies.interpolation.config import CONDITIONING, PARTS, Frames
from spatial_prediction.studies.interpolation.stages.prediction import evaluate_process


def main(arguments: Sequence[str] | None = None) -> None:
    """Evaluate as the arguments say."""
    parser = command.argument_parser(__doc__ or "")
    parser.add_argument("--model", required=True, help="name of the model that was fitted, or average")
    parser.add_argument("--field", type=Path, required=True, help="field (build_field.py)")
    parser.add_argument("--masks", type=Path, required=True, help="observed pixels (build_masks.py)")
    parser.add_argument(
        "--fits",
        type=Path,
        nargs="+",
        required=True,
        help="fitted models (train_process.py), all on these masks",
    )
    parser.add_argument(
        "--condition-on", nargs="+", choices=CONDITIONING, required=True, help="what predictions may know"
    )
    parser.add_argument("--headline", choices=CONDITIONING, required=True, help="that of the reconstruction")
    parser.add_argument(
        "--pictured", nargs="+", choices=PARTS, required=True, help="parts that are reconstructed"
    )
    parser.add_argument("--scores", type=Path, required=True, help="table to write (.parquet)")
    parser.add_argument(
        "--reconstruction", type=Path, required=True, help="reconstruction to write (.safetensors)"
    )
    command.add_settings(parser, Frames)
    options = parser.parse_args(arguments)

    keep_compiled_programs()
    evaluate_process(
        options.model,
        field_path=options.field,
        masks_path=options.masks,
        fit_paths=options.fits,
        frames=command.settings_from(options, Frames),
        condition_on=options.condition_on,
        headline=options.headline,
        pictured=options.pictured,
        scores_path=options.scores,
        reconstruction_path=options.reconstruction,
    )


if __name__ == "__main__":
    command.run(main)
