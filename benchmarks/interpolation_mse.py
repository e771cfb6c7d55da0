"""Claim: networks of the default study beat common interpolations; shows what a linear filter could reach.

Measures bilinear, cubic and Lanczos interpolation, and the best linear filters of 3 x 3 to 7 x 7 input
pixels (least squares on training tiles), on the corner tiles of the test scenes: MSE in units of 1e-6, over
the whole output and inside a crop of 5.

  make study
  python benchmarks/interpolation_mse.py resources/arrays/{train,test}.npy
"""

import argparse
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from spatial_prediction.models import bilinear_upscaling
from spatial_prediction.padding import padding_from_name
from spatial_prediction.studies.super_resolution.config import UPSCALE_FACTOR as FACTOR
from spatial_prediction.studies.super_resolution.config import tile_size
from spatial_prediction.studies.super_resolution.data.tiles import RandomTiles, corner_tiles, open_scene_array
from spatial_prediction.studies.super_resolution.task import pair

SIDE, CROP = 48, 5


def arrays(tiles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Input and target, in [-1, 1]."""
    low_res, high_res = pair(tiles, FACTOR)
    return np.asarray(low_res), np.asarray(high_res)


def neighbourhoods(low_res: np.ndarray, radius: int) -> np.ndarray:
    """Neighbours of every pixel, replicated at the border: (tiles, side, side, bands, neighbours)."""
    padded = np.pad(low_res, ((0, 0), (radius, radius), (radius, radius), (0, 0)), mode="edge")
    reach, side = 2 * radius + 1, low_res.shape[1]
    return np.stack([padded[:, y : y + side, x : x + side] for y in range(reach) for x in range(reach)], -1)


def phases(high_res: np.ndarray) -> np.ndarray:
    """Output pixels by the input pixel that they lie in: (tiles, side, side, bands, 16)."""
    tiles, side = len(high_res), high_res.shape[1] // FACTOR
    split = high_res.reshape(tiles, side, FACTOR, side, FACTOR, 3)
    return split.transpose(0, 1, 3, 5, 2, 4).reshape(tiles, side, side, 3, FACTOR**2)


def image(phases: np.ndarray) -> np.ndarray:
    """The reverse of :func:`phases`."""
    tiles, side = phases.shape[:2]
    split = phases.reshape(tiles, side, side, 3, FACTOR, FACTOR)
    return split.transpose(0, 1, 4, 2, 5, 3).reshape(tiles, side * FACTOR, side * FACTOR, 3)


def best_filter(pairs: list[tuple[np.ndarray, np.ndarray]], radius: int) -> np.ndarray:
    """Least-squares weights (neighbours, 16)."""
    taps = (2 * radius + 1) ** 2
    gram, moments = 1e-6 * np.eye(taps), np.zeros((taps, FACTOR**2))
    for low_res, high_res in pairs:
        known = neighbourhoods(low_res, radius).reshape(-1, taps).astype(np.float64)
        gram += known.T @ known
        moments += known.T @ phases(high_res).reshape(-1, FACTOR**2)
    return np.linalg.solve(gram, moments)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("train", type=Path)
    parser.add_argument("test", type=Path)
    options = parser.parse_args()
    size = tile_size(SIDE, FACTOR)
    train, test = (open_scene_array(path, smallest_size=size) for path in (options.train, options.test))
    tiles = RandomTiles(train, size=size, batch_size=16, seed=0)
    pairs = [arrays(tiles[step]) for step in range(6)]
    corners = np.concatenate([corner_tiles(scene, size) for scene in test])
    low_res, high_res = arrays(corners)

    extended = padding_from_name("repl", 1).extend(jnp.asarray(low_res))
    predictions = {"bilinear": np.asarray(bilinear_upscaling(extended, FACTOR))}
    for method in ("cubic", "lanczos3"):
        predictions[method] = np.asarray(jax.image.resize(low_res, high_res.shape, method))
    for radius in (1, 2, 3):
        reach = 2 * radius + 1
        filtered = neighbourhoods(low_res, radius) @ best_filter(pairs, radius)
        predictions[f"best linear filter, {reach} x {reach}"] = image(filtered)
    margin = CROP * FACTOR
    for name, prediction in predictions.items():
        squares = 1e6 * (prediction - high_res) ** 2
        inside = squares[:, margin:-margin, margin:-margin]
        print(f"  {name:26} {squares.mean():5.0f} {inside.mean():5.0f}")


if __name__ == "__main__":
    main()
