"""Split a training result into weights, history and run record."""

from collections.abc import Sequence
from pathlib import Path

from spatial_prediction import command
from spatial_prediction.studies.super_resolution.stages.export import export_run


def main(arguments: Sequence[str] | None = None) -> None:
    """Export according to the arguments."""
    parser = command.argument_parser(__doc__ or "")
    parser.add_argument("--training", type=Path, required=True, help="result of train_model.py")
    parser.add_argument("--model", type=Path, required=True, help="weights to write (.safetensors)")
    parser.add_argument("--history", type=Path, required=True, help="losses to write (.parquet)")
    parser.add_argument("--run", type=Path, required=True, help="record of the run to write (.json)")
    options = parser.parse_args(arguments)
    export_run(options.training, model=options.model, history=options.history, run=options.run)


if __name__ == "__main__":
    command.run(main)
