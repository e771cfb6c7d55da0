"""Plot what each predictor misses on a cube, as images of some bands."""

from collections.abc import Sequence

from spatial_prediction import command, plotting
from spatial_prediction.studies.compression.figures import arguments as shared
from spatial_prediction.studies.compression.figures.residual_images import residual_images
from spatial_prediction.studies.compression.figures.residuals import read_residuals


def main(arguments: Sequence[str] | None = None) -> None:
    """Plot as the arguments say."""
    parser = command.argument_parser(__doc__ or "")
    shared.add_residuals(parser)
    shared.add_figure(parser)
    options = parser.parse_args(arguments)
    figure = residual_images(read_residuals(options.residuals))
    plotting.save_figure(figure, options.figure, options.formats)


if __name__ == "__main__":
    command.run(main)
