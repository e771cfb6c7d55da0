"""Build a cube to compress: from a raw file, or synthetic."""

from collections.abc import Sequence
from pathlib import Path

from spatial_prediction import command
from spatial_prediction.studies.compression.config import SyntheticSettings
from spatial_prediction.studies.compression.cubes.raw import read_raw_cube
from spatial_prediction.studies.compression.cubes.synthetic import synthetic_cube
from spatial_prediction.studies.compression.stages.inputs import write_cube


def main(arguments: Sequence[str] | None = None) -> None:
    """Build as the arguments say."""
    parser = command.argument_parser(__doc__ or "")
    parser.add_argument("--raw", type=Path, help="raw file to read; without one the cube is synthetic")
    parser.add_argument("--description", type=Path, help="its header of ENVI (.hdr) or description (.json)")
    parser.add_argument("--output", type=Path, required=True, help="file to write (.safetensors)")
    command.add_settings(parser, SyntheticSettings)
    options = parser.parse_args(arguments)
    if (options.raw is None) != (options.description is None):
        parser.error("--raw and --description: give both, or none for a synthetic cube")
    if options.raw is not None:
        cube = read_raw_cube(options.raw, options.description)
    else:
        cube = synthetic_cube(command.settings_from(options, SyntheticSettings))
    write_cube(cube, options.output)


if __name__ == "__main__":
    command.run(main)
