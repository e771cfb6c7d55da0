"""Tiles cut on the device are those that the host cuts."""

import numpy as np
from tests.unit.studies.super_resolution.data.test_tiles import numbered_scenes

from spatial_prediction.studies.super_resolution.data import resident
from spatial_prediction.studies.super_resolution.data.resident import ResidentTiles, fits_on_device, on_device
from spatial_prediction.studies.super_resolution.data.tiles import RandomTiles


def test_tiles_cut_on_the_device_are_those_cut_on_the_host():
    tiles = RandomTiles(numbered_scenes(7, 20, 30), size=6, batch_size=4, seed=3)
    cut = ResidentTiles(tiles, on_device(tiles.scenes))
    for step in range(5):
        np.testing.assert_array_equal(cut[step], tiles[step])
        np.testing.assert_array_equal(cut.draw(step), tiles.draw(step))
    assert cut[0].dtype == np.int16


def test_scenes_are_copied_whole_block_by_block(monkeypatch):
    monkeypatch.setattr(resident, "_SCENES_A_COPY", 3)
    scenes = numbered_scenes(7, 4, 5)
    np.testing.assert_array_equal(on_device(scenes), scenes)


def test_a_cpu_keeps_scenes_where_they_are():
    assert not fits_on_device(numbered_scenes(2, 4, 5))
