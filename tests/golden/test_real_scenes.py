from pathlib import Path

import numpy as np
import pytest

from spatial_prediction.data import list_scenes, read_scene

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
