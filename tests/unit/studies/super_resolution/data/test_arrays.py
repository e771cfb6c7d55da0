import hashlib
import json

import numpy as np
import pytest
from tests import raster_writer
from tests.scene_writer import random_bands, stacked, write_scene

from spatial_prediction.errors import ConfigurationError, SceneError
from spatial_prediction.rasters.scenes import list_scenes
from spatial_prediction.studies.super_resolution.data.arrays import build_arrays
from spatial_prediction.studies.super_resolution.data.permutation import scene_order

SIZE = 16
COUNT = 6


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "scenes"
    folder.mkdir()
    for index in range(COUNT):
        write_scene(folder / f"{index:06d}.nc", random_bands(seed=index))
    return folder


def build(folder, *, order=None, test_scenes=2, bad_scenes="error", offset="auto", pattern="*.nc", **said):
    scenes = list_scenes(folder, pattern)
    outputs = folder.parent
    return build_arrays(
        scenes,
        train_path=outputs / "train.npy",
        test_path=outputs / "test.npy",
        summary_path=outputs / "summary.json",
        test_scenes=test_scenes,
        size=said.pop("size", SIZE),
        order=scene_order(len(scenes), seed=0) if order is None else np.array(order),
        bad_scenes=bad_scenes,
        offset=offset,
        **said,
    )


def load(folder, subset):
    return np.load(folder.parent / f"{subset}.npy", allow_pickle=False)


def expected(indices):
    return np.stack([stacked(random_bands(seed=index), SIZE) for index in indices])


def written(folder):
    return sorted(path.name for path in folder.parent.iterdir())


def spoil(folder, *indices):
    for index in indices:
        (folder / f"{index:06d}.nc").write_text("spoilt")


def test_last_scenes_of_the_order_are_the_test_set(folder):
    summary = build(folder, order=[5, 3, 1, 0, 2, 4])
    np.testing.assert_array_equal(load(folder, "train"), expected([5, 3, 1, 0]))
    np.testing.assert_array_equal(load(folder, "test"), expected([2, 4]))
    assert load(folder, "train").dtype == np.int16
    assert summary["train"]["scenes"] == ["000005.nc", "000003.nc", "000001.nc", "000000.nc"]
    assert summary["test"]["scenes"] == ["000002.nc", "000004.nc"]
    assert written(folder) == ["scenes", "summary.json", "test.npy", "train.npy"]


def test_arrays_can_be_mapped_and_have_no_bytes_too_many(folder):
    build(folder)
    mapped = np.load(folder.parent / "train.npy", mmap_mode="r")
    assert mapped.shape == (4, SIZE, SIZE, 3)
    assert (folder.parent / "train.npy").stat().st_size == mapped.offset + mapped.nbytes


def test_summary_describes_what_is_written(folder):
    summary = build(folder)
    assert json.loads((folder.parent / "summary.json").read_text()) == summary
    assert summary["scene_count"] == {"train": 4, "test": 2, "skipped": 0}
    assert summary["skipped"] == []
    for subset in ("train", "test"):
        scaled = 2 * load(folder, subset).astype(np.float64) / 10_000 - 1
        np.testing.assert_allclose(summary[subset]["mean"], scaled.mean((0, 1, 2)), rtol=1e-12)
        np.testing.assert_allclose(summary[subset]["standard_deviation"], scaled.std((0, 1, 2)), rtol=1e-12)
        variance = scaled.var((1, 2)).mean()
        np.testing.assert_allclose(summary[subset]["mean_channel_variance"], variance, rtol=1e-12)
        content = (folder.parent / f"{subset}.npy").read_bytes()
        assert summary[subset]["sha256"] == hashlib.sha256(content).hexdigest()


def test_equal_scenes_make_equal_files(folder):
    assert build(folder) == build(folder)


def test_every_bad_scene_is_named_and_nothing_is_written(folder):
    spoil(folder, 0, 4)
    bands = random_bands()
    del bands["B03"]
    write_scene(folder / "000002.nc", bands)
    with pytest.raises(SceneError) as caught:
        build(folder)
    message = str(caught.value)
    assert message.startswith("3 of 6 scenes are bad; ")
    assert "000000.nc: cannot be opened as netCDF" in message
    assert "000002.nc: band B03 is missing" in message
    assert "000004.nc: cannot be opened as netCDF" in message
    assert written(folder) == ["scenes"]


@pytest.mark.parametrize("bad_scenes", ["error", "skip"])
def test_each_bad_scene_is_told_once(folder, caplog, bad_scenes):
    caplog.set_level("INFO")
    spoil(folder, 0, 4)
    message = ""
    try:
        build(folder, bad_scenes=bad_scenes)
    except SceneError as fault:
        message = str(fault)
    told = "\n".join([*caplog.messages, message])
    assert [told.count(name) for name in ("000000.nc", "000004.nc")] == [1, 1]
    assert (bad_scenes == "skip") == (message == "")


def test_each_bad_scene_is_told_once_where_too_few_are_left(folder, caplog):
    spoil(folder, 0, 1, 2, 3)
    with pytest.raises(SceneError) as caught:
        build(folder, bad_scenes="skip")
    told = "\n".join([*caplog.messages, str(caught.value)])
    assert [told.count(f"00000{index}.nc") for index in range(4)] == [1] * 4


def test_a_packing_that_cannot_be_understood_is_a_bad_scene_and_can_be_skipped(folder):
    write_scene(folder / "000002.nc", format="NETCDF4", scale_factor=np.array([1e-4, 1e-3]))
    with pytest.raises(
        SceneError, match=r"1 of 6 scenes are bad[^$]*000002\.nc: band B04: attribute scale_f"
    ):
        build(folder)
    assert build(folder, bad_scenes="skip")["scene_count"]["skipped"] == 1


def state(folder, index, **attributes):
    write_scene(folder / f"{index:06d}.nc", raised(index), **attributes)


def raised(index):
    """Bands of a scene with DN + 1000."""
    return {band: dn + np.int16(1000) for band, dn in random_bands(seed=index).items()}


def test_scenes_that_state_the_offset_equal_those_that_carry_none(folder, caplog):
    caplog.set_level("INFO")
    for index in range(COUNT):
        attributes = {"BOA_ADD_OFFSET": -1000} if index % 2 else {"BOA_ADD_OFFSET": 0}
        write_scene(
            folder / f"{index:06d}.nc", raised(index) if index % 2 else random_bands(seed=index), **attributes
        )
    summary = build(folder, order=range(COUNT))
    np.testing.assert_array_equal(load(folder, "train"), expected([0, 1, 2, 3]))
    np.testing.assert_array_equal(load(folder, "test"), expected([4, 5]))
    assert summary["offset"] == {
        "setting": "auto",
        "scenes": {"-1000": 3, "0": 3},
        "stated_by": {"BOA_ADD_OFFSET=-1000": 3, "BOA_ADD_OFFSET=0": 3},
    }
    assert summary["decoding"] == {"int16, taken as DN": 6}
    assert summary["warnings"] == []
    assert caplog.messages[-2:] == [
        "3 scenes: int16, taken as DN; offset 0 (dataset.offset: auto; BOA_ADD_OFFSET=0)",
        "3 scenes: int16, taken as DN; offset -1000 (dataset.offset: auto; BOA_ADD_OFFSET=-1000)",
    ]


@pytest.mark.parametrize("bad_scenes", ["error", "skip"])
def test_a_folder_that_mixes_scenes_with_and_without_an_offset_is_refused_by_name(folder, bad_scenes):
    state(folder, 2, BOA_ADD_OFFSET=-1000)
    with pytest.raises(SceneError) as caught:
        build(folder, bad_scenes=bad_scenes)
    message = str(caught.value)
    assert "1 of 6 scenes state that their DN carry +1000 (000002.nc)" in message
    assert "5 state nothing (000000.nc, 000001.nc, 000003.nc, 000004.nc, 000005.nc)" in message
    assert "dataset.offset (--offset)" in message
    assert written(folder) == ["scenes"]
    for offset in (0, -1000):
        build(folder, offset=offset)


def test_the_offset_of_all_scenes_can_be_set(folder):
    for index in range(COUNT):
        write_scene(folder / f"{index:06d}.nc", raised(index))
    summary = build(folder, order=range(COUNT), offset=-1000)
    np.testing.assert_array_equal(load(folder, "train"), expected([0, 1, 2, 3]))
    assert summary["offset"]["scenes"] == {"-1000": 6}
    assert summary["offset"]["stated_by"] == {"dataset.offset": 6}
    plain = build(folder, order=range(COUNT), offset=0)
    means = np.array([plain["train"]["mean"], summary["train"]["mean"]])
    np.testing.assert_allclose(means[0] - means[1], 0.2, rtol=1e-12)


def test_a_hint_is_warned_of_in_one_line_and_told_in_the_summary(folder, caplog):
    for index in (1, 3):
        write_scene(folder / f"{index:06d}.nc", raised(index))
    summary = build(folder)
    (message,) = caplog.messages
    smallest = [min(dn[:SIZE, :SIZE].min() for dn in raised(index).values()) for index in (1, 3)]
    details = [f"smallest DN {dn}" for dn in smallest]
    assert message.startswith("DN may carry +1000")
    assert message.endswith(f": in 2 of 6 scenes: 000001.nc ({details[0]}), 000003.nc ({details[1]})")
    (warning,) = summary["warnings"]
    assert warning["scenes"] == dict(zip(["000001.nc", "000003.nc"], details, strict=True))
    assert summary["offset"]["scenes"] == {"0": 6}


def test_of_many_scenes_a_few_are_named(folder, caplog):
    for index in range(30):
        write_scene(folder / f"{index:06d}.nc", raised(index))
    build(folder)
    (message,) = caplog.messages
    assert message.count(".nc") == 10
    assert message.endswith(" and 20 more")


@pytest.mark.parametrize("bad", [(4,), (2, 4), (5,), (0, 2), (1, 3)])
def test_skipped_scenes_drop_out_of_the_order(folder, bad):
    spoil(folder, *bad)
    order = [5, 3, 1, 0, 2, 4]
    good = [index for index in order if index not in bad]
    summary = build(folder, order=order, bad_scenes="skip")
    np.testing.assert_array_equal(load(folder, "train"), expected(good[:-2]))
    np.testing.assert_array_equal(load(folder, "test"), expected(good[-2:]))
    assert [skipped["scene"] for skipped in summary["skipped"]] == [
        f"{index:06d}.nc" for index in sorted(bad)
    ]
    assert all(skipped["reason"].startswith("cannot be opened") for skipped in summary["skipped"])


def test_too_few_good_scenes_are_an_error_that_names_the_bad(folder):
    spoil(folder, 0, 1, 2, 3)
    with pytest.raises(
        SceneError, match=r"2 of 6 scenes are good, too few for 2 test scenes[^$]*000003\.nc: "
    ):
        build(folder, bad_scenes="skip")
    assert written(folder) == ["scenes"]


def test_a_failure_leaves_earlier_arrays_alone(folder):
    build(folder)
    before = {name: (folder.parent / name).read_bytes() for name in written(folder)[1:]}
    spoil(folder, 3)
    with pytest.raises(SceneError):
        build(folder)
    assert {name: (folder.parent / name).read_bytes() for name in written(folder)[1:]} == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"test_scenes": 0}, "test_scenes=0"),
        ({"test_scenes": 6}, "test_scenes=6 leaves no training scene of 6"),
        ({"order": [0, 1, 2]}, "order has 3 entries"),
        ({"order": [0, 1, 2, 3, 4, 4]}, "no permutation"),
    ],
)
def test_arguments_that_do_not_fit(folder, arguments, message):
    with pytest.raises(ConfigurationError, match=message):
        build(folder, **arguments)


def test_arrays_that_do_not_fit_on_the_disk_are_not_begun(folder, monkeypatch):
    usage = type("Usage", (), {"free": 9215})
    monkeypatch.setattr(
        "spatial_prediction.studies.super_resolution.data.arrays.shutil.disk_usage", lambda _: usage
    )
    with pytest.raises(ConfigurationError, match="6 scenes take 9216 bytes and 9215 are left"):
        build(folder)
    assert written(folder) == ["scenes"]


def test_outputs_must_differ(folder):
    with pytest.raises(ConfigurationError, match="same file"):
        build_arrays(
            list_scenes(folder),
            train_path="a.npy",
            test_path="a.npy",
            summary_path="b.json",
            test_scenes=1,
            order=np.arange(COUNT),
            bad_scenes="error",
        )


def test_a_folder_of_several_containers_gives_the_rows_that_one_of_netcdf_gives(tmp_path):
    folder = tmp_path / "scenes"
    folder.mkdir()
    values = [raster_writer.dn(seed=seed) for seed in range(4)]
    plain = raster_writer.Encoding("int16")
    raster_writer.write_netcdf(folder / "a.nc", values[0], plain, "x y", ascending=True)
    raster_writer.write_geotiff(folder / "b.tif", values[1], plain, "tiled, deflated, pixel")
    raster_writer.write_envi(folder / "c.bil", values[2], plain, "bil", order=1)
    raster_writer.write_geotiff(folder / "d.tiff", values[3], plain, names=raster_writer.WAVELENGTHS)
    summary = build(folder, order=[0, 1, 2, 3], pattern="*", size=8)
    assert summary["train"]["scenes"] == ["a.nc", "b.tif"]
    assert summary["test"]["scenes"] == ["c.bil", "d.tiff"]
    rows = np.concatenate([load(folder, "train"), load(folder, "test")])
    np.testing.assert_array_equal(rows, [np.moveaxis(dn[::-1, :8, :8], 0, -1) for dn in values])


def test_bands_scale_and_nodata_may_be_said(tmp_path):
    folder = tmp_path / "scenes"
    folder.mkdir()
    reflectance = raster_writer.Encoding("float32", reflectance=True)
    values = [raster_writer.dn(seed=seed) for seed in range(3)]
    for seed, dn in enumerate(values):
        raster_writer.write_geotiff(folder / f"{seed}.tif", dn, reflectance, names=None)
    said = {"bands": ["1", "2", "3"], "scale": "reflectance", "nodata": -9999}
    summary = build(folder, order=[0, 1, 2], pattern="*.tif", size=8, test_scenes=1, **said)
    assert summary["bands"] == ["1", "2", "3"]
    np.testing.assert_array_equal(load(folder, "test")[0], np.moveaxis(values[2][:, :8, :8], 0, -1))
    with pytest.raises(ConfigurationError, match=r"bands=.*name three"):
        build(folder, order=[0, 1, 2], pattern="*.tif", size=8, test_scenes=1, bands=["1", "2"])
