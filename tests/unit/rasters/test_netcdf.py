"""netCDF files: no truncated one is read as zeros, and where rows and columns lie on Earth."""

import netCDF4
import numpy as np
import pyproj
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.raster_writer import ENCODINGS, dn, write_netcdf
from tests.scene_writer import random_bands, stacked, write_scene

from spatial_prediction.errors import SceneError
from spatial_prediction.rasters.netcdf import NetCDF
from spatial_prediction.rasters.raster import open_raster
from spatial_prediction.rasters.scenes import read_scene

CLASSIC = ["NETCDF3_CLASSIC", "NETCDF3_64BIT_OFFSET", "NETCDF3_64BIT_DATA"]
SIZE = 8


def truncated(path, bytes_less):
    path.write_bytes(path.read_bytes()[:-bytes_less])


@pytest.mark.parametrize("format", CLASSIC)
@pytest.mark.parametrize("records", [(), ("B02",), ("B02", "B03", "B04")])
def test_one_sample_less_is_noticed_and_missing_padding_is_not(tmp_path, format, records):
    """With the first dimension of none, one or all of the bands being that of records."""
    bands, path = random_bands((9, 9)), tmp_path / "a.nc"
    with netCDF4.Dataset(path, "w", format=format) as dataset:
        dataset.createDimension("time", None)
        dataset.createDimension("y", 9)
        dataset.createDimension("x", 9)
        for name, values in bands.items():
            of_records = name in records
            band = dataset.createVariable(name, "i2", ("time", "y", "x") if of_records else ("y", "x"))
            band[0 if of_records else slice(None)] = values
            band.odd = np.arange(3, dtype="i1")
    np.testing.assert_array_equal(read_scene(path, size=SIZE), stacked(bands, SIZE))
    truncated(path, 2)  # 162 bytes were padded to 164
    np.testing.assert_array_equal(read_scene(path, size=SIZE), stacked(bands, SIZE))
    truncated(path, 1)
    with pytest.raises(SceneError, match=f"a.nc: truncated to {path.stat().st_size} bytes"):
        read_scene(path, size=SIZE)


@settings(max_examples=40)
@given(
    format=st.sampled_from(CLASSIC),
    lengths=st.lists(st.integers(1, 5), min_size=1, max_size=3),
    records=st.integers(0, 4),
    variables=st.lists(
        st.tuples(st.sampled_from(["i1", "S1", "i2", "i4", "f4", "f8"]), st.booleans(), st.integers(0, 3)),
        max_size=4,
    ),
    comment=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=200),
)
def test_every_whole_file_is_whole_and_four_bytes_less_are_noticed(
    tmp_path_factory, format, lengths, records, variables, comment
):
    path = tmp_path_factory.mktemp("classic") / "a.nc"
    with netCDF4.Dataset(path, "w", format=format) as dataset:
        dataset.createDimension("record", None)
        for index, length in enumerate(lengths):
            dataset.createDimension(f"d{index}", length)
        for index, (dtype, of_records, ndim) in enumerate(variables):
            dimensions = tuple(f"d{axis}" for axis in range(min(ndim, len(lengths))))
            dimensions = ("record",) * of_records + dimensions
            variable = dataset.createVariable(f"v{index}", dtype, dimensions)
            variable.set_auto_mask(False)
            shape = (records,) * of_records + tuple(lengths[: min(ndim, len(lengths))])
            if np.prod(shape) > 0:
                variable[...] = np.full(shape, 1).astype(dtype)
        dataset.comment = comment or "none"
    NetCDF(path).close()
    if not any(not of_records or records for _, of_records, _ in variables):
        return
    truncated(path, 4)
    with pytest.raises(SceneError, match="truncated"):
        NetCDF(path)


@pytest.mark.parametrize("format", CLASSIC)
@pytest.mark.parametrize("size", [3, 5, 40, 100])
def test_a_truncated_header_is_an_error(tmp_path, format, size):
    path = write_scene(tmp_path / "a.nc", format=format)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(SceneError, match=r"a\.nc: (truncated to|cannot be opened as netCDF)"):
        read_scene(path, size=SIZE)


@pytest.mark.parametrize("format", CLASSIC)
@pytest.mark.parametrize("written", [b"\xa9\xa9", b"\xa9 2019", b"\0\0\0\0\0\0\0", b"caf\xe9"])
def test_attributes_that_are_not_utf_8_do_not_make_a_file_look_truncated(tmp_path, format, written):
    bands = {band: np.full((SIZE, SIZE), 1200, "int16") for band in random_bands()}
    path = write_scene(tmp_path / "a.nc", bands, format=format)
    with netCDF4.Dataset(path, "a") as dataset:
        dataset.history = "#" * len(written)
    content = path.read_bytes()
    assert content.count(b"#" * len(written)) == 1
    path.write_bytes(content.replace(b"#" * len(written), written))
    assert (read_scene(path, size=SIZE) == 1200).all()
    truncated(path, 1)
    with pytest.raises(SceneError, match="truncated to"):
        read_scene(path, size=SIZE)


@pytest.mark.parametrize(
    ("dimensions", "message"),
    [
        (("y", "x", "polarisation"), "and is one band; store a variable for each band"),
        (("rows", "columns"), r"of which none or several are y and x"),
        (("y", "y2"), r"of which none or several are y and x"),
    ],
)
def test_other_dimensions_are_refused_with_their_lengths(tmp_path, dimensions, message):
    with netCDF4.Dataset(tmp_path / "a.nc", "w") as file:
        for name in dimensions:
            file.createDimension(name, 1 if name == "polarisation" else 9)
        for band in ("B02", "B03", "B04"):
            file.createVariable(band, "i2", dimensions)[:] = 5
    with pytest.raises(SceneError, match=rf"a\.nc: band B04 has the dimensions \(.*=9.*{message}"):
        open_raster(tmp_path / "a.nc")


@pytest.mark.parametrize(("name", "label"), [("B04", "first"), ("reflectance", "B04"), ("red", "1")])
def test_a_dimension_of_one_band_names_it_where_the_variable_does_not(tmp_path, name, label):
    with netCDF4.Dataset(tmp_path / "a.nc", "w") as file:
        for dimension, length in (("band", 1), ("y", 4), ("x", 4)):
            file.createDimension(dimension, length)
        file.createVariable("band", str, ("band",))[0] = label
        file.createVariable(name, "i2", ("band", "y", "x"))[:] = 700
    with open_raster(tmp_path / "a.nc", bands=["B04"]) as raster:
        assert (raster.read(slice(0, 4), slice(0, 4))[0] == 700).all()


def test_variables_in_groups_are_refused(tmp_path):
    with netCDF4.Dataset(tmp_path / "a.nc", "w") as file:
        group = file.createGroup("cube")
        for name in ("y", "x"):
            group.createDimension(name, 4)
        group.createVariable("B04", "i2", ("y", "x"))[:] = 5
    with pytest.raises(SceneError, match=r"a\.nc: its variables lie in groups \(cube\)"):
        open_raster(tmp_path / "a.nc")


def test_attributes_of_coordinates_say_which_dimension_is_which(tmp_path):
    values = np.arange(12, dtype="i2").reshape(3, 4)
    with netCDF4.Dataset(tmp_path / "a.nc", "w") as file:
        file.createDimension("south_north", 3)
        file.createDimension("i", 4)
        north = file.createVariable("south_north", "f4", ("south_north",))
        north.standard_name, north[:] = "projection_y_coordinate", [10, 20, 30]
        east = file.createVariable("i", "f4", ("i",))
        east.axis, east[:] = "X", [0, 10, 20, 30]
        file.createVariable("red", "i2", ("i", "south_north"))[:] = values.T
    with open_raster(tmp_path / "a.nc", bands=["red"]) as raster:
        samples, _ = raster.read(slice(0, 3), slice(0, 4))
        assert raster.transform == Affine(10, 0, -5, 0, -10, 35)
    np.testing.assert_array_equal(samples[0], values[::-1])


@pytest.mark.parametrize("y", [[0, 1, 2, 4, 5], [0, 0, 0, 0, 0], [0, 1, np.nan, 3, 4]])
def test_coordinates_without_a_step_give_no_transform(tmp_path, y):
    with netCDF4.Dataset(tmp_path / "a.nc", "w") as file:
        for name, centres in (("y", y), ("x", [0, 1, 2, 3, 4])):
            file.createDimension(name, 5)
            file.createVariable(name, "f8", (name,))[:] = centres
        file.createVariable("red", "i2", ("y", "x"))[:] = 5
    with open_raster(tmp_path / "a.nc", bands=["red"]) as raster:
        assert raster.transform is None


UTM = pyproj.CRS.from_epsg(32633)


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("crs", {"crs_wkt": UTM.to_wkt()}),
        ("spatial_ref", {"spatial_ref": UTM.to_wkt("WKT1_GDAL")}),
        ("projection", {k: v for k, v in UTM.to_cf().items() if k != "crs_wkt"}),
    ],
)
def test_the_reference_system_is_read_from_text_and_from_cf(tmp_path, name, attributes):
    path = write_netcdf(tmp_path / "a.nc", dn(), ENCODINGS["int16"])
    with netCDF4.Dataset(path, "a") as file:
        file.createVariable(name, "i4").setncatts(attributes)
        for band in ("B02", "B03", "B04"):
            file[band].grid_mapping = name
    with open_raster(path) as raster:
        there = pyproj.Transformer.from_crs("EPSG:4326", raster.crs, always_xy=True).transform(15, 45)
    np.testing.assert_allclose(there, (500_000, 4_982_950.4), atol=0.1)


def test_a_transform_of_gdal_counts_where_there_are_no_coordinates(tmp_path):
    with netCDF4.Dataset(tmp_path / "a.nc", "w") as file:
        file.createDimension("y", 3)
        file.createDimension("x", 3)
        file.createVariable("crs", "S1").GeoTransform = "100 10 0 200 0 -10"
        file.createVariable("red", "i2", ("y", "x"))[:] = 5
    with open_raster(tmp_path / "a.nc", bands=["red"]) as raster:
        assert raster.transform == Affine(10, 0, 100, 0, -10, 200)


def test_attributes_of_a_type_that_python_has_no_value_for_are_refused_by_name(tmp_path):
    path = write_scene(tmp_path / "a.nc", format="NETCDF4")
    with netCDF4.Dataset(path, "a") as file:
        kind = file.createCompoundType(np.dtype([("low", "i2"), ("high", "i2")]), "limits")
        file["B04"].setncattr("limits", np.array((1, 2), kind.dtype))
    try:
        read_scene(path, size=SIZE)
    except SceneError as error:
        assert "a.nc: " in str(error)  # noqa: PT017 - reading it would be right as well
