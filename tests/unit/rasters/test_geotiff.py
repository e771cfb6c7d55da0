"""GeoTIFF and JPEG 2000: faults that scenes have had as netCDF, and what GDAL reads without a word."""

import logging
import os

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from rasterio.control import GroundControlPoint
from tests.raster_writer import ENCODINGS, HEIGHT, PROFILES, TRANSFORM, WIDTH, Encoding, dn, write_geotiff

from spatial_prediction.errors import SceneError
from spatial_prediction.rasters.raster import open_raster
from spatial_prediction.rasters.scenes import list_scenes, read_scene, read_scene_with_account

SIZE = 10
WHOLE = slice(0, HEIGHT), slice(0, WIDTH)
INT16 = Encoding("int16")


def constant(path, value=1200, dtype="int16", *, band=None, **tags):
    """All samples are ``value``; ``band`` gives another value at row 2, column 3 of red."""
    values = np.full((3, HEIGHT, WIDTH), value, dtype)
    if band is not None:
        values[2, 2, 3] = band
    write_geotiff(path, values, Encoding(dtype))
    with rasterio.open(path, "r+") as file:
        for index in file.indexes:
            file.update_tags(index, **tags)
    return path


@pytest.mark.parametrize(("stored", "value"), [("int16", 40_000), ("int8", 200)])
def test_unsigned_numbers_in_signed_storage_are_read_unsigned(tmp_path, stored, value):
    bits = np.array(value).astype(stored.replace("int", "uint")).view(stored)
    path = constant(tmp_path / "a.tif", bits, stored, _Unsigned="true")
    with open_raster(path, scale="dn") as raster:
        assert (raster.read(*WHOLE)[0] == value).all()
    if value > 32_767:
        with pytest.raises(SceneError, match=f"holds {value} at row 0, column 0: outside -32768 to 32767"):
            read_scene(path, size=SIZE)
    else:
        assert (read_scene(path, size=SIZE) == value).all()


DECLARATIONS = [
    {"valid_min": "0"},
    {"valid_range": "0, 10000"},
    {"valid_range": "{0,10000}"},
    {"missing_value": "-9999"},
    {"NODATA": "-9999"},
    {"nodata_value": "-9999.0"},
    {"_FillValue": "-9999"},
    {"NoData_Value": "0, -9999"},
]


@pytest.mark.parametrize("tags", DECLARATIONS, ids=str)
def test_every_declaration_of_missing_values_counts(tmp_path, tags):
    path = constant(tmp_path / "a.tif", band=-9999, **tags)
    with pytest.raises(SceneError, match=r"1 missing samples .* at row 2, column 3"):
        read_scene(path, size=SIZE)
    with open_raster(path) as raster:
        samples, valid = raster.read(*WHOLE)
    assert np.argwhere(~valid).tolist() == [[2, 3]]
    assert np.isnan(samples[0, 2, 3])
    assert samples[1, 2, 3] == 1200


def test_declarations_of_the_whole_file_count(tmp_path):
    path = constant(tmp_path / "a.tif", band=-9999)
    with rasterio.open(path, "r+") as file:
        file.update_tags(valid_range="[0 10000]")  # as rioxarray writes the attribute of a netCDF variable
    with pytest.raises(SceneError, match=r"1 missing samples \(outside valid_range=\[0 10000\]\)"):
        read_scene(path, size=SIZE)


@pytest.mark.parametrize("value", ["1e-4 1e-3", "none"])
def test_a_packing_that_is_not_one_number_is_refused_naming_file_and_band(tmp_path, value):
    path = constant(tmp_path / "a.tif", scale_factor=value)
    with pytest.raises(SceneError, match=r"a\.tif: band B04: attribute scale_factor holds (2|no) values"):
        read_scene(path, size=SIZE)
    with pytest.raises(SceneError, match=r"a\.tif: .*attribute scale_factor holds (2|no) values"):
        open_raster(path)


def test_a_packing_in_tags_is_applied_once(tmp_path):
    values = dn(Encoding("uint16")) + 1000
    path = write_geotiff(tmp_path / "a.tif", values, Encoding("uint16"))
    with rasterio.open(path, "r+") as file:
        file.update_tags(scale_factor="0.0001", add_offset="-0.1")
    for scales in (None, [1e-4] * 3):
        if scales:
            with rasterio.open(path, "r+") as file:
                file.scales, file.offsets = scales, [-0.1] * 3
        with open_raster(path) as raster:
            np.testing.assert_allclose(raster.read(*WHOLE)[0], values[::-1] - 1000, atol=1e-3)


def test_two_packings_of_a_band_are_refused(tmp_path):
    path = constant(tmp_path / "a.tif", scale_factor="0.0001")
    with rasterio.open(path, "r+") as file:
        file.scales = [2e-4] * 3
    with pytest.raises(SceneError, match=r"tag scale_factor=0\.0001 contradicts the band's own, 0\.0002"):
        open_raster(path)


def test_bands_of_unequal_scales_are_each_unpacked_by_their_own(tmp_path):
    """Written back by rioxarray, such a file comes out destroyed."""
    path = write_geotiff(tmp_path / "a.tif", np.full((3, HEIGHT, WIDTH), 2000), Encoding("uint16"))
    with rasterio.open(path, "r+") as file:
        file.scales, file.offsets = [1e-4, 2e-4, 5e-5], [0.0, -0.01, 0.0]
    with open_raster(path) as raster:
        samples, _ = raster.read(*WHOLE)
    np.testing.assert_allclose(samples[:, 0, 0], [1000, 3900, 2000], rtol=1e-6)


@pytest.mark.parametrize("name", ["scene 0 {x} é.tif", "it's $HOME & more.tif", "{{}}.tif"])
def test_names_of_files_are_free(tmp_path, name):
    assert (read_scene(constant(tmp_path / name), size=SIZE) == 1200).all()


def test_names_that_are_not_utf_8_are_refused_by_name(tmp_path):
    path = constant(tmp_path / "a.tif").rename(os.path.join(tmp_path, os.fsdecode(b"b\xe9.tif")))
    with pytest.raises(SceneError, match="not UTF-8"):
        read_scene(path, size=SIZE)


def test_a_block_of_zeros_without_a_declaration_is_counted(tmp_path):
    values = np.full((3, HEIGHT, WIDTH), 1200)
    values[1, :3, :4] = 0
    path = write_geotiff(tmp_path / "a.tif", values, Encoding("uint16"))
    _, account = read_scene_with_account(path, size=SIZE)
    assert [notice.detail for notice in account.notices if "exactly 0" in notice.text] == ["12 in B03"]


def test_dn_that_may_carry_1000_are_noticed_in_a_scene(tmp_path):
    _, account = read_scene_with_account(constant(tmp_path / "a.tif", 1200), size=SIZE)
    assert [notice.detail for notice in account.notices] == ["smallest DN 1200"]


def test_reflectance_of_dark_water_trains_only_where_it_is_said_to_be_that(tmp_path):
    values = np.broadcast_to(np.linspace(0, 99, WIDTH).round(), (3, HEIGHT, WIDTH))
    path = write_geotiff(tmp_path / "a.tif", values, Encoding("float32", reflectance=True))
    with pytest.raises(SceneError, match=r"reflectance, not DN; store DN, .*--scale"):
        read_scene(path, size=SIZE)
    scene = read_scene(path, size=SIZE, scale="reflectance")
    np.testing.assert_array_equal(scene[0, :, 0], values[0, 0, :SIZE])


def test_scenes_are_read_with_the_bands_scale_and_nodata_that_are_said(tmp_path):
    values = dn(Encoding("uint16"))
    path = write_geotiff(tmp_path / "a.tif", values, Encoding("uint16"), names=None)
    scene = read_scene(path, size=SIZE, bands=("1", "3", "2"))
    np.testing.assert_array_equal(scene, np.moveaxis(values[[0, 2, 1], :SIZE, :SIZE], 0, -1))
    with pytest.raises(SceneError, match=rf"missing samples \(nodata={values[0, 1, 1]}\)"):
        read_scene(path, size=SIZE, bands=("1", "3", "2"), nodata=int(values[0, 1, 1]))


def test_a_folder_of_mixed_containers_lists_its_rasters_only(tmp_path):
    for name in ("a.nc", "b.tif", "b.tif.aux.xml", "c.bsq", "c.hdr", "d.JP2", "notes.txt", ".e.tif"):
        (tmp_path / name).touch()
    assert [path.name for path in list_scenes(tmp_path, "*")] == ["a.nc", "b.tif", "c.bsq", "d.JP2"]
    assert [path.name for path in list_scenes(tmp_path, "*.hdr")] == ["c.hdr"]


# What GDAL says and does not say of damage.


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("less", [1, 100])
def test_a_truncated_file_is_refused(tmp_path, profile, less):
    path = write_geotiff(tmp_path / "a.tif", dn(), INT16, {**PROFILES[profile], "TFW": "NO"})
    content = path.read_bytes()
    path.write_bytes(content[:-less])
    with pytest.raises(SceneError, match=r"a\.tif: "), open_raster(path) as raster:
        raster.read(*WHOLE)


def block(path, band, x, y):
    with rasterio.open(path) as file:
        begin, size = (
            int(file.get_tag_item(f"BLOCK_{name}_{x}_{y}", "TIFF", bidx=band)) for name in ("OFFSET", "SIZE")
        )
    return begin, size


@pytest.mark.parametrize("compress", ["deflate", "zstd", "lzw"])
def test_a_damaged_block_in_the_middle_is_refused_and_others_are_read(tmp_path, compress):
    values = np.random.default_rng(0).integers(0, 4000, (3, 48, 48)).astype("uint16")
    path = tmp_path / "a.tif"
    shape = {"count": 3, "height": 48, "width": 48, "transform": TRANSFORM, "interleave": "band"}
    tiles = {"tiled": True, "blockxsize": 16, "blockysize": 16, "compress": compress}
    with rasterio.open(path, "w", driver="GTiff", dtype="uint16", **shape, **tiles) as file:
        file.write(values)
        file.descriptions = ("B04", "B03", "B02")
    begin, size = block(path, 2, 1, 1)
    content = bytearray(path.read_bytes())
    content[begin : begin + size] = bytes(size)
    path.write_bytes(content)
    with open_raster(path) as raster:
        np.testing.assert_array_equal(raster.read(slice(0, 16), slice(0, 48))[0], values[:, :16])
        with pytest.raises(SceneError, match=r"a\.tif: .*damaged; fetch or write it again"):
            raster.read(slice(0, 48), slice(0, 48))
        np.testing.assert_array_equal(raster.read(slice(32, 48), slice(3, 9))[0], values[:, 32:, 3:9])


@pytest.mark.parametrize("interleave", ["pixel", "band"])
def test_no_byte_of_a_deflated_block_can_change_unnoticed_as_it_can_with_gdal(tmp_path, interleave):
    values = np.random.default_rng(0).integers(500, 4000, (3, 32, 32)).astype("uint16")
    path = tmp_path / "a.tif"
    shape = {"count": 3, "height": 32, "width": 32, "transform": TRANSFORM, "interleave": interleave}
    with rasterio.open(path, "w", driver="GTiff", dtype="uint16", compress="deflate", **shape) as file:
        file.write(values)
        file.descriptions = ("B04", "B03", "B02")
    whole = path.read_bytes()
    begin, size = block(path, 1, 0, 0)
    unnoticed = 0
    for place in range(begin + 8, begin + size - 8, size // 40):
        content = bytearray(whole)
        content[place] ^= 255
        path.write_bytes(content)
        with pytest.raises(SceneError, match=r"a\.tif: .*damaged"), open_raster(path) as raster:
            raster.read(slice(0, 32), slice(0, 32))
        try:
            with rasterio.open(path) as file:
                unnoticed += bool((file.read() != values).any())
        except rasterio.errors.RasterioIOError:
            continue
    assert unnoticed > 0


@pytest.mark.parametrize("less", [1, 2000])
def test_a_truncated_jpeg_2000_of_several_tiles_is_refused_where_gdal_reads_on(tmp_path, less):
    values = np.random.default_rng(0).integers(500, 4000, (1, 128, 128)).astype("uint16")
    with rasterio.open(
        tmp_path / "a.tif",
        "w",
        driver="GTiff",
        count=1,
        height=128,
        width=128,
        dtype="uint16",
        transform=TRANSFORM,
    ) as file:
        file.write(values)
    path = tmp_path / "T33_B04.jp2"
    tiles = {"BLOCKXSIZE": 64, "BLOCKYSIZE": 64, "QUALITY": "100", "REVERSIBLE": "YES"}
    rasterio.shutil.copy(tmp_path / "a.tif", path, driver="JP2OpenJPEG", **tiles)
    with open_raster([path], bands=["1"]) as raster:
        np.testing.assert_array_equal(raster.read(slice(0, 128), slice(0, 128))[0], values)
    path.write_bytes(path.read_bytes()[:-less])
    with pytest.raises(SceneError, match=r"B04\.jp2: .*damaged"), open_raster(path, bands=["1"]) as raster:
        raster.read(slice(0, 128), slice(0, 128))


def test_several_images_in_a_file_are_refused(tmp_path):
    path = write_geotiff(tmp_path / "a.tif", dn(), INT16)
    with (
        rasterio.open(f"{path}", "r+", driver="GTiff") as file,
        rasterio.open(tmp_path / "b.tif", "w", **file.profile) as other,
    ):
        other.write(file.read())
    rasterio.shutil.copy(tmp_path / "b.tif", path, driver="GTiff", APPEND_SUBDATASET="YES")
    with pytest.raises(SceneError, match=r"a\.tif: holds 2 images, and a raster is one"):
        open_raster(path, bands=["1"])


# Where it lies.


def test_ground_control_points_are_handed_out(tmp_path):
    points = [
        GroundControlPoint(row=row, col=column, x=15 + column / 100, y=60 - row / 100, z=row)
        for row, column in [(0, 0), (0, 14), (11, 0), (11, 14)]
    ]
    with rasterio.open(
        tmp_path / "a.tif",
        "w",
        driver="GTiff",
        count=1,
        height=11,
        width=14,
        dtype="int16",
        gcps=points,
        crs="EPSG:4326",
    ) as file:
        file.write(dn()[:1].astype("int16"))
    with open_raster(tmp_path / "a.tif", bands=["1"]) as raster:
        assert raster.transform is None
        assert raster.gcps[1] == (0, 14, 15.14, 60, 0)
        assert "4326" in raster.gcps_crs


def test_rotated_rasters_are_read_as_they_are_stored(tmp_path):
    transform = TRANSFORM * rasterio.Affine.rotation(20)
    with rasterio.open(
        tmp_path / "a.tif",
        "w",
        driver="GTiff",
        count=1,
        height=11,
        width=14,
        dtype="int16",
        transform=transform,
    ) as file:
        file.write(dn()[:1].astype("int16"))
    with open_raster(tmp_path / "a.tif", bands=["1"]) as raster:
        np.testing.assert_allclose(raster.transform, transform)
        np.testing.assert_array_equal(raster.read(*WHOLE)[0], dn()[:1])


def test_tags_and_reference_system_are_handed_out(tmp_path):
    path = write_geotiff(tmp_path / "a.tif", dn(), ENCODINGS["int16, fill"])
    with rasterio.open(path, "r+") as file:
        file.update_tags(history="made for a test")
    with open_raster(path) as raster:
        assert raster.tags["history"] == "made for a test"
        assert rasterio.CRS.from_wkt(raster.crs) == rasterio.CRS.from_epsg(32633)


def test_names_of_colours_in_the_format_itself_count(tmp_path, caplog):
    caplog.set_level(logging.INFO, logger="spatial_prediction")
    path = write_geotiff(tmp_path / "a.tif", dn(), INT16, {"photometric": "rgb"}, names=None)
    with open_raster(path) as raster:
        np.testing.assert_array_equal(raster.read(*WHOLE)[0], dn())
    assert "B04 is 1 (red), B03 is 2 (green), B02 is 3 (blue)" in caplog.text
