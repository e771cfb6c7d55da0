"""Command-line arguments that scripts of figures and tables share."""

import argparse
from pathlib import Path

from spatial_prediction.plotting.arguments import add_figure as add_figure
from spatial_prediction.plotting.arguments import add_table as add_table


def add_measurements(parser: argparse.ArgumentParser) -> None:
    """Add ``--measurements``."""
    parser.add_argument(
        "--measurements",
        type=Path,
        required=True,
        help="measurements of all codecs on all cubes (gather_measurements.py)",
    )


def add_residuals(parser: argparse.ArgumentParser) -> None:
    """Add ``--residuals``."""
    parser.add_argument(
        "--residuals",
        type=Path,
        nargs="+",
        required=True,
        help="residuals of predictors (evaluate_residuals.py), in the order shown",
    )
