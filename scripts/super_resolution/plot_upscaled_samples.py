"""Draw test tiles upscaled by the networks of several presets, between input and target."""

from collections.abc import Sequence
from pathlib import Path

from spatial_prediction import command
from spatial_prediction.compiled_programs import keep_compiled_programs
from spatial_prediction.plotting.style import save_figure
from spatial_prediction.studies.super_resolution.figures import arguments as common
from spatial_prediction.studies.super_resolution.figures import upscaled_samples
from spatial_prediction.studies.super_resolution.stages.samples import upscaled_images


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw according to the arguments."""
    parser = command.argument_parser(__doc__ or "")
    parser.add_argument("--test", type=Path, required=True, help="array of test scenes")
    common.add_models(parser)
    parser.add_argument("--scenes", type=int, nargs="+", default=[0, 1, 2], help="which test scenes")
    parser.add_argument("--low-res-size", type=int, required=True, help="rows and columns of the input")
    common.add_figure(parser)
    options = parser.parse_args(arguments)

    keep_compiled_programs()
    columns = upscaled_images(
        options.test, options.models, scenes=options.scenes, low_res_size=options.low_res_size
    )
    save_figure(upscaled_samples(columns), options.figure, options.formats)


if __name__ == "__main__":
    command.run(main)
