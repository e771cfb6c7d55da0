"""Rasters upscaled from file to file."""

import logging

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.control import GroundControlPoint
from tests.upscaled_scenes import (
    HALO,
    TRANSFORM,
    in_one_piece,
    network_file,
    read,
    scene,
    write_scene,
)

from spatial_prediction.errors import ConfigurationError, SceneError
from spatial_prediction.upscaling import scenes
from spatial_prediction.upscaling.scenes import upscale
from spatial_prediction.upscaling.settings import STRATEGIES, UpscaleSettings

pytestmark = [
    pytest.mark.usefixtures("quick_compilation"),
    pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning"),
]

DN = scene(45, 61)
SMALL = {"tile": 16}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return network_file(tmp_path_factory.mktemp("models"))


@pytest.fixture
def run(tmp_path, model, monkeypatch):
    """Upscale an array, or what stands in a file; return the path of the output."""
    monkeypatch.setattr(scenes, "WORTH_A_PROGRAM", 0)

    def upscaled(dn=DN, *, out="out.tif", network=model, profile=None, **settings):
        source = write_scene(tmp_path / "in.tif", dn, **(profile or {})) if isinstance(dn, np.ndarray) else dn
        upscale(source, tmp_path / out, model=network, settings=UpscaleSettings(**(SMALL | settings)))
        assert not [each.name for each in tmp_path.iterdir() if each.name.startswith(".")], "left behind"
        return tmp_path / out

    return upscaled


def difference(path, expected):
    return np.abs(read(path).astype(float) - expected)


def placed(transform, column, row):
    a, b, c, d, e, f = transform[:6]
    return a * column + b * row + c, d * column + e * row + f


@pytest.mark.parametrize("format", ["cog", "gtiff"])
def test_exact_tiles_are_the_whole_image_to_the_last_bit(run, model, format):
    expected = np.clip(np.rint(in_one_piece(model, DN)), 1, 65535)
    found = read(run(format=format))
    assert found.dtype == np.uint16
    # a DN that lies halfway may be rounded to either side
    assert (found != expected).mean() < 1e-3
    assert difference(run(format=format, overwrite=True), expected).max() <= 1


def test_a_program_for_tiles_inside_the_image_changes_nothing(run, monkeypatch):
    two = read(run(dtype="float32", out="two.tif"))
    monkeypatch.setattr(scenes, "WORTH_A_PROGRAM", 10**9)
    np.testing.assert_allclose(read(run(dtype="float32")), two, rtol=0, atol=0.01)


@pytest.mark.parametrize(("strategy", "overlap"), [("crop", 1), ("crop", 5), ("blend", 2), ("blend", None)])
def test_overlaps_are_close_to_the_whole_image_and_equal_where_they_reach_far_enough(
    run, model, strategy, overlap
):
    expected = in_one_piece(model, DN)
    found = difference(run(dtype="float32", strategy=strategy, overlap=overlap), expected)
    abutting = difference(run(dtype="float32", strategy="padding", out="padding.tif"), expected)
    assert found.max() < abutting.max()
    if overlap == 5:
        assert found.max() < 0.01


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("batch", [1, 3])
def test_no_strategy_leaves_a_pixel_out_whatever_the_batch(run, model, strategy, batch):
    found = difference(run(dtype="float32", strategy=strategy, batch=batch), in_one_piece(model, DN))
    away_from_seams = found[:, 4 * HALO : 4 * (16 - HALO), 4 * HALO : 4 * (16 - HALO)]
    assert away_from_seams.max() < 0.01
    assert found.max() < 1500


@pytest.mark.parametrize("shape", [(1, 1), (3, 61), (61, 3), (16, 16), (17, 33)])
@pytest.mark.parametrize("strategy", ["exact", "blend"])
def test_any_size(run, model, shape, strategy):
    dn = scene(*shape)
    assert difference(run(dn, dtype="float32", strategy=strategy), in_one_piece(model, dn)).max() < 0.01 + (
        500 if strategy == "blend" else 0
    )


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_wedge_without_data_leaves_all_else_as_it_was(run, model, strategy):
    """As at the edge of a swath. Its values, here absurd ones, touch no valid pixel."""
    y, x = np.mgrid[: DN.shape[1], : DN.shape[2]]
    missing = y > x + 5
    dn = np.where(missing, 60_000, DN).astype(np.uint16)
    path = run(dn, dtype="float32", strategy=strategy, profile={"nodata": 60_000})
    found, fine = read(path), missing.repeat(4, 0).repeat(4, 1)
    assert np.isnan(found[:, fine]).all()
    assert np.isfinite(found[:, ~fine]).all()
    assert found[:, ~fine].max() < 8000
    whole = read(run(dtype="float32", strategy=strategy, out="whole.tif"))
    away = y + 2 * (HALO + 1) < x + 5
    away = away.repeat(4, 0).repeat(4, 1)
    if strategy in ("exact", "crop"):
        np.testing.assert_allclose(found[:, away], whole[:, away], rtol=0, atol=0.01)
    near = ~fine & ~away
    assert np.abs(found - whole)[:, near].mean() < 300


def test_linear_prediction_continues_valid_pixels_only(run, tmp_path):
    """Up to the edge of a diagonal wedge; what stands in the missing pixels is of no concern."""
    y, x = np.mgrid[: DN.shape[1], : DN.shape[2]]
    missing = y > x + 5
    network = network_file(tmp_path, "lp2x3")
    found = [
        read(
            run(
                np.where(missing, value, DN).astype(np.uint16), network=network, dtype="float32",
                out=f"{value}.tif", profile={"nodata": value},
            )
        )
        for value in (60_000, 1)
    ]  # fmt: skip
    np.testing.assert_array_equal(*found)
    whole = read(run(network=network, dtype="float32", out="whole.tif"))
    fine = missing.repeat(4, 0).repeat(4, 1)
    np.testing.assert_array_equal(np.isnan(found[0]).all(axis=0), fine)
    assert np.abs(found[0] - whole)[:, ~fine].mean() < 100


def test_nan_is_missing(run):
    dn = DN.astype(np.float32)
    dn[1, 10, 20] = np.nan
    with rasterio.open(run(dn, scale="dn", profile={"nodata": None})) as file:
        found, mask = file.read(), file.dataset_mask()
    hole = np.zeros(mask.shape, bool)
    hole[40:44, 80:84] = True
    np.testing.assert_array_equal(mask == 0, hole)
    assert (found[:, hole] == 0).all()
    assert (found[:, ~hole] > 0).all()


@pytest.mark.parametrize("format", ["cog", "gtiff", "netcdf"])
def test_a_scene_without_any_data_becomes_one_without_any_and_says_so(run, caplog, format):
    out = "out.nc" if format == "netcdf" else "out.tif"
    path = run(np.zeros_like(DN), out=out, format=format)
    assert "all nodata" in caplog.text
    if format != "netcdf":
        assert (read(path) == 0).all()


@pytest.mark.parametrize(("dtype", "nodata"), [("uint16", 0), ("int16", -32768), ("float32", np.nan)])
def test_samples_keep_a_value_for_what_is_missing(run, caplog, dtype, nodata):
    dn = DN.copy()
    dn[:, 5:9, 5:9] = 0
    dn[:, 20:30, 20:30] = 40_000
    with caplog.at_level(logging.INFO):
        path = run(dn, dtype=dtype)
    with rasterio.open(path) as file:
        found = file.read()
        np.testing.assert_equal(file.nodata, nodata)
        assert file.scales == (1e-4,) * 3
        assert file.offsets == (0.0,) * 3
        hole = file.dataset_mask() == 0
    assert hole.sum() == 16 * 16
    assert hole[20:36, 20:36].all()
    clipped = {
        "uint16": "",
        "int16": f" {int((found == 32767).any(axis=0).sum())} clipped",
        "float32": " 0 clipped",
    }
    assert clipped[dtype] in caplog.text


@pytest.mark.parametrize(
    "transform",
    [
        TRANSFORM,
        Affine(8, 6, 3e5, 6, -8, 4e6),  # turned, pixels of 10 m
        Affine(10, 2, 5e5, 3, -12, 6e6),
    ],
)
@pytest.mark.parametrize("point", [False, True])
def test_outer_corners_stay_where_they_were(run, tmp_path, transform, point):
    source = write_scene(tmp_path / "in.tif", DN, transform=transform)
    with rasterio.open(source, "r+") as file:
        file.update_tags(AREA_OR_POINT="Point" if point else "Area")
        before = file.transform
    with rasterio.open(run(source)) as file:
        assert file.tags()["AREA_OR_POINT"] == ("Point" if point else "Area")
        assert file.crs.to_epsg() == 32633
        for corner in [(0, 0), (61, 0), (0, 45), (61, 45)]:
            found = placed(file.transform, 4 * corner[0], 4 * corner[1])
            np.testing.assert_allclose(found, placed(before, *corner), rtol=1e-12)


def test_ground_control_points_are_scaled(run, tmp_path):
    source = write_scene(tmp_path / "in.tif", DN, transform=None, crs=None)
    points = [
        GroundControlPoint(r, c, x=5 + c / 10, y=50 - r / 9, z=7) for r, c in [(0, 0), (45, 0), (3.5, 61)]
    ]
    with rasterio.open(source, "r+") as file:
        file.gcps = (points, rasterio.CRS.from_epsg(4326))
    for format in ("cog", "gtiff"):
        with rasterio.open(run(source, format=format, overwrite=True)) as file:
            found, crs = file.gcps
            assert crs.to_epsg() == 4326
            assert [(each.row, each.col, each.x, each.y, each.z) for each in found] == [
                (4 * each.row, 4 * each.col, each.x, each.y, each.z) for each in points
            ]


def test_no_georeference_is_said_and_kept(run, caplog):
    path = run(profile={"transform": None, "crs": None})
    assert "has no georeference" in caplog.text
    with rasterio.open(path) as file:
        assert file.transform.is_identity
        assert file.crs is None


def test_attributes_that_still_hold_are_kept_and_provenance_added(run, tmp_path, model):
    source = write_scene(tmp_path / "in.tif", DN)
    with rasterio.open(source, "r+") as file:
        file.update_tags(
            SPACECRAFT="Sentinel-2A", STATISTICS_MEAN="3", BOA_ADD_OFFSET="-1000", PROCESSING_BASELINE="05.09"
        )
    with rasterio.open(run(source)) as file:
        tags = file.tags()
        assert file.descriptions == ("B04", "B03", "B02")
        assert [each.name for each in file.colorinterp] == ["red", "green", "blue"]
        assert file.profile["compress"] == "deflate"
    assert tags["SPACECRAFT"] == "Sentinel-2A"
    assert not {"STATISTICS_MEAN", "BOA_ADD_OFFSET", "PROCESSING_BASELINE"} & set(tags)
    assert tags["SPATIAL_PREDICTION_GDAL_VERSION"] == rasterio.__gdal_version__
    assert len(tags["SPATIAL_PREDICTION_MODEL_SHA256"]) == 64


def test_an_offset_is_taken_off_once(run, tmp_path):
    """The output of a product with DN + 1000 is upscaled again: nothing is taken off a second time."""
    source = write_scene(tmp_path / "in.tif", DN + 1000)
    with rasterio.open(source, "r+") as file:
        file.update_tags(BOA_ADD_OFFSET="-1000")
    first = run(source)
    assert np.abs(read(first).mean() - DN.mean()) < 300
    second = run(first, out="again.tif", tile=128)
    assert np.abs(read(second).mean() - read(first).mean()) < 300


@pytest.mark.parametrize("dtype", ["uint16", "int16", "float32"])
def test_overviews_are_those_that_gdal_makes_with_nodata_named(run, tmp_path, dtype):
    with rasterio.open(run(scene(300, 150), dtype=dtype)) as file:
        full, levels = file.read(), file.overviews(1)
        profile = {**file.profile, "driver": "GTiff"}
    assert levels == [2, 4]
    with rasterio.open(tmp_path / "plain.tif", "w", **profile) as file:
        file.write(full)
        file.build_overviews(levels, rasterio.enums.Resampling.average)
    for level in range(len(levels)):
        with (
            rasterio.open(tmp_path / "plain.tif", overview_level=level) as expected,
            rasterio.open(tmp_path / "out.tif", overview_level=level) as made,
        ):
            # floats are added up in another order
            np.testing.assert_allclose(made.read(), expected.read(), rtol=0, atol=1e-3 * (dtype == "float32"))


def test_a_cog_is_valid_and_its_overviews_are_averages(run):
    from rio_cogeo.cogeo import cog_validate

    path = run(scene(150, 160), tile=128)
    valid, errors, warnings = cog_validate(path, strict=True, quiet=True)
    assert (valid, errors, warnings) == (True, [], [])
    with rasterio.open(path) as file:
        assert file.overviews(1) == [2]
        full = file.read(1).astype(float)
    with rasterio.open(path, overview_level=0) as file:
        overview = file.read(1)
    means = full.reshape(300, 2, 320, 2).mean(axis=(1, 3))
    assert np.abs(means - overview).max() <= 1


@pytest.mark.parametrize("compress", ["none", "deflate", "zstd", "lzw"])
@pytest.mark.parametrize("format", ["cog", "gtiff"])
def test_codecs_lose_nothing(run, format, compress):
    plain = read(run(out="plain.tif", format="gtiff", compress="none"))
    path = run(format=format, compress=compress)
    np.testing.assert_array_equal(read(path), plain)
    with rasterio.open(path) as file:
        assert file.profile.get("compress", "none") == compress


def test_blended_plain_files_have_no_holes(run):
    """Blocks are finished several tiles later; compressed at each, they would be written again and again."""
    dn = scene(200, 200)
    tiles = run(dn, format="gtiff", strategy="crop", out="tiles.tif")
    blend = run(dn, format="gtiff", strategy="blend")
    assert blend.stat().st_size < 1.1 * tiles.stat().st_size


@pytest.mark.parametrize(
    ("dn", "profile", "settings", "message"),
    [
        (DN[:2], {}, {}, "band B04 is missing"),
        (DN, {}, {"bands": ("1", "2", "9")}, "band 9"),
        (DN.astype(np.complex64), {"nodata": None}, {}, "complex"),
        (DN.astype(np.uint8), {}, {}, "uint8"),
    ],
)
def test_scenes_that_cannot_be_upscaled_leave_nothing(run, tmp_path, dn, profile, settings, message):
    with pytest.raises(SceneError, match=message) as caught:
        run(dn, profile=profile, **settings)
    assert "in.tif" in str(caught.value)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["in.tif"]


def test_outputs_that_would_replace_something_are_refused(run, tmp_path, model):
    source = write_scene(tmp_path / "in.tif", DN)
    before = source.read_bytes()
    with pytest.raises(ConfigurationError, match="is the input itself"):
        run(source, out="in.tif", overwrite=True)
    (tmp_path / "link.tif").symlink_to(source)
    with pytest.raises(ConfigurationError, match="is the input itself"):
        run(source, out="link.tif", overwrite=True)
    assert source.read_bytes() == before
    first = run(source).read_bytes()
    with pytest.raises(ConfigurationError, match="--overwrite"):
        run(source)
    assert run(source, overwrite=True).read_bytes() == first, "equal runs give equal files"
    (tmp_path / "folder.tif").mkdir()
    with pytest.raises(ConfigurationError, match="is a folder"):
        run(source, out="folder.tif")


def test_linear_prediction_is_exact_away_from_the_outer_border(run, tmp_path):
    network = network_file(tmp_path, "lp2x3")
    found = difference(run(dtype="float32", network=network), in_one_piece(network, DN))
    assert found[:, 4 * HALO : -4 * HALO, 4 * HALO : -4 * HALO].max() < 0.01
    assert found.max() < 100


def test_a_broken_block_in_the_middle_is_named(run, tmp_path):
    source = write_scene(tmp_path / "in.tif", scene(80, 64), tiled=True, blockxsize=16, blockysize=16,
                         compress="deflate", interleave="band")  # fmt: skip
    with rasterio.open(source) as file:
        offset, size = (
            int(file.get_tag_item(f"BLOCK_{what}_2_2", "TIFF", bidx=2)) for what in ("OFFSET", "SIZE")
        )
    content = bytearray(source.read_bytes())
    content[offset : offset + size] = b"\xff" * size
    source.write_bytes(content)
    with pytest.raises(SceneError, match=r"in\.tif.*damaged"):
        run(source)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["in.tif"]
