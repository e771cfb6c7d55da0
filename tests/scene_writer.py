"""Scene files for tests: the published layout, and every way to get it wrong."""

import netCDF4
import numpy as np


def write_scene(path, bands=None, *, dimensions=("t", "y", "x"), format="NETCDF4_CLASSIC", **attributes):
    """Write bands, each (y, x) or (t, y, x), under the names of ``dimensions``.

    ``attributes`` are given to each band; ``fill_value`` becomes ``_FillValue``.
    """
    bands = random_bands() if bands is None else bands
    fill_value = attributes.pop("fill_value", None)
    with netCDF4.Dataset(path, "w", format=format) as dataset:
        for name, values in bands.items():
            values = values if values.ndim == len(dimensions) else values[np.newaxis]
            for dimension, length in zip(dimensions, values.shape, strict=True):
                if dimension not in dataset.dimensions:
                    dataset.createDimension(dimension, length)
            variable = dataset.createVariable(name, values.dtype, dimensions, fill_value=fill_value)
            variable.setncatts(attributes)
            variable.set_auto_maskandscale(False)
            variable[:] = values
    return path


def random_bands(shape=(20, 18), seed=0, dtype="int16"):
    generator = np.random.default_rng(seed)
    return {band: generator.integers(0, 10_000, shape).astype(dtype) for band in ("B02", "B03", "B04")}


def stacked(bands, size):
    """What read_scene must give of these bands."""
    return np.stack([bands[band][:size, :size] for band in ("B04", "B03", "B02")], axis=-1).astype("int16")
