"""Measure the squared errors of bilinear upscaling, which every network has to beat."""

from collections.abc import Sequence
from pathlib import Path

from spatial_prediction import command
from spatial_prediction.compiled_programs import keep_compiled_programs
from spatial_prediction.studies.super_resolution.stages.evaluation import CornerTiles, evaluate_bilinear


def main(arguments: Sequence[str] | None = None) -> None:
    """Evaluate according to the arguments."""
    parser = command.argument_parser(__doc__ or "")
    parser.add_argument("--upscale-factor", type=int, required=True, help="output pixels per input pixel")
    parser.add_argument("--output", type=Path, required=True, help="table to write (.parquet)")
    command.add_settings(parser, CornerTiles)
    options = parser.parse_args(arguments)

    keep_compiled_programs()
    evaluate_bilinear(
        command.settings_from(options, CornerTiles),
        upscale_factor=options.upscale_factor,
        output=options.output,
    )


if __name__ == "__main__":
    command.run(main)
