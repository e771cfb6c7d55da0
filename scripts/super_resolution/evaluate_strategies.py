"""Measure what a preset's networks do where tiles meet in different ways: abut, overlap, fade."""

from collections.abc import Sequence
from pathlib import Path

from spatial_prediction import command
from spatial_prediction.compiled_programs import keep_compiled_programs
from spatial_prediction.studies.super_resolution.stages.seams import SeamScenes, evaluate_strategies
from spatial_prediction.tiling import CURVES


def main(arguments: Sequence[str] | None = None) -> None:
    """Evaluate according to the arguments."""
    parser = command.argument_parser(__doc__ or "")
    parser.add_argument(
        "--models", type=Path, nargs="+", required=True, help="exported weights, of any seeds of one preset"
    )
    parser.add_argument(
        "--overlaps", type=int, nargs="*", default=[], help="input pixels on each side, of crops and blends"
    )
    parser.add_argument("--curves", nargs="*", choices=CURVES, default=[], help="curves of the blends")
    parser.add_argument("--output", type=Path, required=True, help="table to write (.parquet)")
    command.add_settings(parser, SeamScenes)
    options = parser.parse_args(arguments)

    keep_compiled_programs()
    evaluate_strategies(
        options.models,
        command.settings_from(options, SeamScenes),
        overlaps=options.overlaps,
        curves=options.curves,
        output=options.output,
    )


if __name__ == "__main__":
    command.run(main)
