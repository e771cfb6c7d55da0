"""Claim: evaluating all seeds and crops in one pass is many times faster than network by network.

Measures test errors of several networks of one preset on the same corner tiles: by the stage of the study,
and by a plain loop that compiles each network separately, unmerged, one example at a time under ``jax.vmap``.
The plain loop also measures all output crops from one prediction, which favours it over one crop at a time.
Compilation counts, because an evaluation pays for it; the rate without it is shown as well.

  python benchmarks/evaluation.py
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import plain_training

from spatial_prediction.models import RVSR, merge_branches
from spatial_prediction.padding import padding_from_name
from spatial_prediction.reflectance import DN_PER_REFLECTANCE
from spatial_prediction.studies.super_resolution.config import (
    LARGEST_OUTPUT_CROP,
    UPSCALE_FACTOR,
    ModelSettings,
)
from spatial_prediction.studies.super_resolution.presets import PRESETS
from spatial_prediction.studies.super_resolution.stages.evaluation import CornerTiles, corner_errors
from spatial_prediction.studies.super_resolution.task import network


def ours(models: list[RVSR], tiles: CornerTiles) -> np.ndarray:
    parts = [eqx.partition(merge_branches(model), eqx.is_array) for model in models]
    static = parts[0][1]

    def predict(parameters: RVSR, low_res: jax.Array) -> jax.Array:
        return eqx.combine(parameters, static).apply(low_res)

    return corner_errors(predict, [parameters for parameters, _ in parts], UPSCALE_FACTOR, tiles)[0]


def plain(models: list[RVSR], tiles: CornerTiles, preset: str) -> np.ndarray:
    names = (PRESETS[preset].padding, PRESETS[preset].upscale_padding)
    paddings = [padding_from_name(name, 1) for name in names]
    return np.stack([plain_errors(model.to_named_arrays(), tiles, paddings) for model in models])


def plain_errors(weights: dict, tiles: CornerTiles, paddings: list) -> np.ndarray:
    f, crops = UPSCALE_FACTOR, range(LARGEST_OUTPUT_CROP + 1)

    def example(tile: jax.Array) -> jax.Array:
        scaled = tile / (DN_PER_REFLECTANCE / 2) - 1
        low_res = jax.image.resize(scaled, (3, 50, 50), "bilinear", antialias=True)[:, 1:-1, 1:-1]
        squares = (plain_training.predicted(low_res, weights, *paddings) - scaled[:, f:-f, f:-f]) ** 2
        return jnp.stack([jnp.sum(squares[:, f * c : 192 - f * c, f * c : 192 - f * c]) for c in crops])

    batched = jax.jit(jax.vmap(example))
    channels_first = (np.moveaxis(batch, -1, 1).astype(np.float32) for batch in tiles.batches(f))
    sums = np.concatenate([np.asarray(batched(batch), np.float64) for batch in channels_first])
    return sums.reshape(-1, 4, len(crops)).sum(axis=1)


def timed(run: Callable[[CornerTiles], np.ndarray], few: CornerTiles, many: CornerTiles) -> tuple:
    """Return the errors of many scenes, seconds with compilation, and what more scenes take than few."""
    run(few)  # what happens only once per process
    started = time.perf_counter()
    run(few)
    between = time.perf_counter()
    errors = run(many)
    ended = time.perf_counter()
    return errors, ended - between, (ended - between) - (between - started)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--presets", nargs="+", default=["zero-repl", "lp2x3"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--scenes", type=int, default=72)
    parser.add_argument("--batch", type=int, default=16)
    options = parser.parse_args()
    rough = np.random.default_rng(0).standard_normal((options.scenes, 512, 512, 3)).cumsum(1).cumsum(2)
    with tempfile.TemporaryDirectory() as folder:
        every = 3000 + 2500 * rough / np.abs(rough).max()
        np.save(Path(folder) / "many.npy", every.astype(np.int16))
        np.save(Path(folder) / "few.npy", every[: options.batch // 4].astype(np.int16))
        few, many = (
            CornerTiles(Path(folder) / f"{name}.npy", Path(folder), 48, options.batch)
            for name in ("few", "many")
        )
        for name in options.presets:
            models = [network(PRESETS[name], ModelSettings(), seed=seed) for seed in range(options.seeds)]
            errors, whole, rest = timed(lambda tiles, m=models: ours(m, tiles), few, many)
            expected, plain_whole, plain_rest = timed(
                lambda tiles, m=models, n=name: plain(m, tiles, n), few, many
            )
            images = options.seeds * 4 * options.scenes
            counted = images - options.seeds * options.batch
            print(
                f"{name}: {images / whole:.1f} against {images / plain_whole:.1f} images/s with compilation "
                f"({plain_whole / whole:.1f} times), {counted / rest:.1f} against {counted / plain_rest:.1f} "
                f"without ({plain_rest / rest:.1f} times); errors differ by "
                f"{np.abs(errors / expected - 1).max():.0e}",
                flush=True,
            )


if __name__ == "__main__":
    main()
