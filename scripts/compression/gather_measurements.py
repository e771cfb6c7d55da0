"""Gather the measurements of all codecs on all cubes into one table."""

from collections.abc import Sequence
from pathlib import Path

from spatial_prediction import command
from spatial_prediction.files import written_aside
from spatial_prediction.studies.compression.results import gathered_measurements


def main(arguments: Sequence[str] | None = None) -> None:
    """Gather as the arguments say."""
    parser = command.argument_parser(__doc__ or "")
    parser.add_argument(
        "--measurements", type=Path, nargs="+", required=True, help="tables to read (.parquet)"
    )
    parser.add_argument("--output", type=Path, required=True, help="table to write (.parquet)")
    options = parser.parse_args(arguments)
    measurements = gathered_measurements(options.measurements)
    with written_aside(options.output) as temporary:
        measurements.to_parquet(temporary, index=False)


if __name__ == "__main__":
    command.run(main)
