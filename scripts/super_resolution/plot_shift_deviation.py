"""Draw how far four tiles deviate from one window around the point in which they meet."""

from collections.abc import Sequence

from spatial_prediction import command
from spatial_prediction.plotting.style import save_figure
from spatial_prediction.studies.super_resolution.crossings import Crossings, root_mean_square
from spatial_prediction.studies.super_resolution.figures import arguments as shared
from spatial_prediction.studies.super_resolution.figures import shift_deviation


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw as the arguments say."""
    parser = command.argument_parser(__doc__ or "")
    shared.add_crossings(parser)
    shared.add_figure(parser)
    options = parser.parse_args(arguments)

    found = Crossings.read(options.crossings).with_crop(options.output_crop)
    deviations = found.deviations()
    rms = {preset: root_mean_square(deviation) for preset, deviation in deviations.items()}
    save_figure(shift_deviation(deviations, rms, found.scenes), options.figure, options.formats)


if __name__ == "__main__":
    command.run(main)
