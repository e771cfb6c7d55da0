"""How a cube becomes images for codecs of images, and an image becomes a cube again.

- ``bands``: each band is an image.
- ``differences``: the first band, and of each other band what it differs by from the band before, modulo
  2^16 and around 2^15, so that small differences of either sign stand side by side.
- ``pixels``: one image, whose rows are the pixels and whose columns are the bands.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt16

Image = UInt16[np.ndarray, "height width"]
MIDDLE = np.uint16(1 << 15)


class Arrangement(NamedTuple):
    """From a cube (rows, columns, bands) to images, from these and its shape back, and the images' sizes."""

    images: Callable[[UInt16[np.ndarray, "rows columns bands"]], list[Image]]
    cube: Callable[[Sequence[Image], tuple[int, int, int]], UInt16[np.ndarray, "rows columns bands"]]
    sizes: Callable[[tuple[int, int, int]], list[tuple[int, int]]]


def _bands(cube: np.ndarray) -> list[np.ndarray]:
    return list(np.ascontiguousarray(np.moveaxis(cube, 2, 0)))


def _from_bands(images: Sequence[np.ndarray], shape: tuple[int, int, int]) -> np.ndarray:
    return np.stack([image.reshape(shape[:2]) for image in images], axis=2)


def _differences(cube: np.ndarray) -> list[np.ndarray]:
    differences = np.diff(cube, axis=2) + MIDDLE  # both wrap
    return _bands(np.concatenate([cube[:, :, :1], differences], axis=2))


def _from_differences(images: Sequence[np.ndarray], shape: tuple[int, int, int]) -> np.ndarray:
    stored = _from_bands(images, shape)
    stored[:, :, 1:] -= MIDDLE
    return np.cumsum(stored, axis=2, dtype=np.uint16)


def _sizes_of_bands(shape: tuple[int, int, int]) -> list[tuple[int, int]]:
    return [shape[:2]] * shape[2]


def _pixels(cube: np.ndarray) -> list[np.ndarray]:
    return [np.ascontiguousarray(cube).reshape(-1, cube.shape[2])]


def _from_pixels(images: Sequence[np.ndarray], shape: tuple[int, int, int]) -> np.ndarray:
    return images[0].reshape(shape)


def _size_of_pixels(shape: tuple[int, int, int]) -> list[tuple[int, int]]:
    return [(shape[0] * shape[1], shape[2])]


BY_NAME = {
    "bands": Arrangement(_bands, _from_bands, _sizes_of_bands),
    "differences": Arrangement(_differences, _from_differences, _sizes_of_bands),
    "pixels": Arrangement(_pixels, _from_pixels, _size_of_pixels),
}
"""All of them by name."""
