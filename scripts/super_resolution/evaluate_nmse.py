"""Measure how well paddings predict the ring around a network's feature maps."""

from collections.abc import Sequence
from pathlib import Path

from spatial_prediction import command
from spatial_prediction.compiled_programs import keep_compiled_programs
from spatial_prediction.studies.super_resolution.stages.evaluation import CornerTiles, evaluate_nmse


def main(arguments: Sequence[str] | None = None) -> None:
    """Evaluate according to the arguments."""
    parser = command.argument_parser(__doc__ or "")
    parser.add_argument("--model", type=Path, required=True, help="exported weights")
    parser.add_argument("--paddings", nargs="+", required=True, help="names of the paddings to compare")
    parser.add_argument("--output", type=Path, required=True, help="table to write (.parquet)")
    command.add_settings(parser, CornerTiles)
    options = parser.parse_args(arguments)

    keep_compiled_programs()
    evaluate_nmse(
        options.model,
        command.settings_from(options, CornerTiles),
        paddings=options.paddings,
        output=options.output,
    )


if __name__ == "__main__":
    command.run(main)
