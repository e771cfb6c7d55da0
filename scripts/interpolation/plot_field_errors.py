"""Plot errors of models and baselines on hidden pixels of test frames."""

from collections.abc import Sequence

from spatial_prediction import command, plotting
from spatial_prediction.studies.interpolation.figures import arguments as shared
from spatial_prediction.studies.interpolation.figures.field_errors import field_errors
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
    figure = field_errors(shown, winners(scores, condition_on=options.headline))
    plotting.save_figure(figure, options.figure, options.formats)


if __name__ == "__main__":
    command.run(main)
