"""Tiles are drawn reproducibly, evenly and from the whole scene."""

import subprocess
import sys

import numpy as np
import pytest

from spatial_prediction.errors import ConfigurationError, SceneError
from spatial_prediction.studies.super_resolution.data.tiles import (
    RandomTiles,
    centre_tiles,
    corner_tiles,
    open_scene_array,
)


def numbered_scenes(count, height, width):
    """Scenes in which every pixel tells where it is."""
    scene, row, column = np.indices((count, height, width), np.int16)
    return np.stack([scene, row, column], axis=-1)


def test_a_batch_is_cut_where_the_draw_says():
    tiles = RandomTiles(numbered_scenes(5, 20, 30), size=4, batch_size=3, seed=1)
    batch = tiles[7]
    assert (batch.shape, batch.dtype) == ((3, 4, 4, 3), np.int16)
    assert batch[:, 0, 0].tolist() == tiles.draw(7).tolist()
    assert (batch[:, -1, -1] - batch[:, 0, 0]).tolist() == [[0, 3, 3]] * 3


def test_a_draw_depends_on_seed_and_step_alone():
    scenes = numbered_scenes(5, 20, 30)
    tiles = RandomTiles(scenes, size=4, batch_size=3, seed=1)
    in_order = [tiles.draw(step).tolist() for step in range(10)]
    again = RandomTiles(scenes, size=4, batch_size=3, seed=1)
    assert [again.draw(step).tolist() for step in reversed(range(10))] == in_order[::-1]
    assert len({str(draw) for draw in in_order}) == 10
    other = RandomTiles(scenes, size=4, batch_size=3, seed=2)
    assert all(other.draw(step).tolist() != draw for step, draw in enumerate(in_order))


def test_seed_and_step_cannot_be_exchanged():
    scenes = numbered_scenes(50, 20, 30)
    one, two = (RandomTiles(scenes, size=4, batch_size=8, seed=seed) for seed in (1, 2))
    assert one.draw(2).tolist() != two.draw(1).tolist()


@pytest.mark.parametrize("batch_size", [1, 6, 7])
def test_no_scene_comes_twice_in_a_batch_that_has_enough_of_them(batch_size):
    tiles = RandomTiles(numbered_scenes(7, 5, 5), size=4, batch_size=batch_size, seed=0)
    for step in range(50):
        assert len(set(tiles.draw(step)[:, 0])) == batch_size


@pytest.mark.parametrize("batch_size", [8, 14, 16])
def test_a_batch_larger_than_the_set_takes_every_scene_equally_often(batch_size):
    tiles = RandomTiles(numbered_scenes(7, 5, 5), size=4, batch_size=batch_size, seed=0)
    for step in range(20):
        counts = np.bincount(tiles.draw(step)[:, 0], minlength=7)
        assert counts.sum() == batch_size
        assert counts.max() - counts.min() <= 1


def test_every_scene_and_offset_is_reached_up_to_the_far_edge():
    tiles = RandomTiles(numbered_scenes(3, 6, 9), size=4, batch_size=2, seed=0)
    scenes, rows, columns = np.concatenate([tiles.draw(step) for step in range(400)]).T
    assert set(scenes) == {0, 1, 2}
    assert set(rows) == {0, 1, 2}
    assert set(columns) == {0, 1, 2, 3, 4, 5}
    np.testing.assert_allclose(np.bincount(columns) / 800, 1 / 6, atol=0.06)  # over 4 standard errors


def test_a_tile_may_be_as_large_as_the_scene():
    scenes = numbered_scenes(2, 4, 4)
    batch = RandomTiles(scenes, size=4, batch_size=2, seed=0)[0]
    np.testing.assert_array_equal(batch[np.argsort(batch[:, 0, 0, 0])], scenes)


def test_an_empty_batch_is_refused():
    with pytest.raises(ConfigurationError, match="batch_size is 0; it must be at least 1"):
        RandomTiles(numbered_scenes(2, 4, 4), size=4, batch_size=0, seed=0)


def test_corner_tiles_touch_the_corners():
    tiles = corner_tiles(numbered_scenes(1, 10, 12)[0], 3)
    assert tiles.shape == (4, 3, 3, 3)
    assert tiles[:, 0, 0, 1:].tolist() == [[0, 0], [0, 9], [7, 0], [7, 9]]
    assert tiles[:, -1, -1, 1:].tolist() == [[2, 2], [2, 11], [9, 2], [9, 11]]


def test_centre_tiles_are_central_and_of_every_scene():
    tiles = centre_tiles(numbered_scenes(2, 10, 13), 4)
    assert tiles.shape == (2, 4, 4, 3)
    # an odd margin is one pixel smaller before than behind
    assert tiles[:, 0, 0].tolist() == [[0, 3, 4], [1, 3, 4]]


def test_an_array_of_scenes_is_mapped_and_not_read(tmp_path):
    np.save(tmp_path / "scenes.npy", numbered_scenes(2, 5, 6))
    scenes = open_scene_array(tmp_path / "scenes.npy", smallest_size=5)
    assert isinstance(scenes, np.memmap)
    assert not scenes.flags.writeable
    np.testing.assert_array_equal(scenes, numbered_scenes(2, 5, 6))


SPARSE = """
import pathlib, re, sys
import numpy as np
from spatial_prediction.studies.super_resolution.data.tiles import RandomTiles, centre_tiles
from spatial_prediction.studies.super_resolution.data.tiles import forget_pages, open_scene_array
with open(sys.argv[1], "wb") as file:
    header = {"descr": "<i2", "fortran_order": False, "shape": (9000, 512, 512, 3)}
    np.lib.format.write_array_header_1_0(file, header)
    file.truncate(file.tell() + 9000 * 512 * 512 * 3 * 2)
scenes = open_scene_array(sys.argv[1])
if sys.argv[2] == "drawn":
    tiles = RandomTiles(scenes, size=200, batch_size=64, seed=0)
    for step in range(20):
        tiles[step]
else:
    tiles = centre_tiles(scenes, 200)
    for first in range(0, 1280, 64):
        tiles[np.arange(first, first + 64)]
        forget_pages(tiles)
print(re.search(r"VmHWM:\\s+(\\d+) kB", pathlib.Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("kind", ["drawn", "central"])
def test_tiles_of_ten_thousand_scenes_take_little_memory(tmp_path, kind):
    result = subprocess.run(
        [sys.executable, "-c", SPARSE, str(tmp_path / "train.npy"), kind],
        capture_output=True,
        text=True,
        check=True,
    )
    # interpreter, libraries, one batch and the pages under it; the pages of all batches are at least 780 MB
    assert int(result.stdout) < 400_000  # KiB


def test_tiles_are_the_same_after_their_pages_were_given_back(tmp_path):
    scenes = numbered_scenes(5, 20, 30)
    np.save(tmp_path / "scenes.npy", scenes)
    mapped = RandomTiles(open_scene_array(tmp_path / "scenes.npy"), size=4, batch_size=3, seed=1)
    for step in (3, 4, 3):
        in_memory = RandomTiles(scenes, size=4, batch_size=3, seed=1)
        np.testing.assert_array_equal(mapped[step], in_memory[step])


def test_a_missing_array_is_named(tmp_path):
    with pytest.raises(
        SceneError, match=r"absent.npy: not a readable array .*run the rule build_arrays again"
    ):
        open_scene_array(tmp_path / "absent.npy")


@pytest.mark.parametrize("content", [b"", b"no array at all", b"\x93NUMPY\x01\x00v\x00{'descr': '<i2'"])
def test_a_file_that_is_no_array_is_named(tmp_path, content):
    (tmp_path / "scenes.npy").write_bytes(content)
    with pytest.raises(SceneError, match=r"scenes.npy: not a readable array"):
        open_scene_array(tmp_path / "scenes.npy")


def test_an_array_that_was_cut_off_is_named(tmp_path):
    path = tmp_path / "scenes.npy"
    np.save(path, numbered_scenes(2, 5, 6))
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(SceneError, match=r"scenes.npy: not a readable array"):
        open_scene_array(path)


@pytest.mark.parametrize(
    ("array", "found"),
    [
        (np.zeros((2, 5, 6, 3), np.float32), r"float32 of shape \(2, 5, 6, 3\)"),
        (np.zeros((2, 5, 6), np.int16), r"int16 of shape \(2, 5, 6\)"),
        (np.zeros((2, 3, 5, 6), np.int16), r"int16 of shape \(2, 3, 5, 6\)"),
    ],
)
def test_an_array_of_something_else_is_described(tmp_path, array, found):
    np.save(tmp_path / "scenes.npy", array)
    with pytest.raises(SceneError, match=rf"holds {found}, expected int16 \(scenes, rows, columns, 3\)"):
        open_scene_array(tmp_path / "scenes.npy")


@pytest.mark.parametrize(("height", "width"), [(5, 9), (9, 5)])
def test_scenes_too_small_for_a_tile_are_refused_with_what_to_change(tmp_path, height, width):
    np.save(tmp_path / "scenes.npy", numbered_scenes(2, height, width))
    message = rf"scenes of {height} x {width} pixels cannot give tiles of 6; .*dataset.scene_size"
    with pytest.raises(SceneError, match=message):
        open_scene_array(tmp_path / "scenes.npy", smallest_size=6)
