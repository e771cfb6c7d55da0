"""Plot coverage, density, correlation and spread of the models' variances."""

from collections.abc import Sequence

from spatial_prediction import command, plotting
from spatial_prediction.studies.interpolation.figures import arguments as shared
from spatial_prediction.studies.interpolation.figures.uncertainty import uncertainty
from spatial_prediction.studies.interpolation.results import read_scores, selected, winners


def main(arguments: Sequence[str] | None = None) -> None:
    """Plot as the arguments say."""
    parser = command.argument_parser(__doc__ or "")
    shared.add_scores(parser)
    shared.add_headline(parser)
    shared.add_figure(parser)
    options = parser.parse_args(arguments)
    scores = read_scores(options.scores)
    shown = selected(scores, condition_on=options.headline)
    figure = uncertainty(shown, winners(scores, condition_on=options.headline))
    plotting.save_figure(figure, options.figure, options.formats)


if __name__ == "__main__":
    command.run(main)
