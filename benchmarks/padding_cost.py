"""Claim: prediction at the border costs little more than zeros there.

Times inference and training step of the merged RVSR network with each preset, as ratios to zero padding.
All presets take turns in one run, round by round, so that a drift of the machine's speed affects them all.
Ratios are medians over rounds, with quartiles, beside the published ones (inference on an RTX 4070 Ti, arXiv
2502.12300).

  python benchmarks/padding_cost.py
  SPATIAL_PREDICTION_NATIVE=0 python benchmarks/padding_cost.py      without the compiled kernels
"""

import argparse
import time
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from spatial_prediction import native
from spatial_prediction.models import merge_branches
from spatial_prediction.studies.super_resolution.config import (
    UPSCALE_FACTOR,
    ModelSettings,
    Preset,
    tile_size,
)
from spatial_prediction.studies.super_resolution.losses import training_loss
from spatial_prediction.studies.super_resolution.presets import PRESETS
from spatial_prediction.studies.super_resolution.task import network
from spatial_prediction.training import make_update, optimizer
from spatial_prediction.training_settings import TrainingSettings

PUBLISHED_MODEL = ModelSettings()
PUBLISHED = {"lp1x1cs": 1.34, "lp2x3": 2.01, "lp6x7": 3.63}
GOALS = {
    "inference": {"lp1x1cs": 1.10, "lp2x3": 1.10, "lp6x7": 1.50},
    "training": {"lp1x1cs": 1.15, "lp2x3": 1.15, "lp6x7": 1.60},
}


def inference(
    preset: Preset, batch: int, model: ModelSettings = PUBLISHED_MODEL
) -> tuple[Callable[[], object], int]:
    parameters, static = eqx.partition(merge_branches(network(preset, model, seed=0)), eqx.is_array)
    x = jax.random.uniform(jax.random.key(0), (batch, 48, 48, 3), minval=-1)
    compiled = jax.jit(lambda p, x: eqx.combine(p, static).apply(x)).lower(parameters, x).compile()
    return lambda: jax.block_until_ready(compiled(parameters, x)), memory(compiled)


def training(
    preset: Preset, batch: int, model: ModelSettings = PUBLISHED_MODEL
) -> tuple[Callable[[], object], int]:
    parameters, static = eqx.partition(network(preset, model, seed=0), eqx.is_array)
    optimise = optimizer(TrainingSettings())
    state = [parameters, optimise.init(parameters)]
    size = tile_size(48, UPSCALE_FACTOR)
    tiles = jax.random.randint(jax.random.key(0), (batch, size, size, 3), 0, 5000, jnp.int16)
    compiled = make_update(training_loss(static), optimise).lower(*state, tiles).compile()

    def step() -> None:
        state[0], state[1], _ = jax.block_until_ready(compiled(*state, tiles))

    return step, memory(compiled)


def memory(compiled: jax.stages.Compiled) -> int:
    analysis = compiled.memory_analysis()
    return analysis.argument_size_in_bytes + analysis.output_size_in_bytes + analysis.temp_size_in_bytes


def seconds(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--presets", nargs="+", default=["repl", "extr2", "lp1x1cs", "lp2x3", "lp6x7"])
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    print(
        f"device {jax.devices()[0].device_kind}, batch {options.batch}, "
        f"compiled kernels: {native.available()}"
    )
    for kind in (inference, training):
        names = ["zero-repl", *options.presets]
        programs = {name: kind(PRESETS[name], options.batch) for name in names}
        for run, _ in programs.values():
            run()
        times = {name: [] for name in names}
        for _ in range(options.rounds):
            for name, (run, _) in programs.items():
                run()  # if the last program took less memory, the system must first find more
                times[name].append(seconds(run))
        zero = np.array(times["zero-repl"])
        print(
            f"\n{kind.__name__}: zero-repl {np.median(zero) * 1e3:.1f} ms, "
            f"{programs['zero-repl'][1] / 2**20:.0f} MiB"
        )
        for name in options.presets:
            low, ratio, high = np.quantile(np.array(times[name]) / zero, (0.25, 0.5, 0.75))
            memory_ratio = programs[name][1] / programs["zero-repl"][1]
            print(
                f"  {name:10} {ratio:5.2f} ({low:.2f} to {high:.2f})  memory {memory_ratio:.2f}  "
                f"goal {GOALS[kind.__name__].get(name, '-')}  published inference {PUBLISHED.get(name, '-')}",
                flush=True,
            )


if __name__ == "__main__":
    main()
