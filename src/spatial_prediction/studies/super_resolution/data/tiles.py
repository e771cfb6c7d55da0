"""Tiles cut from the arrays of scenes; every draw depends only on (seed, step)."""

import mmap
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from spatial_prediction.errors import ConfigurationError, SceneError


def open_scene_array(path: str | Path, *, smallest_size: int = 1) -> np.ndarray:
    """Map the array of scenes at ``path`` into memory, read-only.

    Returns:
        int16 DN of shape (scenes, rows, columns, 3).

    Raises:
        SceneError: the file is missing, is not such an array, or its scenes are smaller than
            ``smallest_size``.
    """
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise SceneError(f"{path}: not a readable array ({error}); run the rule build_arrays again") from None
    if array.ndim != 4 or array.shape[-1] != 3 or array.dtype != np.int16 or not array.shape[0]:
        raise SceneError(
            f"{path}: holds {array.dtype} of shape {array.shape}, expected int16 (scenes, rows, columns, 3); "
            "run the rule build_arrays again"
        )
    if min(array.shape[1:3]) < smallest_size:
        raise SceneError(
            f"{path}: scenes of {array.shape[1]} x {array.shape[2]} pixels cannot give tiles of "
            f"{smallest_size}; use larger scenes (dataset.scene_size) or a smaller training.low_res_size"
        )
    return array


def check_scenes(path: str | Path, count: int, scenes: Sequence[int]) -> None:
    """Raise ConfigurationError where the array at ``path``, of ``count`` scenes, lacks one of ``scenes``."""
    for scene in scenes:
        if not 0 <= scene < count:
            raise ConfigurationError(
                f"{path}: there is no scene {scene}, counted from 0; ask for one of 0 to {count - 1}"
            )


class RandomTiles:
    """Random tiles of random scenes.

    ``tiles[step]`` is the batch of training step ``step``: int16 (batch, size, size, 3). It depends
    only on ``seed`` and ``step``, so neither resuming nor reading ahead can change it. A batch takes no scene
    twice unless it is larger than the set of scenes; then the numbers of tiles per scene differ by at
    most one.
    """

    def __init__(self, scenes: np.ndarray, *, size: int, batch_size: int, seed: int) -> None:
        if batch_size < 1:
            raise ConfigurationError(f"batch_size is {batch_size}; it must be at least 1")
        self.scenes, self.size, self.batch_size, self.seed = scenes, size, batch_size, seed

    def draw(self, step: int) -> np.ndarray:
        """Return (scene, row, column) of each tile of the batch, int64 of shape (batch, 3)."""
        rng = np.random.default_rng([self.seed, step])
        count, height, width = self.scenes.shape[:3]
        rounds = -(-self.batch_size // count)
        scenes = np.concatenate([rng.permutation(count) for _ in range(rounds)])[: self.batch_size]
        rows = rng.integers(0, height - self.size + 1, self.batch_size)
        columns = rng.integers(0, width - self.size + 1, self.batch_size)
        return np.stack([scenes, rows, columns], axis=1)

    def __getitem__(self, step: int) -> np.ndarray:
        """Read the batch of ``step``; only the tiles are read, never whole scenes."""
        size = self.size
        tiles = np.stack([self.scenes[s, y : y + size, x : x + size] for s, y, x in self.draw(step)])
        forget_pages(self.scenes)
        return tiles


def corner_tiles(scene: np.ndarray, size: int) -> np.ndarray:
    """Cut the four corner tiles of a scene: (4, size, size, 3), top left, top right, bottom left, right."""
    return np.stack([scene[rows, columns] for rows in _ends(size) for columns in _ends(size)])


def centre_tiles(scenes: np.ndarray, size: int) -> np.ndarray:
    """Return the central tile of every scene, (scenes, size, size, 3): a view that reads nothing yet."""
    top, left = ((extent - size) // 2 for extent in scenes.shape[1:3])
    return scenes[:, top : top + size, left : left + size]


def forget_pages(scenes: np.ndarray) -> None:
    """Release the pages of a memory-mapped array, or of a view of one, from this process.

    Other arrays are left alone. The system caches the pages while it has room, but they no longer count as
    this process's memory, which would otherwise grow to the size of the file.
    """
    base = scenes.base
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap):
        base.madvise(mmap.MADV_DONTNEED)


def _ends(size: int) -> tuple[slice, slice]:
    return slice(None, size), slice(-size, None)
