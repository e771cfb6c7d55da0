import re

import netCDF4
import numpy as np
import pytest
from tests.helpers import REPOSITORY
from tests.scene_writer import random_bands, stacked, write_scene

from spatial_prediction.data import list_scenes, read_scene
from spatial_prediction.errors import ConfigurationError, SceneError

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


def without_red(path):
    bands = random_bands()
    del bands["B04"]
    write_scene(path, bands)


# Every fault: how it is made. docs/data.md says what message it gets.
FAULTS = {
    "missing file": lambda path: None,
    "not netCDF": lambda path: path.write_text("a page of text"),
    "truncated": lambda path: truncated(path, format="NETCDF4_CLASSIC", share=0.5),
    "truncated, classic format": lambda path: truncated(path, format="NETCDF3_CLASSIC", share=0.9),
    "damaged": damaged,
    "missing band": without_red,
    "other dimensions": lambda path: write_scene(path, dimensions=("t", "lat", "lon")),
    "several times": lambda path: write_scene(path, random_bands((2, 20, 18))),
    "too small": lambda path: write_scene(path, random_bands((20, 15))),
    "NaN": lambda path: write_scene(path, changed("B03", np.nan, dtype="float32")),
    "nodata": lambda path: write_scene(path, changed("B02", -32768), fill_value=-32768),
    "packed": lambda path: write_scene(path, scale_factor=0.0001),
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
    FAULTS[fault](path)
    with pytest.raises(SceneError) as caught:
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


@pytest.mark.parametrize("attribute", ["missing_value", "nodata"])
def test_every_way_to_declare_nodata_counts(tmp_path, attribute):
    path = write_scene(tmp_path / "a.nc", changed("B04", 0), **{attribute: np.int16(0)})
    with pytest.raises(SceneError, match="missing samples"):
        read_scene(path, size=SIZE)


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
