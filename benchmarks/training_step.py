"""Claim: training takes many times as many steps a second as the published way of computing does.

Trains each preset both ways, on the same scenes with the same draws from the same weights, from the drawing
of tiles to the loss on the host. The ways take turns, round by round, in one run. The first losses are
compared, so that both compute the same thing. The share of the machine's peak counts the arithmetic of the
merged network, three times a forward pass, against a large matrix product in the same run. Processor time is
compared as well: on a busy machine it is the steadier of the two.

  python benchmarks/training_step.py
  python benchmarks/training_step.py --presets zero-repl --batches 16
"""

import argparse
import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import plain_training

from spatial_prediction import native
from spatial_prediction.config import ModelSettings, Preset, TrainingSettings
from spatial_prediction.data.degradation import tile_size
from spatial_prediction.data.tiles import RandomTiles, open_scene_array
from spatial_prediction.experiments.super_resolution import network, training_loss
from spatial_prediction.presets import PRESETS
from spatial_prediction.training import ReadAhead, make_update, optimizer

SIZE = tile_size(48, 4)
GOAL = {"zero-repl": 20}
OTHER_GOAL = 15


class Ours:
    """Steps as a study takes them: losses are fetched once for all steps of a round."""

    def __init__(self, preset: Preset, tiles: RandomTiles) -> None:
        model = network(preset, ModelSettings(), seed=0)
        parameters, static = eqx.partition(model, eqx.is_array)
        optimise = optimizer(TrainingSettings())
        self.state = (jax.tree.map(jnp.array, parameters), optimise.init(parameters))
        self.update = make_update(training_loss(static), optimise)
        self.tiles, self.step = ReadAhead(tiles, ThreadPoolExecutor(1)), 0

    def train(self, steps: int) -> list[float]:
        """Take some steps; return their losses."""
        measures = []
        for step in range(self.step, self.step + steps):
            *self.state, measured = self.update(*self.state, self.tiles[step])
            measures.append(measured)
        self.step += steps
        return np.asarray(jnp.stack(measures))[:, 0].tolist()


class Plain:
    """Steps as published."""

    def __init__(self, preset: Preset, tiles: RandomTiles) -> None:
        named = network(preset, ModelSettings(), seed=0).to_named_arrays()
        optimise = optimizer(TrainingSettings())
        weights = {name: jnp.asarray(array) for name, array in named.items()}
        self.state = (weights, optimise.init(weights))
        self.update = plain_training.make_step(preset, optimise)
        self.tiles, self.step = tiles, 0
        self.scenes = np.asarray(tiles.scenes.transpose(0, 3, 1, 2) / 5000 - 1, np.float32)

    def train(self, steps: int) -> list[float]:
        """Take some steps; return their losses."""
        losses = []
        for step in range(self.step, self.step + steps):
            tiles = plain_training.crops(self.scenes, self.tiles.draw(step), SIZE)
            *self.state, loss = self.update(*self.state, tiles)
            losses.append(float(loss))
        self.step += steps
        return losses


def seconds_a_step(way: Ours | Plain, steps: int) -> np.ndarray:
    """Wall-clock and processor seconds."""
    started = np.array([time.perf_counter(), time.process_time()])
    way.train(steps)
    return (np.array([time.perf_counter(), time.process_time()]) - started) / steps


def operations(batch: int) -> int:
    """Floating-point operations of one step on the merged network with 16 channels and 8 blocks."""
    a_pixel = 3 * 9 * 16 + 8 * (16 * 9 * 16 + 2 * 16 * 32) + 16 * 9 * 16 + 16 * 48
    return 3 * 2 * a_pixel * 48 * 48 * batch


def measured_peak() -> float:
    """Operations a second of the best of some products of 2048 x 2048 matrices."""
    a = jnp.ones((2048, 2048))
    product = jax.jit(lambda a: a @ a)
    jax.block_until_ready(product(a))
    best = min(_seconds(lambda: jax.block_until_ready(product(a))) for _ in range(10))
    return 2 * 2048**3 / best


def _seconds(run) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def compare(name: str, batch: int, scenes: np.ndarray, options: argparse.Namespace) -> None:
    preset = PRESETS[name]
    tiles = RandomTiles(scenes, size=SIZE, batch_size=batch, seed=0)
    ours = Ours(preset, tiles)
    first = ours.train(3)
    os.environ[native.DISABLING_VARIABLE] = "0"  # while it is compiled: the plain way has no kernels
    plain = Plain(preset, tiles)
    plain_first = plain.train(3)
    del os.environ[native.DISABLING_VARIABLE]
    difference = max(abs(a / b - 1) for a, b in zip(first, plain_first, strict=True))
    times, plain_times = [], []
    for _ in range(options.rounds):
        before = seconds_a_step(ours, options.steps)
        plain_times.append(seconds_a_step(plain, 1))
        times.append((before + seconds_a_step(ours, options.steps)) / 2)
    ratios, processor = (np.array(plain_times) / np.array(times)).T
    seconds, plain_seconds = np.median(times, axis=0)[0], np.median(plain_times, axis=0)[0]
    share = operations(batch) / seconds / measured_peak()
    print(
        f"  {name:10} {np.median(ratios):5.1f} ({ratios.min():.1f} to {ratios.max():.1f})  goal "
        f"{GOAL.get(name, OTHER_GOAL)}  processor time {np.median(processor):.1f}  "
        f"{1 / seconds:.2f} against {1 / plain_seconds:.3f} steps/s  {share:.0%} of peak  waited for data "
        f"{ours.tiles.waited_seconds / ours.step / seconds:.1%}  losses differ by {difference:.0e}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--presets", nargs="+", default=["zero-repl", "lp1x1cs", "lp2x3", "lp6x7"])
    parser.add_argument("--batches", nargs="+", type=int, default=[16, 64])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--steps", type=int, default=25, help="our steps before and after each plain one, between waits"
    )
    options = parser.parse_args()

    print(f"device {jax.devices()[0].device_kind}, compiled kernels: {native.available()}")
    rough = np.random.default_rng(0).standard_normal((64, 512, 512, 3)).cumsum(1).cumsum(2)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.npy"
        np.save(path, (3000 + 2500 * rough / np.abs(rough).max()).astype(np.int16))
        scenes = open_scene_array(path, smallest_size=SIZE)
        for batch in options.batches:
            print(f"\nbatch {batch}: times as many steps a second, median and range over rounds", flush=True)
            for name in options.presets:
                compare(name, batch, scenes, options)


if __name__ == "__main__":
    main()
