"""Tabulate the test scores of models and baselines under every protocol."""

from collections.abc import Sequence

from spatial_prediction import command
from spatial_prediction.studies.interpolation.figures.arguments import tabulate_scores
from spatial_prediction.studies.interpolation.figures.tables import score_table


def main(arguments: Sequence[str] | None = None) -> None:
    """Tabulate as the arguments say."""
    tabulate_scores(score_table, __doc__ or "", arguments)


if __name__ == "__main__":
    command.run(main)
