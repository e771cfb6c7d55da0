"""The door to rasters: windows, what is decided once, what is refused, what is said."""

import logging
import subprocess
import sys
import threading
import tracemalloc

import netCDF4
import numpy as np
import pytest
import rasterio
from rasterio.enums import ColorInterp
from tests.raster_writer import (
    ENCODINGS,
    HEIGHT,
    HOLE,
    NAMES,
    TRANSFORM,
    WIDTH,
    Encoding,
    dn,
    write_band_files,
    write_envi,
    write_geotiff,
    write_netcdf,
)

from spatial_prediction.errors import ConfigurationError, SceneError
from spatial_prediction.rasters.raster import open_raster

WHOLE = slice(0, HEIGHT), slice(0, WIDTH)
PACKED = ENCODINGS["uint16 packed with offset, fill 0"]


def written(folder, container, encoding=PACKED, values=None):
    values = dn(encoding) if values is None else values
    write = {
        "netCDF": lambda: write_netcdf(folder / "a.nc", values, encoding, "y x band", ascending=True),
        "netCDF, classic": lambda: write_netcdf(
            folder / "a.nc", values, ENCODINGS["int16, fill"], format="NETCDF3_CLASSIC"
        ),
        "GeoTIFF": lambda: write_geotiff(folder / "a.tif", values, encoding, "tiled, deflated, pixel"),
        "GeoTIFF, south first": lambda: write_geotiff(folder / "a.tif", values, encoding, ascending=True),
        "ENVI": lambda: write_envi(folder / "a.bil", values, encoding, "bil", ascending=True),
        "JPEG 2000": lambda: write_band_files(folder / "a", values, encoding, suffix=".jp2"),
    }
    return write[container]()


CONTAINERS = ["netCDF", "netCDF, classic", "GeoTIFF", "GeoTIFF, south first", "ENVI", "JPEG 2000"]


@pytest.mark.parametrize("container", CONTAINERS)
def test_windows_are_parts_of_the_whole_also_in_another_thread(tmp_path, container):
    path = written(tmp_path, container)
    with open_raster(path) as raster:
        whole, valid = raster.read(slice(None), slice(None))
        assert whole.dtype == np.float32
        assert whole.shape == (3, HEIGHT, WIDTH)
        assert not valid[HOLE]
        found = []

        def read():
            for top, bottom, left, right in [(0, 1, 0, 1), (3, 9, 5, 14), (10, 11, 0, 14), (0, 11, 13, 14)]:
                rows, columns = slice(top, bottom), slice(left, right)
                found.append((rows, columns, *raster.read(rows, columns)))

        thread = threading.Thread(target=read)
        thread.start()
        thread.join()
    assert len(found) == 4
    for rows, columns, samples, there in found:
        np.testing.assert_array_equal(samples, whole[:, rows, columns])
        np.testing.assert_array_equal(there, valid[rows, columns])


def test_what_is_read_of_a_sample_does_not_depend_on_the_window(tmp_path):
    values = np.full((3, HEIGHT, WIDTH), 1000.005, "f4")
    values[:, 5, 5] = 1000.5
    with open_raster(write_geotiff(tmp_path / "a.tif", values, Encoding("float32"))) as raster:
        np.testing.assert_array_equal(raster.read(*WHOLE)[0], values)
        np.testing.assert_array_equal(raster.read(slice(0, 2), slice(0, 2))[0], values[:, :2, :2])


@pytest.mark.parametrize(
    "rows", [slice(0, HEIGHT + 1), slice(-1, 3), slice(3, 3), slice(5, 2), slice(0, 4, 2), slice(0, -1)]
)
def test_windows_that_do_not_lie_inside_are_refused(tmp_path, rows):
    with (
        open_raster(written(tmp_path, "GeoTIFF")) as raster,
        pytest.raises(ConfigurationError, match="rows=slice"),
    ):
        raster.read(rows, slice(0, 2))


def huge_geotiff(path):
    about = {"driver": "GTiff", "dtype": "uint16", "nodata": 7, "transform": TRANSFORM}
    shape = {"count": 3, "height": 30_000, "width": 30_000}
    tiles = {"tiled": True, "blockxsize": 256, "blockysize": 256, "SPARSE_OK": True, "compress": "deflate"}
    with rasterio.open(path, "w", **about, **shape, **tiles) as file:
        file.descriptions = ("B04", "B03", "B02")
    return path


def huge_netcdf(path):
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("y", 30_000)
        file.createDimension("x", 30_000)
        for band in ("B02", "B03", "B04"):
            file.createVariable(band, "i2", ("y", "x"), chunksizes=(256, 256))
    return path


def huge_envi(path):
    header = ["ENVI", "samples = 30000", "lines = 30000", "bands = 3", "data type = 2", "interleave = bsq"]
    path.with_suffix(".hdr").write_text("\n".join([*header, "band names = {B04, B03, B02}"]))
    with open(path, "wb") as file:
        file.truncate(3 * 2 * 30_000**2)
    return path


@pytest.mark.parametrize(
    ("write", "name"), [(huge_geotiff, "a.tif"), (huge_netcdf, "a.nc"), (huge_envi, "a.bsq")]
)
def test_memory_is_that_of_a_window(tmp_path, write, name):
    path = write(tmp_path / name)
    with open_raster(path) as raster:
        assert (raster.height, raster.width) == (30_000, 30_000)
        raster.read(slice(0, 64), slice(0, 64))
        tracemalloc.start()
        raster.read(slice(20_000, 20_064), slice(10_000, 10_064))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 2**21


def test_what_was_decided_is_said_once_in_a_line(tmp_path, caplog):
    caplog.set_level(logging.INFO, logger="spatial_prediction")
    path = written(tmp_path, "GeoTIFF")
    with open_raster(path) as raster:
        raster.read(*WHOLE)
        raster.read(*WHOLE)
        description = raster.description
    assert caplog.messages == [f"{path}: {description}"]
    assert description == (
        "GeoTIFF, 11 x 14 pixels; B04 is 3, B03 is 2, B02 is 1; uint16, unpacked by scale_factor=0.0001, "
        "add_offset=-0.1, reflectance times 10000; offset -1000, by add_offset=-0.1; missing: GDAL_NODATA=0"
    )


def constant(path, value, dtype, **options):
    values = np.broadcast_to(np.asarray(value, dtype), (3, HEIGHT, WIDTH)).copy()
    return write_geotiff(path, values, Encoding(dtype), **options)


@pytest.mark.parametrize(
    ("values", "scale", "times"),
    [
        (np.linspace(0.01, 0.9, WIDTH), "auto", 10_000),
        (np.linspace(0, 0.0099, WIDTH), "auto", 10_000),  # dark water
        (np.linspace(-0.01, 1.6, WIDTH), "auto", 10_000),
        (np.linspace(101, 9_000, WIDTH).round(), "auto", 1),
        (np.linspace(101.5, 9_000, WIDTH), "auto", 1),  # DN that were resampled
        (np.linspace(0, 80, WIDTH), 0.01, 100),  # per cent
        (np.linspace(0, 80, WIDTH), "dn", 1),
        (np.linspace(0, 3, WIDTH), "reflectance", 10_000),
    ],
)
def test_floats_are_dn_or_reflectance_by_their_size_or_by_the_option(tmp_path, values, scale, times):
    path = constant(tmp_path / "a.tif", values, "float32")
    with open_raster(path, scale=scale) as raster:
        samples, valid = raster.read(*WHOLE)
    assert valid.all()
    np.testing.assert_allclose(samples[0, 5], values * times, rtol=1e-6, atol=1e-3)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (np.linspace(1, 80, WIDTH), "1 to 80"),  # per cent, or DN of the night
        (np.zeros(WIDTH), "nothing but zeros and missing samples in the windows looked at"),
        (np.full(WIDTH, np.nan), "nothing but zeros and missing samples in the windows looked at"),
        (np.arange(WIDTH) % 3, "1 to 2"),  # whole: classes, or DN of the night
        (np.r_[-9999, np.linspace(0.1, 0.4, WIDTH - 1)], "-9999 to 0.4"),  # nodata that nobody declared
    ],
)
def test_floats_that_may_be_either_are_refused_with_the_option(tmp_path, values, found):
    path = constant(tmp_path / "a.tif", values, "float32")
    with pytest.raises(SceneError) as caught:
        open_raster(path)
    assert str(caught.value).startswith(f"{path}: band B04 holds float32 without a packing, {found}: ")
    assert "(scale, --scale)" in str(caught.value)
    assert "(nodata, --nodata)" in str(caught.value)


def test_nodata_by_the_option_is_missing_and_none_overrules_what_is_declared(tmp_path):
    values = np.r_[-9999, np.linspace(0.1, 0.4, WIDTH - 1)]
    path = constant(tmp_path / "a.tif", values, "float32")
    with open_raster(path, nodata=-9999) as raster:
        samples, valid = raster.read(*WHOLE)
    np.testing.assert_array_equal(valid.all(axis=0), values != -9999)
    assert np.isnan(samples[:, :, 0]).all()
    path = write_geotiff(tmp_path / "b.tif", dn(), ENCODINGS["int16, fill"])
    with open_raster(path, nodata="none") as raster:
        samples, valid = raster.read(*WHOLE)
    assert valid.all()
    assert (samples[:, HOLE[0], HOLE[1]] == -9999).all()


def test_a_sample_that_is_no_reflectance_is_refused_where_it_is_met(tmp_path):
    """In a corner of a raster that was judged by other windows."""
    values = np.random.default_rng(0).uniform(0, 1, (3, 200, 200)).astype("f4")
    values[1, 50, 61] = -9999
    shape = {"count": 3, "height": 200, "width": 200, "transform": TRANSFORM}
    with rasterio.open(tmp_path / "a.tif", "w", driver="GTiff", dtype="float32", **shape) as file:
        file.write(values)
        file.descriptions = ("B04", "B03", "B02")
    with open_raster(tmp_path / "a.tif") as raster:
        raster.read(slice(100, 200), slice(0, 200))
        with pytest.raises(SceneError, match=r"a\.tif: band B03 .* -9999 at row 50, column 61; .*nodata"):
            raster.read(slice(40, 60), slice(60, 70))


def test_bytes_without_a_packing_are_refused_and_read_as_they_are_said_to_be(tmp_path):
    path = constant(tmp_path / "a.tif", 51, "uint8")
    with pytest.raises(SceneError, match="uint8 without a packing: DN of at most 255, or a picture"):
        open_raster(path)
    for scale, value in (("dn", 51), (1 / 255, 2000)):
        with open_raster(path, scale=scale) as raster:
            np.testing.assert_allclose(raster.read(*WHOLE)[0], value, rtol=1e-6)


@pytest.mark.parametrize("option", [{"scale": "percent"}, {"scale": 0}, {"scale": True}, {"nodata": "zero"}])
def test_other_settings_are_refused(tmp_path, option):
    name = next(iter(option))
    with pytest.raises(Exception, match=name):  # by the types of the tests, or else as a ConfigurationError
        open_raster(written(tmp_path, "GeoTIFF"), **option)


def test_kinds_that_differ_from_band_to_band_are_refused(tmp_path):
    values = np.stack([np.full((HEIGHT, WIDTH), value) for value in (0.31, 0.22, 2000.5)])
    path = write_geotiff(tmp_path / "a.tif", values, Encoding("float32"))
    with pytest.raises(SceneError, match=r"several kinds \(B04: dn, B03: reflectance, B02: reflectance\)"):
        open_raster(path)


OFFSETS = {
    "stated": ({"BOA_ADD_OFFSET": "-1000"}, "auto", -1000),
    "stated for each band": ({f"RADIO_ADD_OFFSET_{band}": "-1000" for band in NAMES}, "auto", -1000),
    "taken off before": ({"BOA_ADD_OFFSET": "-1000", "boa_offset_applied": "true"}, "auto", 0),
    "old baseline": ({"PROCESSING_BASELINE": "02.06"}, "auto", 0),
    "nothing stated": ({}, "auto", 0),
    "by the option": ({}, -1000, -1000),
    "overruled": ({"BOA_ADD_OFFSET": "-1000"}, 0, 0),
}


@pytest.mark.parametrize("case", OFFSETS)
def test_an_offset_is_taken_off_where_it_is_stated_or_said(tmp_path, caplog, case):
    tags, option, offset = OFFSETS[case]
    values = dn(Encoding("uint16")) + 1500
    path = write_geotiff(tmp_path / "a.tif", values, Encoding("uint16"))
    with rasterio.open(path, "r+") as file:
        file.update_tags(**tags)
    with open_raster(path, offset=option) as raster:
        samples, _ = raster.read(*WHOLE)
    np.testing.assert_array_equal(samples, values[::-1] + offset)
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("name", "tags"), [("a.tif", {"PROCESSING_BASELINE": "05.09"}), ("S2A_MSIL2A_2023_N0509_R051.tif", {})]
)
def test_hints_at_an_offset_decide_nothing_and_are_warned_of(tmp_path, caplog, name, tags):
    values = dn(Encoding("uint16"))
    path = write_geotiff(tmp_path / name, values, Encoding("uint16"))
    with rasterio.open(path, "r+") as file:
        file.update_tags(**tags)
    with open_raster(path) as raster:
        np.testing.assert_array_equal(raster.read(*WHOLE)[0], values[::-1])
    assert [message.startswith(f"{path}: DN may carry +1000") for message in caplog.messages] == [True]


def test_reflectance_in_floats_with_a_stated_offset_is_refused_until_it_is_said(tmp_path):
    path = constant(tmp_path / "a.tif", np.linspace(0.1, 0.5, WIDTH), "float32")
    with rasterio.open(path, "r+") as file:
        file.update_tags(BOA_ADD_OFFSET="-1000")
    with pytest.raises(SceneError, match=r"states BOA_ADD_OFFSET=-1000, which may be .*--offset"):
        open_raster(path)
    for offset in (0, -1000):
        with open_raster(path, offset=offset) as raster:
            samples, _ = raster.read(*WHOLE)
        np.testing.assert_allclose(samples[0, 0], np.linspace(1000, 5000, WIDTH) + offset, atol=1e-3)


def test_masks_and_transparency_are_missing_and_no_bands(tmp_path):
    values = dn(Encoding("uint16"))
    path = tmp_path / "a.tif"
    opaque = np.full((HEIGHT, WIDTH), 65535, "uint16")
    opaque[2, 3] = 0
    shape = {"count": 4, "height": HEIGHT, "width": WIDTH, "transform": TRANSFORM}
    with rasterio.open(path, "w", driver="GTiff", dtype="uint16", **shape) as file:
        file.colorinterp = [ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha]
        file.write(np.concatenate([values[::-1].astype("uint16"), opaque[np.newaxis]]))
    with open_raster(path) as raster:
        samples, valid = raster.read(*WHOLE)
    np.testing.assert_array_equal(valid, opaque > 0)
    np.testing.assert_array_equal(samples[:, valid], values[::-1][:, valid])
    path = write_geotiff(tmp_path / "b.tif", values, Encoding("uint16"))
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "r+") as file:
        file.write_mask(opaque > 0)
    with open_raster(path) as raster:
        np.testing.assert_array_equal(raster.read(*WHOLE)[1], opaque > 0)


@pytest.mark.parametrize("bands", [[], ["B02", "B02"]])
def test_bands_are_each_named_once(tmp_path, bands):
    with pytest.raises(ConfigurationError, match="name at least one band, and each once"):
        open_raster(written(tmp_path, "GeoTIFF"), bands=bands)


def test_any_bands_are_read_in_the_order_asked_for(tmp_path):
    path = write_geotiff(tmp_path / "a.tif", dn(), Encoding("int16"), names=None)
    with pytest.raises(SceneError, match=r"the bands are 1, 2, 3 \(without names\); .*--bands"):
        open_raster(path)
    with open_raster(path, bands=["2", "1"]) as raster:
        assert raster.band_names == ("2", "1")
        np.testing.assert_array_equal(raster.read(*WHOLE)[0], dn()[[1, 0]])


def test_what_is_doubtful_is_said_once(tmp_path, caplog):
    values = np.full((3, HEIGHT, WIDTH), 500)
    values[1, :2, :2] = 0
    values[2, 7, 7] = -9999
    with open_raster(write_geotiff(tmp_path / "a.tif", values, Encoding("int16"))) as raster:
        for _ in range(2):
            raster.read(*WHOLE)
    assert [message.split(": ")[1][:30] for message in caplog.messages] == [
        "blocks of samples are exactly ",
        "samples are below -2000, as no",
    ]


@pytest.mark.parametrize("name", ["no.tif", "a.bsq", "a.txt"])
def test_what_is_no_raster_is_refused_by_name(tmp_path, name):
    if name != "no.tif":
        (tmp_path / name).write_text("a page of text")
    with pytest.raises(SceneError, match=rf"{name}: "):
        open_raster(tmp_path / name)


def test_a_closed_file_is_free_again(tmp_path):
    path = written(tmp_path, "netCDF")
    with open_raster(path):
        pass
    with netCDF4.Dataset(path, "a") as file:
        file.comment = "open for writing"


def test_a_file_that_is_refused_is_free_again(tmp_path):
    path = written(tmp_path, "netCDF")
    with pytest.raises(SceneError, match="band B99 is missing"):
        open_raster(path, bands=["B99"])
    with netCDF4.Dataset(path, "a") as file:
        file.comment = "open for writing"


BLOCKED = """
import sys
for name in ("rasterio", "rioxarray", "rio_cogeo", "dask", "pyproj"):
    sys.modules[name] = None
from pathlib import Path
from spatial_prediction.errors import SceneError
from spatial_prediction.rasters.raster import open_raster
from spatial_prediction.rasters.scenes import read_scene
import spatial_prediction.studies.super_resolution.data.arrays
for path in sys.argv[1:]:
    try:
        with open_raster(Path(path)) as raster:
            print(raster.read(slice(0, 1), slice(0, 1))[0].shape)
    except SceneError as error:
        print(error)
"""


def test_netcdf_and_envi_are_read_without_the_extra_and_others_name_it(tmp_path):
    paths = [written(tmp_path, container) for container in ("netCDF", "ENVI", "GeoTIFF", "JPEG 2000")]
    result = subprocess.run(
        [sys.executable, "-c", BLOCKED, *paths], capture_output=True, text=True, check=True
    )
    first, second, *others = result.stdout.splitlines()
    assert first == second == "(3, 1, 1)"
    assert len(others) == 2
    assert all("this package's extra 'rasters' brings it" in line for line in others)


def test_listing_scenes_imports_no_reader():
    code = (
        "import sys, spatial_prediction.rasters.listing; "
        "print(*{'numpy', 'xarray', 'netCDF4', 'rasterio', 'affine'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == []
