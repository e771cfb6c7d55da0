"""Plot test frames of the model chosen on validation frames, beside truth and observed pixels."""

from collections.abc import Sequence

from spatial_prediction import command, plotting
from spatial_prediction.studies.interpolation.figures import arguments as shared
from spatial_prediction.studies.interpolation.figures.frame_strip import frame_strip


def main(arguments: Sequence[str] | None = None) -> None:
    """Plot as the arguments say."""
    parser = command.argument_parser(__doc__ or "")
    shared.add_winner(parser)
    shared.add_figure(parser)
    options = parser.parse_args(arguments)
    figure = frame_strip(shared.winning_reconstruction(options))
    plotting.save_figure(figure, options.figure, options.formats)


if __name__ == "__main__":
    command.run(main)
