"""Draw where four tiles meet that were upscaled separately, beside one window and the target."""

from collections.abc import Sequence

from spatial_prediction import command
from spatial_prediction.plotting.style import save_figure
from spatial_prediction.studies.super_resolution.crossings import Crossings
from spatial_prediction.studies.super_resolution.figures import arguments as shared
from spatial_prediction.studies.super_resolution.figures import stitched_corners


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw as the arguments say."""
    parser = command.argument_parser(__doc__ or "")
    shared.add_crossings(parser)
    shared.add_figure(parser)
    options = parser.parse_args(arguments)

    found = Crossings.read(options.crossings).with_crop(options.output_crop)
    figure = stitched_corners(found.stitched, found.untiled, found.target, found.scenes)
    save_figure(figure, options.figure, options.formats)


if __name__ == "__main__":
    command.run(main)
