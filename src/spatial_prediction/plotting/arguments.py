"""Command-line arguments of scripts that write a figure or a table."""

import argparse
from pathlib import Path

from spatial_prediction.plotting.style import FORMATS


def add_figure(parser: argparse.ArgumentParser) -> None:
    """Add ``--figure`` and ``--formats``."""
    parser.add_argument(
        "--figure",
        type=Path,
        required=True,
        metavar="PATH",
        help="figure to write, without suffix: results/figures/shell_mse",
    )
    parser.add_argument(
        "--formats", nargs="+", choices=FORMATS, default=["pdf", "png"], help="file formats of the figure"
    )


def add_table(parser: argparse.ArgumentParser) -> None:
    """Add ``--table``."""
    parser.add_argument(
        "--table",
        type=Path,
        required=True,
        metavar="PATH",
        help="table to write as .csv, .html, .md and .tex, without suffix: results/tables/shells",
    )
