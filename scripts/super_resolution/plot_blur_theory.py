"""Plot the expected error of paddings on noise, by the width of the Gaussian that has blurred it."""

from collections.abc import Sequence

from spatial_prediction import command, plotting
from spatial_prediction.studies.super_resolution import figures, metrics
from spatial_prediction.studies.super_resolution.figures import arguments as shared

PADDINGS = ["zero", "repl", "extr2", "extr3", "lp1x1cs", "lp2x3", "lp3x3", "lp6x7"]
LARGEST_BLUR = 4.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Plot as the arguments say."""
    parser = command.argument_parser(__doc__ or "")
    parser.add_argument("--paddings", nargs="+", default=PADDINGS, help="names of the paddings to show")
    parser.add_argument(
        "--largest-blur", type=float, default=LARGEST_BLUR, help="standard deviation to end at, pixels"
    )
    shared.add_figure(parser)
    options = parser.parse_args(arguments)
    curves = metrics.blur_curves(options.paddings, options.largest_blur)
    plotting.save_figure(figures.blur_theory(curves), options.figure, options.formats)


if __name__ == "__main__":
    command.run(main)
