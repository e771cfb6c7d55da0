"""A netCDF file with gaps in, one without gaps out."""

import logging
from pathlib import Path

import xarray

from spatial_prediction.errors import ConfigurationError, ObservationError
from spatial_prediction.interpolation._dataarray import fill_gaps
from spatial_prediction.interpolation._output import check_output, write_netcdf
from spatial_prediction.interpolation._validation import hold_out

logger = logging.getLogger(__name__)


def fill_file(
    source: Path,
    out: Path,
    *,
    variable: str | None = None,
    model: str = "auto",
    steps: int = 60,
    smooth: bool = False,
    validate: float | None = None,
    seed: int = 0,
    overwrite: bool = False,
) -> None:
    """Fill the gaps of a variable of a netCDF file.

    Args:
        source: the file.
        out: where mean and standard deviation go, with coordinates, grid mapping and attributes of the file.
        variable: its name; may be None where only one has two or three dimensions.
        model: as of :func:`fill_gaps`.
        steps: as of :func:`fill_gaps`.
        smooth: as of :func:`fill_gaps`.
        validate: share of observed pixels on which to measure the model first, or None.
        seed: of the draw of these.
        overwrite: replace ``out`` if it exists.

    Raises:
        ConfigurationError: ``out`` is no .nc file, exists or is the input, the variable is not there, or a
            setting is wrong.
        ObservationError: the file cannot be read, or its observations cannot be used.
        WriteError: ``out`` cannot be written.
    """
    check_output(out, source, overwrite=overwrite)
    try:
        with xarray.open_dataset(source, engine="netcdf4", decode_coords="all") as dataset:
            array = _chosen(dataset, variable, source).load()
            attributes = dict(dataset.attrs)
            # Bounds of coordinates have a dimension of their own, which the variable lacks.
            bounds = {
                name: coordinate.load()
                for name, coordinate in dataset.coords.items()
                if name not in array.coords and set(coordinate.dims) & set(array.dims)
            }
    except (OSError, ValueError) as error:
        if isinstance(error, ObservationError):
            raise
        reason = getattr(error, "strerror", None) or error
        raise ObservationError(f"{source}: cannot be read as netCDF ({reason}); give a netCDF file") from None
    try:
        if validate is not None:
            logger.info("%s", hold_out(array, validate, seed=seed, model=model, steps=steps))
        mean, deviation = fill_gaps(array, model=model, steps=steps, smooth=smooth)
    except ObservationError as error:
        raise ObservationError(f"{source}: {error}") from None
    filled = xarray.Dataset({str(part.name): part for part in (mean, deviation)}, attrs=attributes)
    filled = filled.assign_coords(bounds)
    filled.attrs.setdefault("Conventions", "CF-1.8")
    write_netcdf(filled, out)


def _chosen(dataset: xarray.Dataset, name: str | None, source: Path) -> xarray.DataArray:
    possible = [str(key) for key, array in dataset.data_vars.items() if array.ndim in (2, 3)]
    listed = ", ".join(possible) or "none"
    if name is None and len(possible) != 1:
        raise ConfigurationError(
            f"{source} has {len(possible)} variables of two or three dimensions ({listed}); "
            "choose one by --variable"
        )
    if name is not None and name not in dataset.data_vars:
        raise ConfigurationError(f"{source} has no variable {name!r}; choose one of {listed}")
    return dataset[name or possible[0]]
