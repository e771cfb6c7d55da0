"""Join the tables of many runs into one."""

import logging
from collections.abc import Sequence

from spatial_prediction import command
from spatial_prediction.studies.super_resolution import metrics

DESCRIPTION = """\
Join the tidy Parquet tables of many runs (a preset and a seed each) into one, in the order given.

The table of a diverged run has no rows and adds none; the same run twice is an error. Example:

  python scripts/super_resolution/gather_evaluation.py --kind mse --output results/evaluation/mse.parquet \\
      --tables results/evaluation/mse/*/seed_*.parquet"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the script with the given arguments, by default the command line's."""
    parser = command.argument_parser(DESCRIPTION)
    parser.add_argument(
        "--kind",
        choices=sorted(metrics.COLUMNS),
        required=True,
        help="what the tables hold: test errors by output crop (mse), losses by training step (history), "
        "errors of paddings by feature map (nmse)",
    )
    parser.add_argument(
        "--tables", nargs="+", required=True, metavar="FILE", help="Parquet tables, one or more runs each"
    )
    parser.add_argument("--output", required=True, metavar="FILE", help="Parquet table to write")
    options = parser.parse_args(arguments)
    rows = metrics.gather_tables(options.tables, options.kind, options.output)
    logging.getLogger(__name__).info("%s: %d rows of %d tables", options.output, rows, len(options.tables))


if __name__ == "__main__":
    command.run(main)
