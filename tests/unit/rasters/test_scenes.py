import contextlib
import os
import re
import subprocess
import sys

import netCDF4
import numpy as np
import pytest
import xarray
from tests.helpers import REPOSITORY
from tests.scene_writer import random_bands, stacked, write_scene

from spatial_prediction.errors import ConfigurationError, SceneError
from spatial_prediction.rasters.scenes import list_scenes, read_scene, read_scene_with_account

SIZE = 16


def changed(band, value, *, dtype="int16", row=3, column=7):
    bands = random_bands(dtype=dtype)
    bands[band][row, column] = value
    return bands


def truncated(path, *, format, share):
    write_scene(path, format=format, units="1", long_name="reflectance", valid_max=np.float64(1e4))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])


def damaged(path):
    """A file with checksums, one of whose samples was changed."""
    bands = random_bands((SIZE, SIZE))
    with netCDF4.Dataset(path, "w") as dataset:
        dataset.createDimension("y", SIZE)
        dataset.createDimension("x", SIZE)
        for name, values in bands.items():
            dataset.createVariable(name, "i2", ("y", "x"), fletcher32=True)[:] = values
    stored, changed = (np.array(value, "<i2").tobytes() for value in (bands["B03"], bands["B03"] + 1))
    path.write_bytes(path.read_bytes().replace(stored, changed))


def text_band(path):
    with netCDF4.Dataset(path, "w") as dataset:
        dataset.createDimension("y", SIZE)
        dataset.createDimension("x", SIZE)
        for name in ("B02", "B03", "B04"):
            dataset.createVariable(name, str, ("y", "x"))


def locked(path):
    """A file that another process holds open for writing until the process returned here ends."""
    write_scene(path)
    code = "import netCDF4, sys; f = netCDF4.Dataset(sys.argv[1], 'a'); print('open', flush=True); input()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout.readline() == b"open\n"
    return process


def two_offsets(path):
    write_scene(path, format="NETCDF4", scale_factor=1e-4, add_offset=-0.1)
    with netCDF4.Dataset(path, "a") as dataset:
        dataset["B03"].delncattr("add_offset")


def two_reds(path):
    bands = random_bands()
    write_scene(path, {"B02": bands["B02"], "B03": bands["B03"], "B4": bands["B04"], "red": bands["B04"]})


def reflectance(largest):
    return {band: np.linspace(0, largest, 400, dtype="f4").reshape(20, 20) for band in random_bands()}


def without_red(path):
    bands = random_bands()
    del bands["B04"]
    write_scene(path, bands)


# Every fault: how it is made. docs/data.md says what message it gets.
FAULTS = {
    "missing file": lambda path: None,
    "locked": locked,
    "not netCDF": lambda path: path.write_text("a page of text"),
    "truncated": lambda path: truncated(path, format="NETCDF4_CLASSIC", share=0.5),
    "truncated, classic format": lambda path: truncated(path, format="NETCDF3_CLASSIC", share=0.9),
    "damaged": damaged,
    "missing band": without_red,
    "other dimensions": lambda path: write_scene(path, dimensions=("t", "rows", "columns")),
    "several times": lambda path: write_scene(path, random_bands((2, 20, 18))),
    "too small": lambda path: write_scene(path, random_bands((20, 15))),
    "NaN": lambda path: write_scene(path, changed("B03", np.nan, dtype="float32")),
    "nodata": lambda path: write_scene(path, changed("B02", -32768), fill_value=-32768),
    "outside the valid range": lambda path: write_scene(path, changed("B03", -9999), valid_min=np.int16(0)),
    "nodata that is not a number": lambda path: write_scene(path, nodata="n.v."),
    "packed in per cent": lambda path: write_scene(path, scale_factor=0.01),
    "packed by two numbers": lambda path: write_scene(path, scale_factor=np.array([1e-4, 1e-3])),
    "packed in another unit": lambda path: write_scene(path, scale_factor=1e-3, units="W m-2 sr-1"),
    "another quantification": lambda path: write_scene(path, QUANTIFICATION_VALUE="1000"),
    "neither signed nor unsigned": lambda path: write_scene(path, _Unsigned="maybe"),
    "impossible offset": lambda path: write_scene(path, BOA_ADD_OFFSET=1000),
    "offset that may be taken off": lambda path: write_scene(path, boa_offset_applied="perhaps"),
    "bands of two offsets": two_offsets,
    "offset of one band": lambda path: constant_scene(path, {}, {"BOA_ADD_OFFSET_B02": -1000}),
    "several red bands": two_reds,
    "small reflectance": lambda path: write_scene(path, reflectance(0.0099)),
    "fractions": lambda path: write_scene(path, changed("B04", 0.25, dtype="float32")),
    "beyond 16 bits": lambda path: write_scene(path, changed("B04", 40000, dtype="int32")),
    "not numbers": text_band,
}
DOCUMENTATION = (REPOSITORY / "docs" / "data.md").read_text(encoding="utf-8")
DOCUMENTED = dict(re.findall(r"^\| ([^|]+) \| `000007\.nc: ([^`]+)` \|$", DOCUMENTATION, re.MULTILINE))


def test_documentation_lists_every_fault():
    assert DOCUMENTED.keys() == FAULTS.keys()


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_gets_the_documented_message(tmp_path, fault):
    path = tmp_path / "000007.nc"
    made = FAULTS[fault](path)
    other_process = made if isinstance(made, subprocess.Popen) else contextlib.nullcontext()
    with other_process, pytest.raises(SceneError) as caught:
        read_scene(path, size=SIZE)
    assert str(caught.value) == f"{path}: {DOCUMENTED[fault]}"


@pytest.mark.parametrize("format", ["NETCDF4_CLASSIC", "NETCDF4", "NETCDF3_CLASSIC", "NETCDF3_64BIT_DATA"])
@pytest.mark.parametrize("dimensions", [("t", "y", "x"), ("y", "x")])
def test_reads_the_corner_in_the_order_red_green_blue(tmp_path, format, dimensions):
    bands = random_bands()
    scene = read_scene(write_scene(tmp_path / "a.nc", bands, format=format, dimensions=dimensions), size=SIZE)
    assert scene.dtype == np.int16
    assert scene.flags.c_contiguous
    np.testing.assert_array_equal(scene, stacked(bands, SIZE))


@pytest.mark.parametrize("dtype", ["int16", "uint16", "int32", "float32", "float64"])
def test_whole_numbers_of_any_dtype_are_the_same_dn(tmp_path, dtype):
    path = write_scene(tmp_path / "a.nc", random_bands(dtype=dtype), format="NETCDF4")
    scene = read_scene(path, size=SIZE)
    np.testing.assert_array_equal(scene, stacked(random_bands(), SIZE))


def test_extreme_and_negative_dn_are_kept(tmp_path):
    bands = changed("B02", -32768)
    bands["B03"][0, 0], bands["B03"][0, 1] = 32767, -1
    scene = read_scene(write_scene(tmp_path / "a.nc", bands, fill_value=-32000), size=SIZE)
    np.testing.assert_array_equal(scene, stacked(bands, SIZE))


def test_floats_within_a_hundredth_of_a_whole_number_are_rounded(tmp_path):
    scene = read_scene(write_scene(tmp_path / "a.nc", changed("B04", 1234.009, dtype="float64")), size=SIZE)
    assert scene[3, 7, 0] == 1234


def test_gaps_outside_the_crop_do_not_matter(tmp_path):
    bands = changed("B04", np.nan, dtype="float32", row=17)
    np.testing.assert_array_equal(
        read_scene(write_scene(tmp_path / "a.nc", bands), size=SIZE), stacked(bands, SIZE)
    )


@pytest.mark.parametrize("value", [np.int16(0), "0", "0.0", np.array([-9999, 0], "int16"), "-9999, 0"])
@pytest.mark.parametrize(
    "attribute",
    ["missing_value", "nodata", "NODATA", "nodata_value", "NoData_Value", "FillValue", "nodatavals"],
)
def test_every_way_to_declare_nodata_counts(tmp_path, attribute, value):
    path = write_scene(tmp_path / "a.nc", changed("B04", 0), **{attribute: value})
    with pytest.raises(SceneError, match="missing samples"):
        read_scene(path, size=SIZE)


def test_nodata_of_the_whole_file_counts(tmp_path):
    path = write_scene(tmp_path / "a.nc", changed("B04", 0))
    with netCDF4.Dataset(path, "a") as dataset:
        dataset.nodata = "0"
    with pytest.raises(SceneError, match=r"missing samples \(nodata=0\)"):
        read_scene(path, size=SIZE)


@pytest.mark.parametrize("limits", [{"valid_min": np.int16(0)}, {"valid_range": np.array([0, 10_000], "i2")}])
def test_samples_outside_the_valid_range_are_missing(tmp_path, limits):
    path = write_scene(tmp_path / "a.nc", changed("B04", -9999, row=2, column=3), **limits)
    with pytest.raises(SceneError, match=r"1 missing samples .* at row 2, column 3"):
        read_scene(path, size=SIZE)
    with netCDF4.Dataset(path) as dataset:
        assert np.argwhere(dataset["B04"][0].mask).tolist() == [[2, 3]]


@pytest.mark.parametrize(("stored", "value"), [("int16", 40_000), ("int8", 200)])
def test_unsigned_numbers_in_signed_storage_are_read_unsigned_or_refused_by_value(tmp_path, stored, value):
    bits = np.array(value).astype(stored.replace("int", "uint")).view(stored)
    bands = {band: np.full((20, 18), bits) for band in random_bands()}
    path = write_scene(tmp_path / "a.nc", bands, _Unsigned="true")
    with netCDF4.Dataset(path) as dataset:
        assert (dataset["B04"][:] == value).all()
    if value <= 32_767:
        assert (read_scene(path, size=SIZE) == value).all()
        return
    with pytest.raises(SceneError, match=f"holds {value} at row 0, column 0: outside -32768 to 32767"):
        read_scene(path, size=SIZE)


@pytest.mark.parametrize("values", [[1e-4, 1e-3], []])
def test_a_packing_that_is_not_one_number_is_refused_naming_file_and_band(tmp_path, values):
    path = write_scene(tmp_path / "a.nc", format="NETCDF4", scale_factor=np.array(values))
    with pytest.raises(SceneError, match=r"a\.nc: band B04: attribute scale_factor holds (2|no) values"):
        read_scene(path, size=SIZE)


@pytest.mark.parametrize("dimensions", [("time", "y", "x"), ("band", "y", "x"), ("t", "y", "x")])
def test_other_names_of_a_leading_dimension_of_length_1_are_read(tmp_path, dimensions):
    bands = random_bands()
    path = write_scene(tmp_path / "a.nc", bands, dimensions=dimensions)
    np.testing.assert_array_equal(read_scene(path, size=SIZE), stacked(bands, SIZE))


@pytest.mark.parametrize("numbers", [(1e-4, -0.1), (np.float32(1e-4), np.float32(-0.1)), ("0.0001", "-0.1")])
def test_reflectance_in_cf_packing_is_read_as_xarray_decodes_it(tmp_path, numbers):
    scale_factor, add_offset = numbers
    stored = {band: values + np.uint16(500) for band, values in random_bands(dtype="uint16").items()}
    path = write_scene(
        tmp_path / "a.nc", stored, format="NETCDF4", scale_factor=scale_factor, add_offset=add_offset
    )
    scene, account = read_scene_with_account(path, size=SIZE)
    assert account.offset.dn == -1000
    assert account.notices == ()
    np.testing.assert_array_equal(scene, stacked(stored, SIZE) - 1000)
    assert (scene < 0).any()
    if not isinstance(scale_factor, str):
        with xarray.open_dataset(path) as decoded:
            reflectance = np.asarray(decoded["B04"][0, :SIZE, :SIZE], "float64")
        np.testing.assert_allclose(scene[..., 0], 10_000 * reflectance, atol=0.01)


@pytest.mark.parametrize("labels", [["B02", "B03", "B04", "B08"], ["nir", "red", "green", "blue"]])
@pytest.mark.parametrize("format", ["NETCDF4", "NETCDF3_CLASSIC"])
@pytest.mark.parametrize("dimensions", [("band", "y", "x"), ("y", "x", "band"), ("time", "band", "y", "x")])
def test_a_dimension_of_labelled_bands_is_read_as_xarray_writes_it(tmp_path, labels, format, dimensions):
    values = np.random.default_rng(0).integers(0, 10_000, (4, 20, 18)).astype("int16")
    cube = xarray.DataArray(values, dims=("band", "y", "x"), coords={"band": labels}, name="reflectance")
    if "time" in dimensions:
        cube = cube.expand_dims("time")
    cube.transpose(*dimensions).to_dataset().to_netcdf(tmp_path / "a.nc", format=format, engine="netcdf4")
    wanted = [("B04", "red"), ("B03", "green"), ("B02", "blue")]
    positions = [next(labels.index(name) for name in names if name in labels) for names in wanted]
    scene = read_scene(tmp_path / "a.nc", size=SIZE)
    np.testing.assert_array_equal(scene, np.moveaxis(values[positions, :SIZE, :SIZE], 0, -1))


@pytest.mark.parametrize("size", [18, 3])
def test_a_dimension_of_bands_is_read_by_a_list_of_long_names_as_rioxarray_writes_it(tmp_path, size):
    values = np.random.default_rng(0).integers(0, 10_000, (3, size, size)).astype("int16")
    cube = xarray.DataArray(values, dims=("band", "y", "x"), coords={"band": [1, 2, 3]}, name="a")
    cube.attrs["long_name"] = ["B02", "B03", "B04"]
    cube.to_dataset().to_netcdf(tmp_path / "a.nc", engine="netcdf4")
    np.testing.assert_array_equal(read_scene(tmp_path / "a.nc", size=size), np.moveaxis(values[::-1], 0, -1))


def test_long_names_of_another_number_than_bands_label_none(tmp_path):
    cube = xarray.DataArray(np.ones((3, 18, 18), "int16"), dims=("band", "y", "x"), name="a")
    cube.attrs["long_name"] = ["B01", "B02", "B03", "B04"]
    cube.to_dataset().to_netcdf(tmp_path / "a.nc", engine="netcdf4")
    with pytest.raises(SceneError, match="band B04 is missing"):
        read_scene(tmp_path / "a.nc", size=SIZE)


def test_a_dimension_of_numbered_bands_is_refused(tmp_path):
    values = np.ones((3, 20, 18), "int16")
    cube = xarray.DataArray(values, dims=("band", "y", "x"), coords={"band": [1, 2, 3]}, name="reflectance")
    cube.to_dataset().to_netcdf(tmp_path / "a.nc")
    with pytest.raises(SceneError, match=r"bands are reflectance\[0\], .* \(without names\)"):
        read_scene(tmp_path / "a.nc", size=SIZE)


def test_several_variables_of_labelled_bands_are_refused(tmp_path):
    values = np.ones((3, 20, 18), "int16")
    cube = xarray.DataArray(values, dims=("band", "y", "x"), coords={"band": ["B02", "B03", "B04"]})
    xarray.Dataset({"toa": cube, "boa": cube}).to_netcdf(tmp_path / "a.nc")
    with pytest.raises(SceneError, match=r"band B04 may be toa\[2\] or boa\[2\]"):
        read_scene(tmp_path / "a.nc", size=SIZE)


@pytest.mark.parametrize("names", [("B2", "B3", "B4"), ("blue", "green", "red"), ("Blue", "b03", "B04")])
def test_common_names_of_bands_are_read(tmp_path, names):
    bands = random_bands()
    renamed = {name: bands[band] for name, band in zip(names, ("B02", "B03", "B04"), strict=True)}
    path = write_scene(tmp_path / "a.nc", renamed)
    np.testing.assert_array_equal(read_scene(path, size=SIZE), stacked(bands, SIZE))


def test_the_published_names_come_first(tmp_path):
    bands = random_bands()
    path = write_scene(tmp_path / "a.nc", bands | {"red": bands["B02"], "B4": bands["B02"]})
    np.testing.assert_array_equal(read_scene(path, size=SIZE), stacked(bands, SIZE))


def test_names_such_as_gdal_counts_bands_by_are_not_taken_for_bands_of_sentinel_2(tmp_path):
    bands = random_bands()
    path = write_scene(tmp_path / "a.nc", {f"Band{index}": bands["B04"] for index in (1, 2, 3, 4)})
    with pytest.raises(SceneError, match="band B04 is missing"):
        read_scene(path, size=SIZE)


def test_reading_waits_for_no_lock_and_works_once_the_writer_has_ended(tmp_path):
    with (
        locked(tmp_path / "a.nc"),
        pytest.raises(SceneError, match="another process has it open for writing"),
    ):
        read_scene(tmp_path / "a.nc", size=SIZE)
    read_scene(tmp_path / "a.nc", size=SIZE)


def test_names_that_are_not_utf_8_are_refused_by_name(tmp_path):
    path = write_scene(tmp_path / "a.nc").rename(os.path.join(tmp_path, os.fsdecode(b"b\xe9.nc")))
    with pytest.raises(SceneError, match="not UTF-8"):
        read_scene(path, size=SIZE)


@pytest.mark.parametrize("name", ["scene 0 {x} é.nc", "it's $HOME & more.nc", "{{}}.nc"])
def test_names_of_files_are_free(tmp_path, name):
    bands = random_bands()
    np.testing.assert_array_equal(
        read_scene(write_scene(tmp_path / name, bands), size=SIZE), stacked(bands, SIZE)
    )


def test_samples_of_a_file_that_is_never_filled_are_none_of_them_missing(tmp_path):
    bands = changed("B04", netCDF4.default_fillvals["i2"])
    path = write_scene(tmp_path / "a.nc", bands, fill_value=False, format="NETCDF4")
    np.testing.assert_array_equal(read_scene(path, size=SIZE), stacked(bands, SIZE))


def test_samples_never_written_are_missing(tmp_path):
    path = write_scene(tmp_path / "a.nc", changed("B04", netCDF4.default_fillvals["i2"]))
    with pytest.raises(SceneError, match="1 missing samples"):
        read_scene(path, size=SIZE)


@pytest.mark.parametrize("share", [0.4, 0.95, 0.9999])
@pytest.mark.parametrize("format", ["NETCDF3_CLASSIC", "NETCDF3_64BIT_OFFSET", "NETCDF3_64BIT_DATA"])
def test_truncated_files_of_the_classic_format_do_not_read_as_zeros(tmp_path, format, share):
    path = tmp_path / "a.nc"
    truncated(path, format=format, share=share)
    with pytest.raises(SceneError, match="truncated"):
        read_scene(path, size=SIZE)


# What is added to whole scenes without a word in the files, and what is said about it.
NOTICES = {
    "baseline": ({}, {"processing_baseline": "05.09"}, "DN may carry +1000"),
    "baseline as a number": ({}, {"s2:processing_baseline": 4.0}, "DN may carry +1000"),
    "name of a product": (
        {},
        {"source": "S2A_MSIL2A_20230101T105441_N0509_R051_T31UFS_20230101T134905.SAFE"},
        "N0509 in source",
    ),
    "large numbers": ({"B02": 1000, "B03": 1100, "B04": 1200}, {}, "smallest DN 1000"),
    "nodata of a product": ({"B03": 0}, {}, "blocks of samples are exactly 0"),
    "nodata of another product": ({"B02": -10_000}, {}, "samples are below -2000"),
}


def constant_scene(path, dn, about, **attributes):
    bands = {band: np.full((20, 18), 500, "int16") for band in ("B02", "B03", "B04")}
    for band, value in dn.items():
        bands[band][:] = value
    write_scene(path, bands, **attributes)
    with netCDF4.Dataset(path, "a") as dataset:
        dataset.setncatts(about)
    return path


@pytest.mark.parametrize("notice", NOTICES)
def test_what_is_doubtful_is_read_as_it_is_and_logged_once(tmp_path, caplog, notice):
    dn, about, message = NOTICES[notice]
    path = constant_scene(tmp_path / "a.nc", dn, about)
    scene = read_scene(path, size=SIZE)
    assert [int(value) for value in scene[0, 0]] == [dn.get(band, 500) for band in ("B04", "B03", "B02")]
    assert [message in record.message for record in caplog.records] == [True]
    assert caplog.records[0].message.startswith(f"{path}: ")


def test_zeros_are_counted(tmp_path):
    bands = random_bands(dtype="uint16")
    bands["B03"][bands["B03"] == 0] = 1
    bands["B03"][2:5, 4:8] = 0
    _, account = read_scene_with_account(write_scene(tmp_path / "a.nc", bands, format="NETCDF4"), size=SIZE)
    assert [notice.detail for notice in account.notices] == ["12 in B03"]


@pytest.mark.parametrize("declared", [{"fill_value": -32768}, {"nodata": "-9999"}])
def test_zeros_are_dark_targets_without_a_word_where_missing_values_are_declared(tmp_path, caplog, declared):
    read_scene(constant_scene(tmp_path / "a.nc", {"B03": 0}, {}, **declared), size=SIZE)
    assert caplog.records == []


def test_single_zeros_are_dark_targets_without_a_word(tmp_path, caplog):
    bands = random_bands()
    bands["B04"][5, :] = 0
    read_scene(write_scene(tmp_path / "a.nc", bands), size=SIZE)
    assert caplog.records == []


def test_the_files_name_is_a_hint_too(tmp_path):
    path = constant_scene(tmp_path / "S2B_MSIL1C_20220601T000000_N0400_R051_T31UFS.nc", {}, {})
    _, account = read_scene_with_account(path, size=SIZE)
    assert [notice.detail for notice in account.notices] == ["N0400 in the file's name"]


STATED = {
    "attribute of the file": ({}, {"BOA_ADD_OFFSET": np.int32(-1000)}, -1000),
    "attribute of each band": ({"RADIO_ADD_OFFSET": "-1000"}, {}, -1000),
    "attribute for each of 13 bands": ({}, {"BOA_ADD_OFFSET": np.full(13, -1000)}, -1000),
    "attribute for each band": (
        {},
        {f"BOA_ADD_OFFSET_{band}": -1000 for band in ("B02", "B03", "B04")},
        -1000,
    ),
    "stated to be none": ({}, {"BOA_ADD_OFFSET": 0, "processing_baseline": "05.09"}, 0),
    "taken off before": ({}, {"BOA_ADD_OFFSET": -1000, "earthsearch:boa_offset_applied": "true"}, 0),
    "taken off before, in another word": ({}, {"BOA_ADD_OFFSET": -1000, "boa_offset_applied": "YES"}, 0),
    "baseline before": ({}, {"PROCESSING_BASELINE": "03.01"}, 0),
    "packing of reflectance": ({"scale_factor": 1e-4, "add_offset": -0.1}, {"BOA_ADD_OFFSET": -1000}, -1000),
    "packing of DN": ({"add_offset": np.int16(-1000)}, {}, -1000),
    "packing without an offset": ({"scale_factor": 1e-4}, {"BOA_ADD_OFFSET": -1000}, -1000),
}


@pytest.mark.parametrize("case", STATED)
def test_an_offset_that_is_stated_is_added_once_and_without_a_warning(tmp_path, caplog, case):
    attributes, about, offset = STATED[case]
    path = constant_scene(tmp_path / "a.nc", {"B04": 2200, "B03": 600, "B02": 1500}, about, **attributes)
    scene = read_scene(path, size=SIZE)
    assert scene[3, 4].tolist() == [2200 + offset, 600 + offset, 1500 + offset]
    assert caplog.records == []


@pytest.mark.parametrize("case", STATED)
@pytest.mark.parametrize("setting", [0, -1000])
def test_the_setting_overrules_attributes_but_no_packing(tmp_path, case, setting):
    attributes, about, offset = STATED[case]
    path = constant_scene(tmp_path / "a.nc", {"B04": 2200, "B03": 600, "B02": 1500}, about, **attributes)
    scene, account = read_scene_with_account(path, size=SIZE, offset=setting)
    added = offset if "add_offset" in attributes else setting
    assert scene[3, 4].tolist() == [2200 + added, 600 + added, 1500 + added]
    told = any("another offset" in notice.text for notice in account.notices)
    assert told == (added != offset)


def test_dn_below_0_after_the_offset_stay_even_where_they_equal_a_fill_value(tmp_path):
    bands = random_bands()
    bands["B04"][0, :3] = 0, 1, 999
    path = write_scene(tmp_path / "a.nc", bands, nodata=np.int16(-999), BOA_ADD_OFFSET=-1000)
    scene = read_scene(path, size=SIZE)
    assert scene[0, :3, 0].tolist() == [-1000, -999, -1]
    np.testing.assert_array_equal(scene, stacked(bands, SIZE) - 1000)


def test_an_offset_set_on_scenes_without_one_is_noticed(tmp_path):
    path = write_scene(tmp_path / "a.nc", {band: dn + 200 for band, dn in random_bands().items()})
    _, account = read_scene_with_account(path, size=SIZE, offset=-1000)
    assert ["more than a tenth" in notice.text for notice in account.notices] == []
    path = constant_scene(tmp_path / "b.nc", {}, {})
    _, account = read_scene_with_account(path, size=SIZE, offset=-1000)
    assert [notice.detail for notice in account.notices] == ["100%"]


@pytest.mark.parametrize("year", [2016, 2022, 2026])
def test_a_date_decides_nothing(tmp_path, caplog, year):
    path = constant_scene(tmp_path / "a.nc", {}, {"time_coverage_start": f"{year}-06-01T10:00:00Z"})
    with netCDF4.Dataset(path, "a") as dataset:
        dataset.createVariable("t", "i4", ("t",)).units = "days since 1990-01-01"
        dataset["t"][:] = (year - 1990) * 365
    scene, account = read_scene_with_account(path, size=SIZE)
    assert (scene == 500).all()
    assert account.offset == (0, None)
    assert account.notices == ()


def test_size_must_be_positive(tmp_path):
    with pytest.raises(ConfigurationError, match="size=0"):
        read_scene(tmp_path / "a.nc", size=0)


def test_scenes_are_listed_by_name_without_hidden_and_other_files(tmp_path):
    for name in ("b.nc", "a.nc", "10.nc", ".c.partial.nc", "notes.txt"):
        (tmp_path / name).touch()
    (tmp_path / "folder.nc").mkdir()
    assert [path.name for path in list_scenes(tmp_path)] == ["10.nc", "a.nc", "b.nc"]


def test_listing_says_what_is_missing(tmp_path):
    with pytest.raises(SceneError, match=r"nowhere: no such folder"):
        list_scenes(tmp_path / "nowhere")
    with pytest.raises(SceneError, match=r"no file fits '\*\.tif'"):
        list_scenes(tmp_path, "*.tif")


@pytest.mark.parametrize("pattern", ["../*.nc", "/*.nc", "a/b.nc", ""])
def test_patterns_stay_in_the_folder(tmp_path, pattern):
    with pytest.raises(ConfigurationError, match="pattern="):
        list_scenes(tmp_path, pattern)
