"""Claim: training takes many times as many steps per second as the published implementation.

Trains each preset with both, on the same scenes with the same tiles from the same weights, from the drawing
of tiles to the loss on the host. Each has its own process: ours with the environment of a study's
jobs, the published one without it, or with the same (--plain-environment job). They take turns,
round by round. The first losses are compared, to check that both compute the same. The share of the machine's
peak counts the arithmetic of the merged network, three times a forward pass, against a large matrix product.
CPU time is compared as well.

  python benchmarks/training_step.py
  python benchmarks/training_step.py --presets zero-repl --batches 16
"""

import argparse
import multiprocessing
import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from unittest import mock

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import plain_training
from against_pytorch import OPERATIONS, measured_peak

from spatial_prediction import native
from spatial_prediction.command import JOB_ENVIRONMENT
from spatial_prediction.reflectance import DN_PER_REFLECTANCE
from spatial_prediction.studies.super_resolution.config import (
    UPSCALE_FACTOR,
    ModelSettings,
    Preset,
    tile_size,
)
from spatial_prediction.studies.super_resolution.data.resident import where_fastest
from spatial_prediction.studies.super_resolution.data.tiles import RandomTiles, open_scene_array
from spatial_prediction.studies.super_resolution.losses import training_loss
from spatial_prediction.studies.super_resolution.presets import PRESETS
from spatial_prediction.studies.super_resolution.task import network
from spatial_prediction.training import ReadAhead, optimizer, runs_together
from spatial_prediction.training_settings import TrainingSettings

SIZE = tile_size(48, UPSCALE_FACTOR)
PUBLISHED_MODEL = ModelSettings()
GOAL = {"zero-repl": 20}
OTHER_GOAL = 15


class Ours:
    """Steps as a study takes them, of a seed for each of ``tiles``: losses are fetched once a round."""

    def __init__(self, preset: Preset, *tiles: RandomTiles, model: ModelSettings = PUBLISHED_MODEL) -> None:
        split = [eqx.partition(network(preset, model, seed=seed), eqx.is_array) for seed in range(len(tiles))]
        optimise = optimizer(TrainingSettings())
        starts = [(jax.tree.map(jnp.array, parameters), optimise.init(parameters)) for parameters, _ in split]
        self.runs = runs_together(training_loss(split[0][1]), optimise, starts)
        reader = ThreadPoolExecutor(1)
        self.batches = [ReadAhead(each, reader) for each in where_fastest(tiles, tiles[0].scenes)]
        self.step = 0

    def waited_seconds(self) -> float:
        """How long all steps have waited for data."""
        return sum(each.waited_seconds for each in self.batches)

    def train(self, steps: int) -> list[float]:
        """Take some steps; return the losses of the first seed."""
        measures = []
        for step in range(self.step, self.step + steps):
            measured = self.runs.advance({seed: each[step] for seed, each in enumerate(self.batches)})
            measures.append(measured[0])
        self.step += steps
        return np.asarray(jnp.stack(measures))[:, 0].tolist()


class Plain:
    """Steps as published."""

    def __init__(self, preset: Preset, tiles: RandomTiles, *, model: ModelSettings = PUBLISHED_MODEL) -> None:
        named = network(preset, model, seed=0).to_named_arrays()
        optimise = optimizer(TrainingSettings())
        weights = {name: jnp.asarray(array) for name, array in named.items()}
        self.state = (weights, optimise.init(weights))
        self.update = plain_training.make_step(preset, optimise)
        self.tiles, self.step = tiles, 0
        # all of them in full precision, as published
        scaled = tiles.scenes.transpose(0, 3, 1, 2) / (DN_PER_REFLECTANCE / 2) - 1
        self.scenes = np.asarray(scaled, np.float32)

    def waited_seconds(self) -> float:
        """Not measured, because reading is part of a step."""
        return 0.0

    def train(self, steps: int) -> list[float]:
        """Take some steps; return their losses."""
        losses = []
        for step in range(self.step, self.step + steps):
            tiles = plain_training.crops(self.scenes, self.tiles.draw(step), SIZE)
            *self.state, loss = self.update(*self.state, tiles)
            losses.append(float(loss))
        self.step += steps
        return losses


class Process:
    """An implementation in a separate process, which trains when asked to."""

    def __init__(self, way: type, environment: dict[str, str], *arguments: object) -> None:
        spawned = multiprocessing.get_context("spawn")
        self._connection, other = spawned.Pipe()
        with mock.patch.dict(os.environ):
            for name in JOB_ENVIRONMENT:
                os.environ.pop(name, None)
            os.environ.update(environment)
            self._process = spawned.Process(target=_serve, args=(way, other, *arguments), daemon=True)
            self._process.start()
        other.close()

    def train(self, steps: int) -> tuple[list[float], np.ndarray]:
        """Take some steps; return their losses, and wall-clock and CPU seconds per step."""
        self._connection.send(steps)
        return self._connection.recv()

    def end(self) -> float:
        """End the process; return the seconds per step that it has waited for data."""
        self._connection.send(None)
        waited = self._connection.recv()
        self._process.join()
        return waited


def _serve(way: type, connection: Connection, preset: Preset, path: Path, batch: int) -> None:
    scenes = open_scene_array(path, smallest_size=SIZE)
    training = way(preset, RandomTiles(scenes, size=SIZE, batch_size=batch, seed=0))
    while steps := connection.recv():
        started = np.array([time.perf_counter(), time.process_time()])
        losses = training.train(steps)
        seconds = (np.array([time.perf_counter(), time.process_time()]) - started) / steps
        connection.send((losses, seconds))
    connection.send(training.waited_seconds() / training.step)


def rough_scenes(count: int) -> np.ndarray:
    """Make scenes (count, 512, 512, 3) of DN that are smooth and rough at once."""
    rough = np.random.default_rng(0).standard_normal((count, 512, 512, 3)).cumsum(1).cumsum(2)
    return (3000 + 2500 * rough / np.abs(rough).max()).astype(np.int16)


def operations(batch: int) -> int:
    """Floating-point operations of one step on the merged network with 16 channels and 8 blocks."""
    return 3 * OPERATIONS * 48 * 48 * batch


def compare(name: str, batch: int, path: Path, options: argparse.Namespace) -> None:
    plain_environment = {native.DISABLING_VARIABLE: "0"}  # the plain implementation has no kernels
    if options.plain_environment == "job":
        plain_environment |= JOB_ENVIRONMENT
    ours = Process(Ours, JOB_ENVIRONMENT, PRESETS[name], path, batch)
    plain = Process(Plain, plain_environment, PRESETS[name], path, batch)
    first, plain_first = ours.train(3)[0], plain.train(3)[0]
    difference = max(abs(a / b - 1) for a, b in zip(first, plain_first, strict=True))
    ours.train(options.steps)  # so that memory is as in later rounds
    times, plain_times = [], []
    for _ in range(options.rounds):
        before = ours.train(options.steps)[1]
        plain_times.append(plain.train(options.plain_steps)[1])
        times.append((before + ours.train(options.steps)[1]) / 2)
    waited, _ = ours.end(), plain.end()
    ratios, processor = (np.array(plain_times) / np.array(times)).T
    seconds, plain_seconds = np.median(times, axis=0)[0], np.median(plain_times, axis=0)[0]
    share = operations(batch) / seconds / measured_peak()
    print(
        f"  {name:10} {np.median(ratios):5.1f} ({ratios.min():.1f} to {ratios.max():.1f})  goal "
        f"{GOAL.get(name, OTHER_GOAL)}  processor time {np.median(processor):.1f}  "
        f"{1 / seconds:.2f} against {1 / plain_seconds:.3f} steps/s  {share:.0%} of peak  waited for data "
        f"{waited / seconds:.1%}  losses differ by {difference:.0e}",
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
    parser.add_argument("--plain-steps", type=int, default=2, help="plain steps of a round")
    parser.add_argument("--plain-environment", choices=["none", "job"], default="none")
    options = parser.parse_args()

    print(f"device {jax.devices()[0].device_kind}, compiled kernels: {native.available()}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.npy"
        np.save(path, rough_scenes(64))
        for batch in options.batches:
            print(f"\nbatch {batch}: ratio of steps per second, median and range over rounds", flush=True)
            for name in options.presets:
                compare(name, batch, path, options)


if __name__ == "__main__":
    main()
