"""Where results go: checked before anything is computed, complete or absent."""

import logging
from pathlib import Path

import xarray

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.files import written_aside

logger = logging.getLogger(__name__)


def check_output(out: Path, *inputs: Path, overwrite: bool) -> None:
    """Refuse an output that is no .nc file, that exists, or that is one of the inputs.

    Raises:
        ConfigurationError: it is.
    """
    if out.suffix != ".nc":
        raise ConfigurationError(f"--out {out}: the output is netCDF; give a name that ends in .nc")
    for source in inputs:
        if out.resolve() == source.resolve() or (out.exists() and source.exists() and out.samefile(source)):
            raise ConfigurationError(
                f"--out {out} is the input {source}, which would be lost; choose another name"
            )
    if out.exists() and not overwrite:
        raise ConfigurationError(f"--out {out} exists; choose another name, or add --overwrite")


def write_netcdf(dataset: xarray.Dataset, out: Path) -> None:
    """Write a dataset, complete or not at all.

    Raises:
        WriteError: it cannot be written.
    """
    with written_aside(out) as temporary:
        dataset.to_netcdf(temporary, engine="netcdf4")
    logger.info("%s: %s", out, " and ".join(map(str, dataset.data_vars)))
