"""``spatial-prediction interpolate``: observations in, a field's mean and standard deviation out."""

import argparse
from pathlib import Path
from typing import Any

from spatial_prediction.errors import ConfigurationError

DESCRIPTION = """\
Predict a field from observations by a Gaussian process, with the standard deviation of every cell.

OBSERVATIONS is a netCDF file with gaps in (a variable of dimensions (time, y, x) or (y, x), missing where
nothing was observed), or a table of stations, CSV or Parquet: a row for each observation, with columns lat
and lon (or y and x), the value, and, where there are such, time and the standard deviation error. A table
needs --grid. Size and expected time are stated first, and the output appears when it is complete.

Examples:
  spatial-prediction interpolate sst.nc --out sst_filled.nc
  spatial-prediction interpolate sst.nc --variable analysed_sst --validate 0.1 --out sst_filled.nc
  spatial-prediction interpolate stations.csv --grid 5,45,16,55,0.25 --out temperature.nc
  spatial-prediction interpolate stations.parquet --grid dem.tif --variable rain --validate 0.2 --out rain.nc

docs/fill_gaps.md says which model is taken when."""

TABLES = (".csv", ".tsv", ".txt", ".parquet", ".pq")
"""Suffixes of tables; a test compares them with those that are read."""


def add_to(commands: Any) -> None:
    """Declare the command among the others of a parser (its subparsers)."""
    parser = commands.add_parser(
        "interpolate",
        help="a netCDF file with gaps or a table of stations in, a field with its uncertainty out",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("observations", type=Path, metavar="OBSERVATIONS", help="netCDF, CSV or Parquet")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the output, .nc")
    parser.add_argument(
        "--variable",
        metavar="NAME",
        help="which variable, or column of values; not needed where there is one only, or a column 'value'",
    )
    parser.add_argument(
        "--model",
        default="auto",
        help="of a file with gaps: static_product, a static image and weather that moves, or additive, a "
        "static image and a time series common to all pixels; of a table: dense (exact) or variational (a "
        "summary of many observations); default auto, by the number of observations",
    )
    parser.add_argument("--steps", type=int, default=60, help="most steps of the fit; default %(default)s")
    parser.add_argument(
        "--validate",
        type=float,
        metavar="SHARE",
        help="hold out this share of the observed pixels or stations first, and print MAE, RMSE, coverage "
        "and NLPD there",
    )
    parser.add_argument("--seed", type=int, default=0, help="of everything drawn; default %(default)s")
    parser.add_argument("--overwrite", action="store_true", help="replace an output that exists")
    gaps = parser.add_argument_group("files with gaps")
    gaps.add_argument("--smooth", action="store_true", help="replace observed values by the mean too")
    tables = parser.add_argument_group("tables")
    tables.add_argument(
        "--grid",
        metavar="GRID",
        help="west,south,east,north,step: edges and size of the cells, in the unit of the stations; or a "
        "netCDF or GeoTIFF file whose grid is taken (write --grid=-10,... where west is negative)",
    )
    tables.add_argument(
        "--times",
        metavar="TIMES",
        help="at which to predict: START/END/STEP, such as 2024-01-01/2024-01-31/1D or 0/10/0.5, or times "
        "separated by commas; default all that were observed",
    )
    tables.add_argument("--time-units", metavar="UNITS", help="of numbers: such as 'hours since 2024-01-01'")
    tables.add_argument(
        "--columns",
        metavar="ROLE=NAME,...",
        help="names of the columns time, lat, lon, y, x, value, error where they have others",
    )
    tables.add_argument(
        "--distance",
        metavar="HOW",
        help="sphere: on the Earth; plane: as if degrees were lengths; default auto, sphere for lat and lon",
    )
    tables.add_argument("--units", metavar="UNITS", help="of the values, for the output, such as K")
    parser.set_defaults(run=_interpolate)


def _interpolate(options: argparse.Namespace) -> None:
    is_table = options.observations.suffix.lower() in TABLES
    _check_options(options, is_table)
    common = {name: getattr(options, name) for name in ("model", "steps", "validate", "seed", "overwrite")}
    if is_table:
        # JAX comes with it, which --help can do without.
        from spatial_prediction.interpolation.stations import interpolate_table

        columns = _columns(options.columns)
        if options.variable is not None:
            columns["value"] = options.variable
        interpolate_table(
            options.observations,
            options.out,
            options.grid,
            columns=columns,
            times=options.times,
            time_units=options.time_units,
            distance=options.distance or "auto",
            units=options.units,
            **common,
        )
        return
    from spatial_prediction.interpolation import fill_file

    fill_file(options.observations, options.out, variable=options.variable, smooth=options.smooth, **common)


def _check_options(options: argparse.Namespace, is_table: bool) -> None:
    """Refuse options that the kind of the input has no use for."""
    name = options.observations
    if is_table:
        if options.grid is None:
            raise ConfigurationError(
                f"{name} is a table: say where to predict, by --grid west,south,east,north,step or "
                "--grid FILE"
            )
        if options.smooth:
            raise ConfigurationError(f"--smooth: {name} is a table, whose predictions always are the model's")
        return
    for option in ("grid", "times", "time_units", "columns", "distance", "units"):
        if getattr(options, option) is not None:
            raise ConfigurationError(
                f"--{option.replace('_', '-')} is for tables ({', '.join(TABLES)}); {name} is taken for "
                "netCDF"
            )


def _columns(text: str | None) -> dict[str, str]:
    """Read ROLE=NAME,ROLE=NAME."""
    if text is None:
        return {}
    pairs = [part.partition("=") for part in text.split(",")]
    for role, equals, name in pairs:
        if not (role and equals and name):
            raise ConfigurationError(f"--columns {text!r}: give ROLE=NAME, separated by commas")
    return {role.strip(): name.strip() for role, _, name in pairs}
