"""Plot bits against the largest error that is allowed, and the quality they buy."""

from collections.abc import Sequence

from spatial_prediction import command, plotting
from spatial_prediction.studies.compression.figures import arguments as shared
from spatial_prediction.studies.compression.figures.rate_distortion import rate_distortion
from spatial_prediction.studies.compression.results import read_measurements


def main(arguments: Sequence[str] | None = None) -> None:
    """Plot as the arguments say."""
    parser = command.argument_parser(__doc__ or "")
    shared.add_measurements(parser)
    shared.add_figure(parser)
    options = parser.parse_args(arguments)
    figure = rate_distortion(read_measurements(options.measurements))
    plotting.save_figure(figure, options.figure, options.formats)


if __name__ == "__main__":
    command.run(main)
