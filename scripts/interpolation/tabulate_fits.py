"""Tabulate how the fits ended, failures among them."""

from collections.abc import Sequence
from pathlib import Path

from spatial_prediction import command, plotting
from spatial_prediction.named_arrays import load_arrays
from spatial_prediction.studies.interpolation.figures import arguments as shared
from spatial_prediction.studies.interpolation.figures.tables import fit_table


def main(arguments: Sequence[str] | None = None) -> None:
    """Tabulate as the arguments say."""
    parser = command.argument_parser(__doc__ or "")
    parser.add_argument("--fits", type=Path, nargs="+", required=True, help="fits (train_process.py)")
    shared.add_table(parser)
    options = parser.parse_args(arguments)
    plotting.write_table(fit_table([load_arrays(path)[1] for path in options.fits]), options.table)


if __name__ == "__main__":
    command.run(main)
