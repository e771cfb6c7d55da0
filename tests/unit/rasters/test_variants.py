"""The same DN in many containers, layouts and packings: ours is compared with what the libraries read.

Where a library is known to read otherwise than the file says, the test says so and keeps to the DN written.
"""

import warnings

import numpy as np
import pytest
import rasterio
import xarray
from tests.raster_writer import (
    ENCODINGS,
    HEIGHT,
    LAYOUTS,
    NAMES,
    PROFILES,
    TRANSFORM,
    WAVELENGTHS,
    WIDTH,
    dn,
    expected,
    write_band_files,
    write_envi,
    write_geotiff,
    write_netcdf,
)

from spatial_prediction.rasters.raster import open_raster

RED_FIRST = [2, 1, 0]
COMMON = ("blue", "green", "red")


def read_all(path, **options):
    with open_raster(path, **options) as raster:
        assert raster.transform == TRANSFORM
        assert (raster.height, raster.width) == (HEIGHT, WIDTH)
        return raster.read(slice(0, HEIGHT), slice(0, WIDTH))


def assert_reads(path, encoding, values, **options):
    """What is read is what was written, red first; with rounding of float32 where reflectance was stored."""
    samples, valid = read_all(path, **options)
    wanted, there = expected(encoding, values[RED_FIRST])
    np.testing.assert_array_equal(valid, there)
    np.testing.assert_allclose(samples, wanted, rtol=0, atol=2e-3, equal_nan=True)
    if encoding.dtype[0] in "iu" and encoding.scale is None:
        np.testing.assert_array_equal(samples, wanted)
    return samples


# xarray 2026.9 reads these otherwise than CF says: it does not know the valid range.
NOT_BY_XARRAY = {"int16, valid_min"}


@pytest.mark.parametrize("ascending", [False, True], ids=["north first", "south first"])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", ENCODINGS)
def test_netcdf_is_read_as_written_and_as_xarray_decodes_it(tmp_path, name, layout, ascending):
    encoding, values = ENCODINGS[name], dn(ENCODINGS[name])
    path = write_netcdf(tmp_path / "a.nc", values, encoding, layout, ascending=ascending)
    samples = assert_reads(path, encoding, values)
    if name in NOT_BY_XARRAY:
        return
    with xarray.open_dataset(path) as dataset:
        y, x = ("lat", "lon") if "lat" in dataset.dims else ("y", "x")
        red = dataset["reflectance"].isel(band=2) if "band" in dataset.dims else dataset["B04"]
        decoded = red.sortby(y, ascending=False).squeeze(drop=True).transpose(y, x).to_numpy()
    times = 1 if encoding.scale is None and not encoding.reflectance else 10_000
    np.testing.assert_allclose(samples[0], decoded * times, rtol=1e-6, atol=0.02, equal_nan=True)


@pytest.mark.parametrize("format", ["NETCDF3_CLASSIC", "NETCDF3_64BIT_OFFSET", "NETCDF4_CLASSIC"])
@pytest.mark.parametrize("names", [COMMON, ("B2", "B3", "B4"), WAVELENGTHS], ids=["colours", "short", "nm"])
def test_netcdf_bands_are_found_by_common_names_and_by_wavelength(tmp_path, format, names):
    encoding, values = ENCODINGS["int16, fill"], dn()
    path = write_netcdf(tmp_path / "a.nc", values, encoding, "band y x", names=names, format=format)
    assert_reads(path, encoding, values)


# GDAL knows neither attribute, so rasterio gives these samples as they are stored.
NOT_BY_RASTERIO = {"int16, valid_min", "uint16, missing 0", "int16 packed, missing value"}


@pytest.mark.parametrize("names", [NAMES, COMMON, WAVELENGTHS], ids=["names", "colours", "nm"])
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", ENCODINGS)
def test_geotiff_is_read_as_written_and_as_rasterio_decodes_it(tmp_path, name, profile, names):
    encoding, values = ENCODINGS[name], dn(ENCODINGS[name])
    path = write_geotiff(tmp_path / "a.tif", values, encoding, profile, names=names)
    samples = assert_reads(path, encoding, values)
    if name in NOT_BY_RASTERIO or encoding.unsigned:  # GDAL does not know _Unsigned either
        return
    with rasterio.open(path) as file:
        stored = file.read(3, masked=True)
        decoded = (stored.astype("f8") * file.scales[2] + file.offsets[2]).filled(np.nan)
    times = 1 if encoding.scale is None and not encoding.reflectance else 10_000
    np.testing.assert_allclose(samples[0], decoded * times, rtol=1e-6, atol=0.02, equal_nan=True)


@pytest.mark.parametrize("name", ENCODINGS)
def test_south_up_geotiff_is_read_from_the_north(tmp_path, name):
    encoding, values = ENCODINGS[name], dn(ENCODINGS[name])
    assert_reads(write_geotiff(tmp_path / "a.tif", values, encoding, ascending=True), encoding, values)


@pytest.mark.parametrize("name", ["int16", "uint16 packed with offset, fill 0", "float32 DN, NaN"])
def test_cloud_optimised_geotiff_is_read_as_written(tmp_path, name):
    encoding, values = ENCODINGS[name], dn(ENCODINGS[name])
    path = write_geotiff(tmp_path / "a.tif", values, encoding)
    rasterio.shutil.copy(path, tmp_path / "cog.tif", driver="COG", compress="deflate", predictor="yes")
    assert_reads(tmp_path / "cog.tif", encoding, values)


@pytest.mark.parametrize("interleave", ["bsq", "bil", "bip"])
@pytest.mark.parametrize("order", [0, 1], ids=["little", "big"])
@pytest.mark.parametrize(
    "name",
    [
        "int16, fill",
        "uint16 packed with offset, fill 0",
        "int32 packed finely, fill",
        "float32 reflectance, -9999",
        "float64 reflectance",
    ],
)
def test_envi_is_read_as_written_and_as_gdal_reads_it(tmp_path, name, interleave, order):
    encoding, values = ENCODINGS[name], dn(ENCODINGS[name])
    path = write_envi(tmp_path / f"a.{interleave}", values, encoding, interleave, order=order)
    assert_reads(path, encoding, values)
    assert_reads(path.with_suffix(".hdr"), encoding, values)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with rasterio.open(path, driver="ENVI") as file:
            stored, transform = file.read(), file.transform
    assert transform == TRANSFORM
    np.testing.assert_array_equal(stored, encoding.stored(values))


@pytest.mark.parametrize("names", [NAMES, COMMON, WAVELENGTHS], ids=["names", "colours", "nm"])
@pytest.mark.parametrize("ascending", [False, True], ids=["north first", "south first"])
def test_envi_bands_are_found_and_its_rows_run_from_the_north(tmp_path, names, ascending):
    encoding, values = ENCODINGS["int16, fill"], dn()
    path = write_envi(tmp_path / "a.img", values, encoding, "bil", names=names, ascending=ascending)
    assert_reads(path, encoding, values)


@pytest.mark.parametrize("suffix", [".tif", ".jp2"])
@pytest.mark.parametrize("name", ["uint16, missing 0", "int16", "uint16 packed with offset, fill 0"])
def test_files_named_after_bands_are_read_as_written(tmp_path, name, suffix):
    encoding, values = ENCODINGS[name], dn(ENCODINGS[name])
    folder = write_band_files(tmp_path / "scene", values, encoding, suffix=suffix)
    assert_reads(folder, encoding, values)
    assert_reads(sorted(folder.glob(f"*{suffix}")), encoding, values)
