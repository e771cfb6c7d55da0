"""Gaps of an xarray.DataArray."""

import logging
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from jaxtyping import Float

from spatial_prediction.errors import ObservationError
from spatial_prediction.interpolation._fitted import Axes, fill_grid
from spatial_prediction.interpolation._geographic import is_geographic
from spatial_prediction.interpolation._plan import plan_for

if TYPE_CHECKING:
    import xarray

logger = logging.getLogger(__name__)

KEPT_ENCODING = ("grid_mapping", "coordinates")
"""Packing and fill values are left out: they were chosen for the observed values."""

OF_OBSERVED_VALUES = ("valid_min", "valid_max", "valid_range", "actual_range", "cell_methods", "flag_values")
"""Attributes that do not hold for a standard deviation."""


def fill_gaps(
    array: "xarray.DataArray", *, model: str = "auto", steps: int = 60, smooth: bool = False
) -> tuple["xarray.DataArray", "xarray.DataArray"]:
    """Fill NaN by a Gaussian process fitted to everything else.

    A dimension named ``time`` counts as time, else the first of three; an array of two dimensions is one
    frame. Distances are those of the coordinates, on the sphere where these are latitude and longitude (by
    name or units), in pixels where there are none.

    Args:
        array: of two or three dimensions, real.
        model: one of ``MODELS``; see :func:`plan_for`.
        steps: most steps of the fit.
        smooth: replace observed values by the model's mean too, with its standard deviation; otherwise they
            are kept, with a standard deviation of 0.

    Returns:
        Mean and standard deviation (of a new observation, noise included), with dimensions, coordinates,
        dtype (float32 or float64), units and grid mapping of ``array``. The second is named ``NAME_stddev``;
        its standard name has the modifier ``standard_error``, and the first lists it as ancillary.

    Raises:
        ConfigurationError: the model is not known, or ``steps`` is less than 1.
        ObservationError: the array has another number of dimensions, is not real, has unsorted, repeated or
            missing coordinates, latitudes beyond 90, infinite values, or too few or too many observations.
    """
    ordered = in_order(array)
    values = values_of(ordered)
    axes = axes_of(ordered)
    mask = ~np.isnan(values)
    plan = plan_for(mask, model=model, steps=steps)
    logger.info("%s: %s", array.name or "array", plan)
    mean, deviation = fill_grid(values, mask, axes, plan)
    if not smooth:
        mean, deviation = np.where(mask, values, mean), np.where(mask, 0.0, deviation)
    return _described(array, ordered, mean, deviation)


def in_order(array: "xarray.DataArray") -> "xarray.DataArray":
    """Transpose to time, rows, columns (latitude before longitude); two dimensions stay two.

    Raises:
        ObservationError: there are neither two nor three dimensions.
    """
    if array.ndim not in (2, 3):
        raise ObservationError(
            f"{array.name or 'array'} has dimensions {tuple(array.dims)}; choose two (y, x) or three "
            "(time, y, x)"
        )
    dims = list(array.dims)
    if array.ndim == 3:
        dims.insert(0, dims.pop(dims.index("time") if "time" in dims else 0))
    if _is_geographic(array, dims[-1], "lat") or _is_geographic(array, dims[-2], "lon"):
        dims[-2:] = dims[:-3:-1]
    return array.transpose(*dims)


def values_of(ordered: "xarray.DataArray") -> Float[np.ndarray, "frames rows columns"]:
    """Values as float64, one frame where there is no time.

    Raises:
        ObservationError: they are not real, or there are none.
    """
    if ordered.dtype.kind not in "fiu":
        raise ObservationError(f"{ordered.name or 'array'} has dtype {ordered.dtype}; it must be real")
    if ordered.size == 0:
        raise ObservationError(
            f"{ordered.name or 'array'} has shape {ordered.shape}; every dimension needs cells"
        )
    return np.asarray(ordered.values, np.float64).reshape((-1, *ordered.shape[-2:]))


def axes_of(ordered: "xarray.DataArray") -> Axes:
    """Coordinates of an array from :func:`in_order`.

    Raises:
        ObservationError: one is missing a value, unsorted or repeated, or a latitude is beyond 90.
    """
    times = _axis(ordered, ordered.dims[0]) if ordered.ndim == 3 else np.zeros(1)
    row, column = ordered.dims[-2:]
    rows, columns = _axis(ordered, row), _axis(ordered, column)
    on_sphere = _is_geographic(ordered, row, "lat") and _is_geographic(ordered, column, "lon")
    if on_sphere and np.abs(rows).max() > 90:
        worst = rows[np.argmax(np.abs(rows))]
        raise ObservationError(
            f"latitude {row} has the value {worst:g}, beyond 90; are latitude and longitude swapped?"
        )
    return Axes(times, rows, columns, on_sphere)


def _axis(array: "xarray.DataArray", name: Any) -> Float[np.ndarray, " n"]:
    """A coordinate as float64, indices where it has none that is a number or a time."""
    size = array.sizes[name]
    if name not in array.coords or array[name].dtype.kind not in "fiuMm":
        return np.arange(size, dtype=np.float64)
    stored = array[name].values
    if stored.dtype.kind in "Mm":
        missing = np.isnat(stored)
        axis = (stored - stored[0]).astype("timedelta64[ns]").astype(np.float64)
    else:
        axis = stored.astype(np.float64)
        missing = ~np.isfinite(axis)
    if missing.any():
        raise ObservationError(
            f"{name}[{int(np.argmax(missing))}] is {stored[np.argmax(missing)]}; leave it out"
        )
    moves = np.sign(np.diff(axis))
    if (moves != moves[:1]).any() or (moves == 0).any():
        wrong = int(np.argmax((moves != moves[:1]) | (moves == 0))) + 1
        raise ObservationError(
            f"{name}[{wrong}] = {stored[wrong]} after {stored[wrong - 1]}: coordinates must be sorted "
            f"without duplicates; use array.drop_duplicates({name!r}).sortby({name!r})"
        )
    return np.asarray(axis)


def _is_geographic(array: "xarray.DataArray", name: Any, kind: Literal["lat", "lon"]) -> bool:
    """Whether a dimension has a coordinate that is a latitude or a longitude."""
    return name in array.coords and is_geographic(array[name], kind)


def _described(
    array: "xarray.DataArray",
    ordered: "xarray.DataArray",
    mean: Float[np.ndarray, "frames rows columns"],
    deviation: Float[np.ndarray, "frames rows columns"],
) -> tuple["xarray.DataArray", "xarray.DataArray"]:
    dtype = np.float32 if array.dtype == np.float32 else np.float64
    filled, spread = (
        ordered.copy(data=part.reshape(ordered.shape).astype(dtype)).transpose(*array.dims)
        for part in (mean, deviation)
    )
    for part in (filled, spread):
        part.encoding = {key: array.encoding[key] for key in KEPT_ENCODING if key in array.encoding}
    name = array.name or "value"
    filled.attrs["ancillary_variables"] = f"{name}_stddev"
    for key in OF_OBSERVED_VALUES:
        spread.attrs.pop(key, None)
    spread.attrs["long_name"] = f"standard deviation of {array.attrs.get('long_name', name)}"
    if "standard_name" in array.attrs:
        spread.attrs["standard_name"] = f"{array.attrs['standard_name']} standard_error"
    return filled.rename(name), spread.rename(f"{name}_stddev")
