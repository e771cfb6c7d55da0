"""Plot errors of models and baselines on hidden pixels of test frames."""

from collections.abc import Sequence

from spatial_prediction import command
from spatial_prediction.studies.interpolation.figures.arguments import plot_scores
from spatial_prediction.studies.interpolation.figures.field_errors import field_errors


def main(arguments: Sequence[str] | None = None) -> None:
    """Plot as the arguments say."""
    plot_scores(field_errors, __doc__ or "", arguments)


if __name__ == "__main__":
    command.run(main)
