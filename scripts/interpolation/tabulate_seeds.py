"""Tabulate the test scores of models and baselines over all seeds of the masks, with intervals."""

from collections.abc import Sequence

from spatial_prediction import command
from spatial_prediction.studies.interpolation.figures.arguments import tabulate_scores
from spatial_prediction.studies.interpolation.figures.seed_table import seed_table


def main(arguments: Sequence[str] | None = None) -> None:
    """Tabulate as the arguments say."""
    tabulate_scores(seed_table, __doc__ or "", arguments)


if __name__ == "__main__":
    command.run(main)
