"""Measure the squared errors of bilinear upscaling, which every network has to beat."""

from collections.abc import Sequence
from pathlib import Path

from spatial_prediction import command
from spatial_prediction.experiments.compilation import keep_compiled_programs
from spatial_prediction.experiments.evaluation import evaluate_bilinear
from spatial_prediction.files import read_json


def main(arguments: Sequence[str] | None = None) -> None:
    """Evaluate as the arguments say."""
    parser = command.argument_parser(__doc__ or "")
    parser.add_argument("--test", type=Path, required=True, help="array of test scenes")
    parser.add_argument("--summary", type=Path, required=True, help="summary of the arrays")
    parser.add_argument("--low-res-size", type=int, required=True, help="rows and columns of the input")
    parser.add_argument("--upscale-factor", type=int, required=True, help="output pixels per input pixel")
    parser.add_argument("--batch-size", type=int, required=True, help="tiles at a time")
    parser.add_argument("--output", type=Path, required=True, help="table to write (.parquet)")
    options = parser.parse_args(arguments)

    keep_compiled_programs()
    evaluate_bilinear(
        test_path=options.test,
        low_res_size=options.low_res_size,
        upscale_factor=options.upscale_factor,
        batch_size=options.batch_size,
        data_hash=read_json(options.summary)["test"]["sha256"],
        output=options.output,
    )


if __name__ == "__main__":
    command.run(main)
