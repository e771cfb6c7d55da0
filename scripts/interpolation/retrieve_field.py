"""Download the reference study's temperature field and verify its checksum."""

from collections.abc import Sequence
from pathlib import Path

from spatial_prediction import command
from spatial_prediction.studies.interpolation.stages.inputs import retrieve_published_field


def main(arguments: Sequence[str] | None = None) -> None:
    """Download as the arguments say."""
    parser = command.argument_parser(__doc__ or "")
    parser.add_argument("--address", required=True, help="where the file is")
    parser.add_argument("--output", type=Path, required=True, help="netCDF file to write")
    options = parser.parse_args(arguments)
    retrieve_published_field(options.output, address=options.address)


if __name__ == "__main__":
    command.run(main)
