"""``spatial-prediction interpolate``: a netCDF file with gaps in, mean and standard deviation out."""

import argparse
from pathlib import Path
from typing import Any

DESCRIPTION = """\
Fill the gaps of a netCDF variable in space and time by a Gaussian process fitted to what was observed.

OBSERVATIONS has a variable of dimensions (time, y, x) or (y, x), with missing values where nothing was
observed. The output has the mean and the standard deviation of every cell, with coordinates, units and grid
mapping of the input, and appears when it is complete. Size and expected time are stated first.

Examples:
  spatial-prediction interpolate sst.nc --out sst_filled.nc
  spatial-prediction interpolate sst.nc --variable analysed_sst --validate 0.1 --out sst_filled.nc

docs/fill_gaps.md says which model is taken when."""


def add_to(commands: Any) -> None:
    """Declare the command among the others of a parser (its subparsers)."""
    parser = commands.add_parser(
        "interpolate",
        help="a netCDF file with gaps in, mean and standard deviation of every cell out",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("observations", type=Path, metavar="OBSERVATIONS", help="the netCDF file with gaps")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the output, .nc")
    parser.add_argument(
        "--variable", metavar="NAME", help="which variable; not needed where there is one only"
    )
    parser.add_argument(
        "--model",
        default="auto",
        help="static_product: a static image and weather that moves; additive: a static image and a time "
        "series common to all pixels, for many observations; default auto, by the number of observations",
    )
    parser.add_argument("--steps", type=int, default=60, help="most steps of the fit; default %(default)s")
    parser.add_argument("--smooth", action="store_true", help="replace observed values by the mean too")
    parser.add_argument(
        "--validate",
        type=float,
        metavar="SHARE",
        help="hold out this share of the observed pixels first, and print MAE, coverage and NLPD there",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the pixels held out; default %(default)s")
    parser.add_argument("--overwrite", action="store_true", help="replace an output that exists")
    parser.set_defaults(run=_interpolate)


def _interpolate(options: argparse.Namespace) -> None:
    from spatial_prediction.interpolation import fill_file  # JAX, which --help can do without

    fill_file(
        options.observations,
        options.out,
        variable=options.variable,
        model=options.model,
        steps=options.steps,
        smooth=options.smooth,
        validate=options.validate,
        seed=options.seed,
        overwrite=options.overwrite,
    )
