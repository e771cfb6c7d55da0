"""``spatial-prediction decompress``: the cube of a compressed file, whole or some of its rows."""

import argparse
import re
from pathlib import Path
from typing import Any

from spatial_prediction.errors import ConfigurationError

DESCRIPTION = """\
Restore the cube that was compressed, in its format, with everything that its header said.

The output needs the ending of that format: .tif, .nc, or for ENVI .hdr or that of the samples; the other file
gets its name. It appears when it is complete. With --rows, header and georeference are those of the rows.

Examples:
  spatial-prediction decompress cube.spc --out cube.hdr
  spatial-prediction decompress cube.spc --rows 100:200 --out some_rows.tif"""


def add_to(commands: Any) -> None:
    """Declare the command among the others of a parser (its subparsers)."""
    parser = commands.add_parser(
        "decompress",
        help="the cube of a compressed file, whole or some of its rows",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the compressed file")
    parser.add_argument("--out", type=Path, required=True, metavar="CUBE", help="the cube to write")
    parser.add_argument(
        "--network", type=Path, metavar="FILE", help="the network with which the cube was compressed, if any"
    )
    parser.add_argument(
        "--rows",
        metavar="FIRST:END",
        help="only these rows, from 0 on, END excluded; groups without any of them are not read; default all",
    )
    parser.add_argument(
        "--threads", type=int, default=1, help="groups decompressed at a time; default %(default)s"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an output that exists")
    parser.set_defaults(run=_decompress)


def _decompress(options: argparse.Namespace) -> None:
    rows = None if options.rows is None else _rows(options.rows)
    from spatial_prediction.cube_files.commands import decompress_file

    decompress_file(
        options.file,
        options.out,
        network=options.network,
        rows=rows,
        threads=options.threads,
        overwrite=options.overwrite,
    )


def _rows(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,9}):(\d{1,9})", text)
    if found is None:
        raise ConfigurationError(
            f"--rows {text}: give the first row and the one after the last, such as 100:200"
        )
    return int(found[1]), int(found[2])
