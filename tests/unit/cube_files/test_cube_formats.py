"""Every format comes back with its samples, byte order, header and place; some rows of it with theirs."""

import warnings

import netCDF4
import numpy as np
import pytest
import rasterio
import xarray
from tests.cube_writer import (
    BANDS,
    COLUMNS,
    ROWS,
    TRANSFORM,
    QuickMethod,
    cube,
    write_envi,
    write_geotiff,
    write_netcdf,
)

from spatial_prediction.compression.cubes import CubeReader, compress
from spatial_prediction.compression.methods import METHODS
from spatial_prediction.cube_files.commands import compress_file, decompress_file
from spatial_prediction.cube_files.formats import RawSettings
from spatial_prediction.rasters.envi_header import read_header


@pytest.fixture(autouse=True)
def quick_method(monkeypatch):
    monkeypatch.setitem(METHODS, "ccsds123", QuickMethod)


def there_and_back(path, name, *, rows=None, **settings):
    """Compress in groups of 4 rows, and restore under a name in a folder of its own."""
    packed = path.with_name("packed.spc")
    compress_file(path, packed, rows_per_group=4, overwrite=True, **settings)
    out = path.parent / "back" / name
    decompress_file(packed, out, rows=rows, threads=2, overwrite=True)
    return out


@pytest.mark.parametrize("interleave", ["bsq", "bil", "bip"])
@pytest.mark.parametrize("dtype", ["|u1", ">i2", "<u2", ">u4", "<i4"])
def test_an_envi_cube_comes_back_byte_by_byte(tmp_path, interleave, dtype):
    path = write_envi(tmp_path / f"a.{interleave}", cube(dtype), interleave)
    out = there_and_back(path, path.name)
    assert out.read_bytes() == path.read_bytes()
    assert out.with_suffix(".hdr").read_bytes() == path.with_suffix(".hdr").read_bytes()


@pytest.mark.parametrize(
    ("samples", "header", "asked", "expected"),
    [
        ("a.img", "a.hdr", "b.hdr", {"b.hdr", "b.img"}),
        ("a.img", "a.img.hdr", "b.dat", {"b.dat", "b.dat.hdr"}),
        ("a.img", "a.img.hdr", "b.img.hdr", {"b.img", "b.img.hdr"}),
        ("a", "a.hdr", "b", {"b", "b.hdr"}),
        ("a", "A.HDR", "b.hdr", {"b", "b.hdr"}),
    ],
)
def test_header_and_samples_have_the_names_that_belong_together(tmp_path, samples, header, asked, expected):
    write_envi(tmp_path / samples, cube(), header=tmp_path / header, newline="\r\n")
    out = there_and_back(tmp_path / header, asked)
    assert {path.name for path in out.parent.iterdir()} == expected
    (written,) = out.parent.glob("*.hdr")
    assert written.read_bytes() == (tmp_path / header).read_bytes()


def test_a_header_that_is_no_text_comes_back(tmp_path):
    path = write_envi(tmp_path / "a.img", cube())
    header = path.with_suffix(".hdr")
    header.write_bytes(header.read_bytes().replace(b"a small cube", b"W\xfcrfel \xff"))
    assert there_and_back(path, "b.img").with_suffix(".hdr").read_bytes() == header.read_bytes()


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(("first", "end"), [(0, 3), (3, 9), (8, 11), (5, 6)])
def test_rows_of_an_envi_cube_lie_where_gdal_finds_them(tmp_path, newline, first, end):
    path = write_envi(tmp_path / "a.bsq", cube(), "bsq", newline=newline)
    out = there_and_back(path, "b.bsq", rows=(first, end))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with rasterio.open(path, driver="ENVI") as whole, rasterio.open(out, driver="ENVI") as part:
            np.testing.assert_array_equal(part.read(), whole.read()[:, first:end])
            assert part.transform == whole.transform * whole.transform.translation(0, first)
            assert part.nodata == whole.nodata == 9999
            assert part.tags(2) == whole.tags(2)
    before, after = read_header(path.with_suffix(".hdr")), read_header(out.with_suffix(".hdr"))
    different = {name for name in before if before[name] != after[name]}
    assert different <= {"lines", "map info", "geo points", "y start"}
    assert after["geo points"].replace(" ", "").split(",")[1] == str(1 - first)
    assert (before["y start"], after["y start"]) == ("1", str(1 + first))
    assert len(before) == len(after)


@pytest.mark.parametrize("interleave", ["bsq", "bil", "bip"])
def test_plain_numbers_come_back_byte_by_byte(tmp_path, interleave):
    path = write_envi(tmp_path / "a.raw", cube(">i2"), interleave)
    path.with_suffix(".hdr").unlink()
    raw = RawSettings((ROWS, COLUMNS, BANDS), np.dtype(">i2"), interleave, 7)
    assert there_and_back(path, "b.raw", raw=raw).read_bytes() == path.read_bytes()


def test_a_stream_of_the_library_becomes_plain_numbers_by_pixel(tmp_path):
    (tmp_path / "a.spc").write_bytes(compress(cube(">i4"), metadata={"sensor": "x"}))
    decompress_file(tmp_path / "a.spc", tmp_path / "a.raw")
    np.testing.assert_array_equal(np.fromfile(tmp_path / "a.raw", ">i4"), cube(">i4").ravel())


def said_of_geotiff(path):
    """Everything that rasterio says of a file but its name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with rasterio.open(path) as file:
            tags = {
                (band, space): file.tags(band, ns=space)
                for band in (0, *file.indexes)
                for space in (None, *file.tag_namespaces(band))
                if space != "DERIVED_SUBDATASETS"
            }
            points, points_crs = file.gcps
            with open(path, "rb") as start:
                magic = start.read(4)
            return {
                **file.profile,
                "block": file.block_shapes,
                "descriptions": file.descriptions,
                "scales": file.scales,
                "offsets": file.offsets,
                "units": file.units,
                "colours": file.colorinterp,
                "tags": tags,
                "gcps": [point.asdict() | {"id": ""} for point in points],
                "gcps_crs": points_crs,
                "files": len(file.files),
                "magic": magic,
            }


GEOTIFFS = {
    "strips": ("uint16", {"blockysize": 4}),
    "tiles": ("int16", {"tiled": True, "blockxsize": 16, "blockysize": 16, "interleave": "band"}),
    "big": ("uint32", {"bigtiff": "YES", "endianness": "BIG", "compress": "zstd"}),
    "plain": ("uint8", {"compress": None, "predictor": None}),
    "few bits": ("uint16", {"nbits": 12, "predictor": 1}),
    "lzw": ("int32", {"compress": "lzw"}),
    "signed bytes": ("int8", {}),
    "points": ("uint16", {"gcps": True}),
}


@pytest.mark.parametrize("name", GEOTIFFS)
def test_a_geotiff_comes_back_with_all_that_rasterio_says_of_it(tmp_path, name):
    dtype, options = GEOTIFFS[name]
    samples = cube(dtype)
    if name == "few bits":
        samples = samples.clip(0, 4095)
    options = {key: value for key, value in options.items() if value is not None or key == "compress"}
    if name == "plain":
        options["predictor"] = 1
    path = write_geotiff(tmp_path / "a.tif", samples, **options)
    out = there_and_back(path, "b.tif")
    assert said_of_geotiff(out) == said_of_geotiff(path)
    assert [each.name for each in out.parent.iterdir()] == ["b.tif"]
    with rasterio.open(out) as file:
        np.testing.assert_array_equal(file.read().transpose(1, 2, 0), samples)


@pytest.mark.parametrize("gcps", [False, True])
def test_rows_of_a_geotiff_lie_where_they_lay(tmp_path, gcps):
    path = write_geotiff(tmp_path / "a.tif", cube(), gcps=gcps)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with rasterio.open(there_and_back(path, "b.tif", rows=(5, 9))) as part:
            np.testing.assert_array_equal(part.read().transpose(1, 2, 0), cube()[5:9])
            if gcps:
                with rasterio.open(path) as whole:
                    expected = [point.row - 5 for point in whole.gcps[0]]
                assert [point.row for point in part.gcps[0]] == expected
            else:
                assert part.transform == TRANSFORM * TRANSFORM.translation(0, 5)


def test_a_codec_that_changes_samples_is_not_restored(tmp_path):
    samples = np.repeat(cube("uint8")[:, :, :3], 3, axis=1)
    path = write_geotiff(tmp_path / "a.tif", samples, compress="jpeg", predictor=1, nodata=None)
    with rasterio.open(path) as before, rasterio.open(there_and_back(path, "b.tif")) as after:
        assert (before.profile["compress"], after.profile["compress"]) == ("jpeg", "deflate")
        np.testing.assert_array_equal(after.read(), before.read())


def said_of_netcdf(path):
    """Everything that the netCDF library says of a file, and samples as stored."""
    with netCDF4.Dataset(path) as file:
        file.set_auto_maskandscale(False)
        file.set_auto_chartostring(False)
        variables = {
            name: {
                "dtype": variable.dtype,
                "dimensions": variable.dimensions,
                "attributes": [
                    (key, repr(variable.getncattr(key)), type(variable.getncattr(key)))
                    for key in variable.ncattrs()
                ],
                "chunks": variable.chunking(),
                "filters": variable.filters(),
                "endian": variable.endian(),
                "fill": repr(variable.get_fill_value()),
                "samples": repr(np.asarray(variable[...]).tolist()),
            }
            for name, variable in file.variables.items()
        }
        return {
            "model": (file.data_model, file.disk_format),
            "dimensions": [(name, len(each), each.isunlimited()) for name, each in file.dimensions.items()],
            "attributes": [(name, repr(file.getncattr(name))) for name in file.ncattrs()],
            "order": list(variables),
            **variables,
        }


NETCDFS = {
    "plain": ("int16", {}),
    "deflated": (
        "uint16",
        {"compression": "zlib", "complevel": 5, "shuffle": True, "chunksizes": (4, 3, 6), "fletcher32": True},
    ),
    "pixels": ("uint8", {"order": ("y", "x", "band")}),
    "lines": ("int32", {"order": ("y", "band", "x")}),
    "classic": ("int16", {"data_model": "NETCDF3_CLASSIC"}),
    "wide classic": ("uint32", {"data_model": "NETCDF3_64BIT_DATA"}),
    "classic model": ("int8", {"data_model": "NETCDF4_CLASSIC"}),
}


@pytest.mark.parametrize("name", NETCDFS)
def test_a_netcdf_file_comes_back_with_all_that_the_library_says_of_it(tmp_path, name):
    dtype, options = NETCDFS[name]
    path = write_netcdf(tmp_path / "a.nc", cube(dtype), **options)
    out = there_and_back(path, "b.nc")
    assert said_of_netcdf(out) == said_of_netcdf(path)
    with xarray.open_dataset(path) as before, xarray.open_dataset(out) as after:
        xarray.testing.assert_identical(before, after)


def test_a_netcdf_file_of_big_endian_samples_and_text_comes_back(tmp_path):
    path = tmp_path / "a.nc"
    with netCDF4.Dataset(path, "w") as file:
        for name, size in (("time", None), ("y", 3), ("x", 2)):
            file.createDimension(name, size)
        for name in ("B02", "B03"):
            band = file.createVariable(name, ">u2", ("time", "y", "x"), endian="big", fill_value=False)
            band[0] = np.arange(6).reshape(3, 2) + len(name)
        file.createVariable("label", str, ("time",))[0] = "März"
        file.createVariable("none", "f4", ("time",))
    out = there_and_back(path, "b.nc")
    assert said_of_netcdf(out) == said_of_netcdf(path)
    with open(path.with_name("packed.spc"), "rb") as file:
        assert CubeReader(file).description.shape == (3, 2, 2), "variables of one grid are bands of one cube"


def test_rows_of_a_netcdf_file_keep_their_coordinates(tmp_path):
    path = write_netcdf(tmp_path / "a.nc", cube())
    out = there_and_back(path, "b.nc", rows=(4, 10))
    with (
        xarray.open_dataset(path, decode_cf=False) as before,
        xarray.open_dataset(out, decode_cf=False) as after,
    ):
        assert after["crs"].attrs["GeoTransform"].split()[3] == "4999880.0"
        after["crs"].attrs = before["crs"].attrs
        xarray.testing.assert_identical(after.load(), before.isel(y=slice(4, 10)).load())


def test_of_several_variables_those_named_are_the_cube(tmp_path):
    path = write_netcdf(tmp_path / "a.nc", cube())
    out = there_and_back(path, "b.nc", variables=["quality"], axes=("x", "y"))
    assert said_of_netcdf(out) == said_of_netcdf(path)
    with open(path.with_name("packed.spc"), "rb") as file:
        described = CubeReader(file).description
    assert (described.shape, described.dtype) == ((COLUMNS, ROWS, 1), "|i1")


def test_groups_are_whole_blocks_of_the_source(tmp_path, monkeypatch):
    monkeypatch.setattr("spatial_prediction.cube_files.commands.SAMPLES_OF_GROUP", 10 * COLUMNS * BANDS)
    path = write_geotiff(tmp_path / "a.tif", cube(), blockysize=4)
    compress_file(path, tmp_path / "a.spc")
    with open(tmp_path / "a.spc", "rb") as file:
        assert CubeReader(file).description.rows_per_group == 8
