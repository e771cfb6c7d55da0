"""Draw the centre of a test scene continued by each padding, beside the truth."""

from collections.abc import Sequence
from pathlib import Path

from spatial_prediction import command
from spatial_prediction.plotting.style import save_figure
from spatial_prediction.studies.super_resolution.figures import arguments as common
from spatial_prediction.studies.super_resolution.figures import padded_samples
from spatial_prediction.studies.super_resolution.stages.samples import padded_images


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw according to the arguments."""
    parser = command.argument_parser(__doc__ or "")
    parser.add_argument("--test", type=Path, required=True, help="array of test scenes")
    parser.add_argument("--paddings", nargs="+", required=True, help="names of the paddings to show")
    parser.add_argument("--scene", type=int, default=0, help="which test scene")
    parser.add_argument("--known-size", type=int, default=32, help="pixels known, at low resolution")
    parser.add_argument("--pad", type=int, default=12, help="pixels to predict on each side")
    common.add_figure(parser)
    options = parser.parse_args(arguments)

    images = padded_images(
        options.test,
        scenes=[options.scene],
        paddings=options.paddings,
        known_size=options.known_size,
        pad=options.pad,
    )
    sides = (options.pad, options.pad)
    shown = {name: of_scenes[0] for name, of_scenes in images.items()}
    save_figure(padded_samples(shown, (sides, sides)), options.figure, options.formats)


if __name__ == "__main__":
    command.run(main)
