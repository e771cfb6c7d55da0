"""Draw which pixels of a field are observed."""

from collections.abc import Sequence
from pathlib import Path

from spatial_prediction import command
from spatial_prediction.studies.interpolation.config import Frames, MaskSettings
from spatial_prediction.studies.interpolation.stages.inputs import build_masks


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw as the arguments say."""
    parser = command.argument_parser(__doc__ or "")
    parser.add_argument("--field", type=Path, required=True, help="field (build_field.py)")
    parser.add_argument("--output", type=Path, required=True, help="file to write (.safetensors)")
    for settings in (Frames, MaskSettings):
        command.add_settings(parser, settings)
    options = parser.parse_args(arguments)
    build_masks(
        options.field,
        command.settings_from(options, Frames),
        command.settings_from(options, MaskSettings),
        output=options.output,
    )


if __name__ == "__main__":
    command.run(main)
