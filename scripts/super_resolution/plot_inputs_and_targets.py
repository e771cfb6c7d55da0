"""Draw the input of test tiles, their bilinear upscaling and their target."""

from collections.abc import Sequence
from pathlib import Path

from spatial_prediction import command
from spatial_prediction.plotting.style import save_figure
from spatial_prediction.studies.super_resolution.figures import arguments as shared
from spatial_prediction.studies.super_resolution.figures import inputs_and_targets
from spatial_prediction.studies.super_resolution.stages.samples import upscaled_images


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw as the arguments say."""
    parser = command.argument_parser(__doc__ or "")
    parser.add_argument("--test", type=Path, required=True, help="array of test scenes")
    parser.add_argument("--scenes", type=int, nargs="+", default=[0, 1, 2], help="which test scenes")
    parser.add_argument("--low-res-size", type=int, required=True, help="rows and columns of the input")
    shared.add_figure(parser)
    options = parser.parse_args(arguments)

    columns = upscaled_images(options.test, {}, scenes=options.scenes, low_res_size=options.low_res_size)
    save_figure(inputs_and_targets(columns), options.figure, options.formats)


if __name__ == "__main__":
    command.run(main)
