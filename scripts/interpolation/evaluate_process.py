"""Evaluate one fitted model on validation and test frames, and reconstruct frames for pictures."""

from collections.abc import Sequence
from pathlib import Path

from spatial_prediction import command
from spatial_prediction.compiled_programs import keep_compiled_programs
from spatial_prediction.studies.interpolation.arguments import add_evaluation, evaluation
from spatial_prediction.studies.interpolation.stages.prediction import evaluate_process


def main(arguments: Sequence[str] | None = None) -> None:
    """Evaluate as the arguments say."""
    parser = command.argument_parser(__doc__ or "")
    parser.add_argument("--model", required=True, help="name of the model that was fitted")
    parser.add_argument("--fit", type=Path, required=True, help="fitted model (train_process.py)")
    add_evaluation(parser)
    parser.add_argument("--predictions", type=Path, required=True, help="predictions to write (.safetensors)")
    options = parser.parse_args(arguments)

    keep_compiled_programs()
    evaluate_process(
        options.model,
        fit_path=options.fit,
        predictions_path=options.predictions,
        **evaluation(options),
    )


if __name__ == "__main__":
    command.run(main)
