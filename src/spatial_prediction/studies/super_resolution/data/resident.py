"""Scenes that are kept on the accelerator as a whole, and tiles cut there; runs on the device."""

import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int16

from spatial_prediction.studies.super_resolution.data.tiles import RandomTiles, forget_pages

_SCENES_A_COPY = 64
"""Scenes copied at a time, so that the host holds 100 MB of 512 x 512 scenes and not all of them."""


class ResidentTiles:
    """The tiles of ``tiles``, cut on the device from ``scenes``, a copy of its scenes."""

    def __init__(self, tiles: RandomTiles, scenes: Int16[Array, "scenes rows columns 3"]) -> None:
        self.tiles, self.scenes = tiles, scenes

    def draw(self, step: int) -> np.ndarray:
        """Return (scene, row, column) of each tile of the batch, int64 of shape (batch, 3)."""
        return self.tiles.draw(step)

    def __getitem__(self, step: int) -> Array:
        """Cut the batch of ``step``: int16 (batch, size, size, 3)."""
        return _cut(self.scenes, self.draw(step).astype(np.int32), self.tiles.size)


def on_device(scenes: np.ndarray) -> Array:
    """Copy an array of scenes to the device, block by block."""
    copy = jnp.zeros(scenes.shape, scenes.dtype)
    for first in range(0, len(scenes), _SCENES_A_COPY):
        copy = _with_block(copy, np.asarray(scenes[first : first + _SCENES_A_COPY]), first)
        forget_pages(scenes)
    return copy


def fits_on_device(scenes: np.ndarray) -> bool:
    """Return whether an accelerator is in use and the scenes would take at most half of its free memory."""
    device = jax.devices()[0]
    memory = device.memory_stats() if device.platform != "cpu" else None
    return memory is not None and 2 * scenes.nbytes <= memory["bytes_limit"] - memory["bytes_in_use"]


def where_fastest(tiles: Sequence[RandomTiles], scenes: np.ndarray) -> list[Any]:
    """Return the batches of ``tiles``, of ``scenes``, cut on the device if it has room for all scenes."""
    if not fits_on_device(scenes):
        return list(tiles)
    resident = on_device(scenes)
    return [ResidentTiles(each, resident) for each in tiles]


@functools.partial(jax.jit, static_argnums=2)
def _cut(scenes: Array, draw: Array, size: int) -> Array:
    def tile(origin: Array) -> Array:
        return jax.lax.dynamic_slice(scenes, (*origin, jnp.int32(0)), (1, size, size, scenes.shape[-1]))[0]

    return jax.vmap(tile)(draw)


@functools.partial(jax.jit, donate_argnums=0)
def _with_block(scenes: Array, block: Array, first: Array) -> Array:
    return jax.lax.dynamic_update_slice_in_dim(scenes, block, first, axis=0)
