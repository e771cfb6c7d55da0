from pathlib import Path

import netCDF4
import numpy as np
import pytest

from spatial_prediction.rasters.scenes import list_scenes, read_scene, read_scene_with_account
from spatial_prediction.studies.super_resolution.data.arrays import build_arrays

SHARED = Path(__file__).parents[2].parent / "shared"
FOLDER = SHARED / "data" / "sentinel2"
SCENES = list_scenes(FOLDER) if FOLDER.is_dir() else []

# Minimum and maximum of B04, B03, B02 over the corner crop, where the folder's provenance table has the same
# (files of exactly 512 x 512, so that crop and file are one).
PROVENANCE = {
    "000000.nc": [(319, 5435), (528, 4905), (788, 5090)],
    "000001.nc": [(324, 23291), (525, 22151), (51, 22590)],
    "000003.nc": [(291, 11274), (544, 10212), (745, 10026)],
}


@pytest.mark.skipif(not SCENES, reason="no folder shared/data/sentinel2 beside the checkout")
def test_every_real_scene_is_read():
    assert len(SCENES) >= 19
    for path in SCENES:
        scene = read_scene(path)
        assert scene.shape == (512, 512, 3)
        assert scene.dtype == np.int16
        assert 0 <= scene.min() < scene.max() <= 23291


@pytest.mark.skipif(not SCENES, reason="no folder shared/data/sentinel2 beside the checkout")
@pytest.mark.parametrize("name", PROVENANCE)
def test_values_are_those_of_the_provenance_table(name):
    scene = read_scene(FOLDER / name)
    assert [(int(band.min()), int(band.max())) for band in np.moveaxis(scene, -1, 0)] == PROVENANCE[name]


@pytest.mark.skipif(not SCENES, reason="no folder shared/data/sentinel2 beside the checkout")
@pytest.mark.parametrize("path", SCENES, ids=lambda path: path.name)
def test_pixels_are_those_stored_and_no_offset_is_supposed_whatever_the_date(path):
    """Scenes of 2016 to 2026: those from 2023 on carry no +1000 either, so a date decides nothing."""
    scene, account = read_scene_with_account(path)
    with netCDF4.Dataset(path) as file:
        file.set_auto_maskandscale(False)
        stored = np.stack([file[band][0, :512, :512] for band in ("B04", "B03", "B02")], axis=-1)
    np.testing.assert_array_equal(scene, stored)
    assert account == ((0, None), "int16, taken as DN", ())


@pytest.mark.skipif(not SCENES, reason="no folder shared/data/sentinel2 beside the checkout")
def test_arrays_of_the_real_scenes_are_made_without_a_warning(tmp_path, caplog):
    summary = build_arrays(
        SCENES,
        train_path=tmp_path / "train.npy",
        test_path=tmp_path / "test.npy",
        summary_path=tmp_path / "summary.json",
        test_scenes=4,
        order=np.arange(len(SCENES)),
        bad_scenes="error",
    )
    assert caplog.messages == []
    assert summary["warnings"] == []
    assert summary["offset"] == {
        "setting": "auto",
        "scenes": {"0": len(SCENES)},
        "stated_by": {"nothing": len(SCENES)},
    }
