"""Build an animation (PNG) of the model chosen on validation frames, beside truth and observed pixels."""

from collections.abc import Sequence
from pathlib import Path

from spatial_prediction import command
from spatial_prediction.studies.interpolation.figures import arguments as shared
from spatial_prediction.studies.interpolation.figures.animation import write_animation


def main(arguments: Sequence[str] | None = None) -> None:
    """Build as the arguments say."""
    parser = command.argument_parser(__doc__ or "")
    shared.add_winner(parser)
    parser.add_argument("--output", type=Path, required=True, help="file to write (.png)")
    options = parser.parse_args(arguments)
    write_animation(shared.winning_reconstruction(options), options.output)


if __name__ == "__main__":
    command.run(main)
