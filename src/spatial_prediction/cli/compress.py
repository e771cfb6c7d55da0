"""``spatial-prediction compress``: a cube in, a compressed file out from which the cube is restored."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from spatial_prediction.compression.container import DTYPES
from spatial_prediction.compression.cubes import PREDICTOR
from spatial_prediction.compression.methods import PREDICTORS
from spatial_prediction.cube_files.formats import RawSettings
from spatial_prediction.cube_files.protocol import REMEDY
from spatial_prediction.errors import ConfigurationError

DESCRIPTION = """\
Compress a cube of whole numbers of 8 to 32 bits: lossless, or with a largest error that is guaranteed.

CUBE is an ENVI file (header or samples), a GeoTIFF, a netCDF file, or with --shape a file of plain numbers.
Everything that its header says is kept: nodata, wavelengths, scale and offset, georeference, names. The
output appears when it is complete. Memory does not grow with the cube.

Examples:
  spatial-prediction compress cube.hdr --out cube.spc
  spatial-prediction compress cube.tif --predictor least_squares --threads 2 --out cube.spc
  spatial-prediction compress cube.nc --variable reflectance --delta 2 --out cube.spc
  spatial-prediction compress cube.raw --shape 512 614 224 --dtype int16 --interleave bil --out cube.spc

decompress restores the cube, inspect shows what a compressed file holds; see docs/compression.md."""

NAMES = {np.dtype(name).name: np.dtype(name) for name in DTYPES if not name.startswith(">")}
"""Types of samples of plain numbers, as ``--dtype`` names them."""


def add_to(commands: Any) -> None:
    """Declare the command among the others of a parser (its subparsers)."""
    parser = commands.add_parser(
        "compress",
        help="a cube in, a compressed file out from which the cube is restored",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("cube", type=Path, metavar="CUBE", help="the cube to compress")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the compressed file")
    parser.add_argument(
        "--predictor",
        choices=PREDICTORS,
        default=PREDICTOR,
        help="ccsds123 is the standard CCSDS 123.0-B-2; least_squares takes fewer bits and more time, for "
        "samples of up to 16 bits, dpcm more bits and less time; linerwkv and mixture need --network; "
        "default %(default)s",
    )
    parser.add_argument(
        "--network",
        type=Path,
        metavar="FILE",
        help="network of the compression study, or of integer_linerwkv.save_network; decompress needs it too",
    )
    parser.add_argument(
        "--delta",
        type=int,
        nargs="+",
        default=[0],
        metavar="N",
        help="largest error of a sample, or one for each band; default 0, lossless",
    )
    parser.add_argument(
        "--rows-per-group",
        type=int,
        metavar="ROWS",
        help="rows that can be restored without reading others; fewer take more bits; default as many as "
        "have 16.8 million samples",
    )
    parser.add_argument(
        "--threads", type=int, default=1, help="groups compressed at a time; default %(default)s"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an output that exists")

    netcdf = parser.add_argument_group("netCDF")
    netcdf.add_argument(
        "--variable",
        nargs="+",
        default=[],
        metavar="NAME",
        help="which variables; default the largest one, and all of its type and grid",
    )
    netcdf.add_argument(
        "--axes",
        nargs=2,
        metavar=("ROWS", "COLUMNS"),
        help="dimensions of rows and columns; default what coordinates and names say",
    )

    raw = parser.add_argument_group("plain numbers, without a header")
    raw.add_argument(
        "--shape", type=int, nargs=3, metavar=("ROWS", "COLUMNS", "BANDS"), help="needed for plain numbers"
    )
    raw.add_argument("--dtype", metavar="TYPE", help=f"needed for plain numbers: {', '.join(NAMES)}")
    raw.add_argument("--byte-order", choices=("little", "big"), help="of the samples; default little")
    raw.add_argument("--interleave", choices=("bsq", "bil", "bip"), help="order of the samples; default bsq")
    raw.add_argument("--header-offset", type=int, metavar="BYTES", help="before the first sample; default 0")
    parser.set_defaults(run=_compress)


def _compress(options: argparse.Namespace) -> None:
    raw = _raw_settings(options)
    from spatial_prediction.cube_files.commands import compress_file

    if options.rows_per_group is not None and options.rows_per_group < 1:
        raise ConfigurationError(f"--rows-per-group {options.rows_per_group}: must be from 1")
    compress_file(
        options.cube,
        options.out,
        predictor=options.predictor,
        network=options.network,
        delta=options.delta[0] if len(options.delta) == 1 else options.delta,
        rows_per_group=options.rows_per_group,
        threads=options.threads,
        raw=raw,
        variables=options.variable,
        axes=tuple(options.axes) if options.axes else None,
        overwrite=options.overwrite,
    )


def _raw_settings(options: argparse.Namespace) -> RawSettings | None:
    """Give what the options say of plain numbers; None where they say nothing."""
    names = ("shape", "dtype", "byte_order", "interleave", "header_offset")
    given = [f"--{name.replace('_', '-')}" for name in names if getattr(options, name) is not None]
    if not given:
        return None
    if options.shape is None or options.dtype is None:
        raise ConfigurationError(
            f"{', '.join(given)}: plain numbers need --shape and --dtype; give both, or none"
        )
    if options.dtype not in NAMES:
        raise ConfigurationError(f"--dtype {options.dtype}: must be one of {', '.join(NAMES)}; {REMEDY}")
    return RawSettings(
        tuple(options.shape),
        NAMES[options.dtype].newbyteorder(">" if options.byte_order == "big" else "<"),
        options.interleave or "bsq",
        options.header_offset or 0,
    )
