"""Tabulate the test scores of models and baselines under every protocol."""

from collections.abc import Sequence

from spatial_prediction import command, plotting
from spatial_prediction.studies.interpolation.config import CONDITIONING
from spatial_prediction.studies.interpolation.figures import arguments as shared
from spatial_prediction.studies.interpolation.figures.tables import score_table
from spatial_prediction.studies.interpolation.results import read_scores


def main(arguments: Sequence[str] | None = None) -> None:
    """Tabulate as the arguments say."""
    parser = command.argument_parser(__doc__ or "")
    shared.add_scores(parser)
    parser.add_argument(
        "--condition-on", nargs="+", choices=CONDITIONING, required=True, help="what predictions might know"
    )
    shared.add_table(parser)
    options = parser.parse_args(arguments)
    table = score_table(read_scores(options.scores), condition_on=options.condition_on)
    plotting.write_table(table, options.table)


if __name__ == "__main__":
    command.run(main)
