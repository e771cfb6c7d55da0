"""``spatial-prediction inspect``: what a compressed file holds."""

import argparse
from pathlib import Path
from typing import Any

DESCRIPTION = """\
Show what a compressed cube holds: shape, type, predictor, largest error, bits per sample, metadata.

Only header and index are read. With --verify everything is, and compared with its checksums; the exit code
is 1 where anything is damaged, and the message names the rows.

Examples:
  spatial-prediction inspect cube.spc
  spatial-prediction inspect cube.spc --verify"""


def add_to(commands: Any) -> None:
    """Declare the command among the others of a parser (its subparsers)."""
    parser = commands.add_parser(
        "inspect",
        help="what a compressed file holds",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the compressed file")
    parser.add_argument("--verify", action="store_true", help="compare all checksums")
    parser.set_defaults(run=_inspect)


def _inspect(options: argparse.Namespace) -> None:
    from spatial_prediction.cube_files.report import describe_file, verify_file

    for line in describe_file(options.file):
        print(line)
    if options.verify:
        print(f"{'checksums':<10} those of all {verify_file(options.file)} groups are right")
