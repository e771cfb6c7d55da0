"""Reading scenes: netCDF files of the bands B02, B03 and B04, written by openEO or in its layout.

A scene file has the dimensions ``t`` (length 1), ``y`` and ``x``, and one variable a band with DN, that is
reflectance x 10,000. What a file must be, and the message each fault gets, stands in ``docs/data.md``.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import netCDF4
import numpy as np
from jaxtyping import Int16

from spatial_prediction.errors import ConfigurationError, SceneError

BANDS = ("B04", "B03", "B02")
"""The bands along a scene array's last axis: red, green, blue."""

DN_RANGE = np.iinfo(np.int16)

LARGEST_ROUNDING = 0.01
"""How far, in DN, a band stored as floats may lie from whole numbers."""

MISSING_VALUE_ATTRIBUTES = ("_FillValue", "missing_value", "nodata")


def list_scenes(directory: str | Path, pattern: str = "*.nc") -> list[Path]:
    """List the scene files of a folder, sorted by name.

    Hidden files are left out: half-written files have hidden names.

    Args:
        directory: The folder; its subfolders are not searched.
        pattern: Shell pattern of the files' names.

    Raises:
        ConfigurationError: ``pattern`` has a folder in it.
        SceneError: The folder does not exist, or none of its files fits ``pattern``.
    """
    directory = Path(directory)
    if not pattern or Path(pattern).name != pattern:
        raise ConfigurationError(
            f"pattern={pattern!r}: must fit file names, without a folder; for example '*.nc'"
        )
    if not directory.is_dir():
        raise SceneError(f"{directory}: no such folder; name the folder that holds the scenes")
    scenes = [path for path in directory.glob(pattern) if path.is_file() and not path.name.startswith(".")]
    if not scenes:
        raise SceneError(f"{directory}: no file fits {pattern!r}; put scenes there or change the pattern")
    return sorted(scenes, key=lambda path: path.name)


def read_scene(path: str | Path, *, size: int = 512) -> Int16[np.ndarray, "{size} {size} 3"]:
    """Read the first ``size`` x ``size`` pixels of a scene.

    Bands stored as integers are taken as they are; bands stored as floats must hold whole numbers.

    Args:
        path: The netCDF file.
        size: Rows and columns to read, from the first row and column on.

    Returns:
        DN, int16, shape (size, size, 3), last axis red, green, blue.

    Raises:
        ConfigurationError: ``size`` is less than 1.
        SceneError: The file cannot be used; the message names the file, what was found and what to do.
    """
    if size < 1:
        raise ConfigurationError(f"size={size}: a scene has at least 1 pixel along each axis; give 512 or so")
    try:
        with _opened(Path(path)) as dataset:
            return np.stack([_read_band(dataset, band, size) for band in BANDS], axis=-1)
    except SceneError as fault:
        raise SceneError(f"{path}: {fault}") from fault.__cause__


# From here on faults do not name the file: read_scene puts its name before every message.


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[netCDF4.Dataset]:
    if not path.is_file():
        raise SceneError("no such file; check the folder and the name")
    try:
        dataset = netCDF4.Dataset(path)
    except PermissionError as error:
        raise SceneError("no permission to read the file; change its permissions") from error
    except OSError as error:
        raise SceneError(
            f"cannot be opened as netCDF ({error.strerror}): not a netCDF file, or a truncated one; "
            "fetch or write it again"
        ) from error
    with dataset:
        # HDF5 notices truncation by itself; files of the classic format read as zeros beyond their end.
        if dataset.data_model.startswith("NETCDF3") and path.stat().st_size < _least_bytes(dataset):
            raise SceneError(f"truncated to {path.stat().st_size} bytes; fetch or write it again")
        yield dataset


def _least_bytes(dataset: netCDF4.Dataset) -> int:
    """Bytes that a file of the classic format has at least: those of its header, and its samples."""
    # The header's fields, by the format's specification; "count" is the width of its counts and lengths.
    count = 8 if dataset.data_model == "NETCDF3_64BIT_DATA" else 4
    offset = 4 if dataset.data_model == "NETCDF3_CLASSIC" else 8
    total = 4 + count + 3 * (4 + count)
    total += sum(_padded(name) + 2 * count for name in dataset.dimensions)
    for name, variable in dataset.variables.items():
        total += _padded(name) + (4 + variable.ndim) * count + 8 + offset
        total += variable.size * variable.dtype.itemsize
    owners: list[netCDF4.Dataset | netCDF4.Variable] = [dataset, *dataset.variables.values()]
    for owner in owners:
        total += sum(
            _padded(name) + 2 * count + 4 + _padded(owner.getncattr(name)) for name in owner.ncattrs()
        )
    return total


def _padded(value: str | np.ndarray | np.generic) -> int:
    """Bytes of a name or an attribute in the classic format, where they fill multiples of 4."""
    size = len(value.encode()) if isinstance(value, str) else value.nbytes
    return -(-size // 4) * 4


def _read_band(dataset: netCDF4.Dataset, band: str, size: int) -> Int16[np.ndarray, "{size} {size}"]:
    if band not in dataset.variables:
        raise SceneError(
            f"band {band} is missing, the variables are {', '.join(dataset.variables) or 'none'}; "
            f"a scene needs {', '.join(sorted(BANDS))}: export these bands or rename the variables"
        )
    variable = dataset[band]
    _check_dimensions(variable, size)
    _check_packing(variable)
    values = _crop(variable, size)
    if values.dtype.kind not in "iuf":
        raise SceneError(
            f"band {band} holds {values.dtype}, not numbers; store reflectance x 10000 as 16-bit integers"
        )
    _check_complete(variable, values)
    return _as_dn(band, values)


def _check_dimensions(variable: netCDF4.Variable, size: int) -> None:
    shape = ", ".join(f"{name}={n}" for name, n in zip(variable.dimensions, variable.shape, strict=True))
    found = f"band {variable.name} has the dimensions ({shape})"
    if variable.dimensions not in {("t", "y", "x"), ("y", "x")}:
        raise SceneError(f"{found}, not (t=1, y, x) or (y, x); rename or transpose them")
    if variable.ndim == 3 and variable.shape[0] != 1:
        raise SceneError(f"{found}, and a scene is of one time; store one file for each time")
    if min(variable.shape[-2:]) < size:
        raise SceneError(
            f"{found}, too small for {size} x {size} pixels; use a larger scene or a smaller size"
        )


def _check_packing(variable: netCDF4.Variable) -> None:
    # Stored values are read as they are, so anything that says "the real value is another" must not pass.
    for attribute, neutral in (("scale_factor", 1), ("add_offset", 0)):
        value = getattr(variable, attribute, neutral)
        if value != neutral:
            raise SceneError(
                f"band {variable.name} is packed with {attribute}={value}; "
                "store reflectance x 10000 itself, without packing"
            )


def _crop(variable: netCDF4.Variable, size: int) -> np.ndarray:
    """Read the stored values of the corner crop, shape (size, size), in their stored dtype."""
    variable.set_auto_maskandscale(False)
    corner = (slice(size), slice(size))
    try:
        return np.asarray(variable[corner if variable.ndim == 2 else (0, *corner)])
    except (OSError, RuntimeError) as error:
        raise SceneError(
            f"band {variable.name} cannot be read ({error}): the file is damaged; fetch or write it again"
        ) from error


def _check_complete(variable: netCDF4.Variable, values: np.ndarray) -> None:
    missing = np.isin(values, _missing_values(variable))
    if values.dtype.kind == "f":
        missing |= ~np.isfinite(values)
    if missing.any():
        row, column = np.argwhere(missing)[0]
        raise SceneError(
            f"band {variable.name} has {np.count_nonzero(missing)} missing samples (NaN or nodata), the "
            f"first at row {row}, column {column}; choose a scene or a size without gaps"
        )


def _missing_values(variable: netCDF4.Variable) -> list[float]:
    declared = [getattr(variable, name) for name in MISSING_VALUE_ATTRIBUTES if hasattr(variable, name)]
    if "_FillValue" not in variable.ncattrs() and variable.dtype.itemsize > 1:
        # What netCDF itself puts where nothing was ever written; single bytes have no such value.
        declared.append(netCDF4.default_fillvals.get(variable.dtype.str[1:], np.nan))
    arrays = [np.atleast_1d(value) for value in declared]
    return [float(value) for array in arrays if array.dtype.kind in "iuf" for value in array]


def _as_dn(band: str, values: np.ndarray) -> np.ndarray:
    if values.dtype.kind == "f":
        whole = np.rint(values)
        _check_samples(
            band,
            values,
            np.abs(values - whole) > LARGEST_ROUNDING,
            "not a whole number; store DN, that is reflectance x 10000, rounded",
        )
        values = whole
    _check_samples(
        band,
        values,
        (values < DN_RANGE.min) | (values > DN_RANGE.max),
        f"outside {DN_RANGE.min} to {DN_RANGE.max}; store DN, that is reflectance x 10000",
    )
    return values.astype(np.int16, copy=False)


def _check_samples(band: str, values: np.ndarray, bad: np.ndarray, fault: str) -> None:
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise SceneError(
            f"band {band} holds {values[row, column]:.6g} at row {row}, column {column}: {fault}"
        )
