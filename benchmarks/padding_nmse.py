r"""Claim: how well each padding predicts the ring of pixels around a known map, on scenes and feature maps.

Tiles of every scene go through trained networks without padding. Of the input and of each feature map,
48 x 48 pixels are shown to each padding, and its ring of one pixel is compared with what stands there. NMSE:
squared errors over the ring's variance about its own mean, each summed over tiles, channels and pixels.
Intervals are 95 % bootstrap intervals over scenes, those of differences paired by scene. `lp2x3_running`
takes its statistics from the other half of the scenes; `lp2x3_batch` from batches of one tile of each scene.

  make study CONFIG=config/sentinel2_scenes.yaml
  python benchmarks/padding_nmse.py resources/sentinel2_scenes/arrays/{train,test}.npy \
      --models results/sentinel2_scenes/models/{repl,lp2x3}/seed_0.safetensors
"""

import argparse
import itertools
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from spatial_prediction.models import merge_branches, network_and_header
from spatial_prediction.padding import PADDING_NAMES, RunningPrediction, padding_from_name
from spatial_prediction.progress import progress
from spatial_prediction.studies.super_resolution.config import LARGEST_OUTPUT_CROP, UPSCALE_FACTOR, tile_size
from spatial_prediction.studies.super_resolution.data.tiles import open_scene_array
from spatial_prediction.studies.super_resolution.task import pair

KNOWN = 48
RUNNING = "lp2x3_running"
PADDINGS = [*PADDING_NAMES, "lp4x5c", "lp2x3_band4", "lp2x3_decay4", "lp1x1_across", RUNNING]
MAPS = {"input": [0], "feature maps": range(1, 10), "feature map 1": [1], "feature map 9": [9]}
BASELINE = "lp2x3"


def batches(paths: list[Path], tiles_per_side: int) -> np.ndarray:
    """Tiles of all scenes on a grid, int16 (tiles of a scene, scenes, size, size, 3)."""
    size = tile_size(KNOWN + 2 + 2 * LARGEST_OUTPUT_CROP, UPSCALE_FACTOR)
    tiles = []
    for path in paths:
        scenes = open_scene_array(path, smallest_size=size)
        starts = np.linspace(0, scenes.shape[1] - size, tiles_per_side).astype(int)
        places = list(itertools.product(starts, starts))
        tiles.append(np.stack([scenes[:, y : y + size, x : x + size] for y, x in places]))
    return np.concatenate(tiles, axis=1)


def targets(model: eqx.Module, tiles: jax.Array) -> list[jax.Array]:
    """The central 50 x 50 pixels of the input and of each feature map."""
    low_res, _ = pair(tiles, UPSCALE_FACTOR)
    maps = [low_res, *model.with_features(low_res)[1]]
    margins = [(each.shape[1] - KNOWN - 2) // 2 for each in maps]
    return [m[:, c : c + KNOWN + 2, c : c + KNOWN + 2] for m, c in zip(maps, margins, strict=True)]


def ring_errors(model_path: Path, tiles: np.ndarray) -> pd.DataFrame:
    """Squared error and variance of every padding, scene and map."""
    model, header = network_and_header(model_path, output_crop=LARGEST_OUTPUT_CROP)
    merged = merge_branches(model)
    ring = np.nonzero(np.pad(np.zeros((KNOWN, KNOWN), bool), 1, constant_values=True))
    of_maps = eqx.filter_jit(targets)

    @eqx.filter_jit
    def measured(padding, target):
        actual = target[:, *ring]
        predicted = padding.extend(target[:, 1:-1, 1:-1])[:, *ring]
        variance = jnp.sum((actual - actual.mean(axis=1, keepdims=True)) ** 2, axis=(1, 2))
        return jnp.sum((predicted - actual) ** 2, axis=(1, 2)), variance

    remember = eqx.filter_jit(lambda memory, x: memory.remember(x))
    halves = [np.arange(tiles.shape[1]) % 2 == half for half in (0, 1)]
    prepared = [of_maps(merged, jnp.asarray(batch)) for batch in tiles]
    rows = []
    for index in range(len(prepared[0])):
        memories = []
        for half in halves:  # what is remembered of the other scenes
            channels = prepared[0][index].shape[-1]
            memory = RunningPrediction.initialised(1, 2, 3, channels=channels, decay=1.0)
            for target in prepared:
                memory = remember(memory, target[index][~half, 1:-1, 1:-1])
            memories.append(memory)
        for name in progress(PADDINGS, total=len(PADDINGS), description=f"map {index}", unit="paddings"):
            for target in prepared:
                if name == RUNNING:
                    error, variance = np.zeros((2, tiles.shape[1]))
                    for half, memory in zip(halves, memories, strict=True):
                        error[half], variance[half] = measured(memory, target[index][half])
                else:
                    error, variance = measured(padding_from_name(name, 1), target[index])
                rows.append(
                    pd.DataFrame(
                        {
                            "model": f"{header['preset']} seed {header['seed']}",
                            "padding": name,
                            "map": index,
                            "scene": np.arange(tiles.shape[1]),
                            "error": np.asarray(error, np.float64),
                            "variance": np.asarray(variance, np.float64),
                        }
                    )
                )
    return pd.concat(rows).groupby(["model", "padding", "map", "scene"], as_index=False).sum()


def summary(errors: pd.DataFrame, maps: list[int], *, resamples: int = 2000) -> pd.DataFrame:
    """NMSE and its difference from the baseline in percent, with intervals, of every padding."""
    chosen = errors[errors["map"].isin(maps)]
    by_scene = chosen.groupby(["padding", "model", "map", "scene"])[["error", "variance"]].sum()
    ratio = by_scene["error"].unstack("scene"), by_scene["variance"].unstack("scene")
    rng = np.random.default_rng(0)
    draws = rng.integers(ratio[0].shape[1], size=(resamples, ratio[0].shape[1]))
    draws = np.concatenate([np.arange(ratio[0].shape[1])[None], draws])  # the scenes as they are come first

    def nmse(padding: str) -> np.ndarray:
        """Mean over models and maps of the NMSE, for each draw of scenes."""
        error, variance = (each.loc[padding].to_numpy()[:, draws].sum(axis=-1) for each in ratio)
        return (error / variance).mean(axis=0)

    baseline = nmse(BASELINE)
    table = {}
    for padding in PADDINGS:
        values = nmse(padding)
        table[padding] = {
            "NMSE": with_interval(values, ".4f"),
            f"% from {BASELINE}": with_interval(100 * (values / baseline - 1), "+.1f"),
        }
    return pd.DataFrame(table).T


def with_interval(values: np.ndarray, form: str) -> str:
    """The first value, and the interval of the others."""
    low, high = np.quantile(values[1:], (0.025, 0.975))
    return f"{values[0]:{form}} ({low:{form}} to {high:{form}})"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("arrays", type=Path, nargs="+", help="arrays of scenes")
    parser.add_argument("--models", type=Path, nargs="+", required=True, help="trained networks")
    parser.add_argument("--tiles-per-side", type=int, default=2, help="tiles of a scene by rows and columns")
    options = parser.parse_args()
    tiles = batches(options.arrays, options.tiles_per_side)
    print(f"{tiles.shape[1]} scenes, {tiles.shape[0]} tiles of each")
    errors = pd.concat([ring_errors(path, tiles) for path in options.models])
    for title, maps in MAPS.items():
        print(f"\n{title}\n{summary(errors, list(maps)).to_markdown()}", flush=True)


if __name__ == "__main__":
    main()
