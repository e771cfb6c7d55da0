"""Plot coverage, density, correlation and spread of the models' variances."""

from collections.abc import Sequence

from spatial_prediction import command
from spatial_prediction.studies.interpolation.figures.arguments import plot_scores
from spatial_prediction.studies.interpolation.figures.uncertainty import uncertainty


def main(arguments: Sequence[str] | None = None) -> None:
    """Plot as the arguments say."""
    plot_scores(uncertainty, __doc__ or "", arguments)


if __name__ == "__main__":
    command.run(main)
