"""Tabulate bits per sample of all codecs on all cubes."""

from collections.abc import Sequence

from spatial_prediction import command, plotting
from spatial_prediction.studies.compression.figures import arguments as shared
from spatial_prediction.studies.compression.figures.tables import rate_table
from spatial_prediction.studies.compression.results import read_measurements


def main(arguments: Sequence[str] | None = None) -> None:
    """Tabulate as the arguments say."""
    parser = command.argument_parser(__doc__ or "")
    shared.add_measurements(parser)
    shared.add_table(parser)
    options = parser.parse_args(arguments)
    plotting.write_table(rate_table(read_measurements(options.measurements)), options.table)


if __name__ == "__main__":
    command.run(main)
