"""Build the field to interpolate: from a variable of a netCDF file, or synthetic."""

from collections.abc import Sequence
from pathlib import Path

from spatial_prediction import command
from spatial_prediction.studies.interpolation.config import Frames
from spatial_prediction.studies.interpolation.fields.netcdf import read_netcdf_field
from spatial_prediction.studies.interpolation.fields.synthetic import synthetic_field
from spatial_prediction.studies.interpolation.stages.inputs import write_field


def main(arguments: Sequence[str] | None = None) -> None:
    """Build as the arguments say."""
    parser = command.argument_parser(__doc__ or "")
    parser.add_argument("--netcdf", type=Path, help="file to read; without one the field is synthetic")
    parser.add_argument("--variable", help="its variable; by default the only one of three dimensions")
    parser.add_argument("--units", default="", help="of its values, where the file states none")
    for name, what in (("frames", "frames"), ("rows", "rows"), ("columns", "columns"), ("seed", "seed")):
        parser.add_argument(f"--{name}", type=int, default=0, help=f"{what} of a synthetic field")
    parser.add_argument("--output", type=Path, required=True, help="file to write (.safetensors)")
    command.add_settings(parser, Frames)
    options = parser.parse_args(arguments)
    if options.netcdf is not None:
        field = read_netcdf_field(options.netcdf, options.variable, units=options.units)
    else:
        if min(options.frames, options.rows, options.columns) < 1:
            parser.error("--frames, --rows and --columns: must be 1 or more for a synthetic field")
        field = synthetic_field(
            frames=options.frames, rows=options.rows, columns=options.columns, seed=options.seed
        )
    write_field(field, command.settings_from(options, Frames), options.output)


if __name__ == "__main__":
    command.run(main)
