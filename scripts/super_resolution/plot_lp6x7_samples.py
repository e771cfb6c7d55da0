"""Draw the centre of test scenes continued by linear prediction from 6 x 7 pixels, above the truth."""

from collections.abc import Sequence
from pathlib import Path

from spatial_prediction import command
from spatial_prediction.plotting.style import save_figure
from spatial_prediction.studies.super_resolution.figures import arguments as shared
from spatial_prediction.studies.super_resolution.figures import lp6x7_samples
from spatial_prediction.studies.super_resolution.stages.samples import padded_images

PADDING = "lp6x7"


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw as the arguments say."""
    parser = command.argument_parser(__doc__ or "")
    parser.add_argument("--test", type=Path, required=True, help="array of test scenes")
    parser.add_argument("--scenes", type=int, nargs="+", default=[0, 1, 2], help="which test scenes")
    parser.add_argument("--known-size", type=int, default=48, help="pixels known, at low resolution")
    parser.add_argument("--pad", type=int, default=16, help="pixels to predict on each side")
    shared.add_figure(parser)
    options = parser.parse_args(arguments)

    images = padded_images(
        options.test,
        scenes=options.scenes,
        paddings=[PADDING],
        known_size=options.known_size,
        pad=options.pad,
    )
    rows = {name: images[name] for name in (PADDING, "truth")}
    save_figure(lp6x7_samples(rows, options.scenes, options.pad), options.figure, options.formats)


if __name__ == "__main__":
    command.run(main)
