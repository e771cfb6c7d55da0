"""Fit the hyperparameters of one model to the observed pixels of the training frames.

A fit that fails is recorded with its reason and is no error.
"""

from collections.abc import Sequence
from pathlib import Path

from spatial_prediction import command
from spatial_prediction.compiled_programs import keep_compiled_programs
from spatial_prediction.studies.interpolation.config import FitSettings, Frames
from spatial_prediction.studies.interpolation.stages.fit import fit_process


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit as the arguments say."""
    parser = command.argument_parser(__doc__ or "")
    parser.add_argument(
        "--model", required=True, help="time and space kernel, as matern-rbf; or a model of weather"
    )
    parser.add_argument("--field", type=Path, required=True, help="field (build_field.py)")
    parser.add_argument("--masks", type=Path, required=True, help="observed pixels (build_masks.py)")
    parser.add_argument("--fit", type=Path, required=True, help="file to write (.safetensors)")
    for settings in (Frames, FitSettings):
        command.add_settings(parser, settings)
    options = parser.parse_args(arguments)

    keep_compiled_programs()
    fit_process(
        options.model,
        field_path=options.field,
        masks_path=options.masks,
        frames=command.settings_from(options, Frames),
        settings=command.settings_from(options, FitSettings),
        output=options.fit,
    )


if __name__ == "__main__":
    command.run(main)
