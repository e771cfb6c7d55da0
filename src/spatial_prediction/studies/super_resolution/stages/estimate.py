"""What training a study would cost on this device, from a few measured steps of each preset."""

import dataclasses
import logging
import statistics
import time
from collections.abc import Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from spatial_prediction.progress import progress
from spatial_prediction.reflectance import DN_PER_REFLECTANCE
from spatial_prediction.studies.super_resolution.config import ModelSettings, Preset, tile_size
from spatial_prediction.studies.super_resolution.losses import training_loss
from spatial_prediction.studies.super_resolution.task import network
from spatial_prediction.training import optimizer, runs_together
from spatial_prediction.training_settings import TrainingSettings

logger = logging.getLogger(__name__)

SECONDS_A_DAY = 86_400


@dataclasses.dataclass(frozen=True)
class Cost:
    """Cost of training one preset.

    Attributes:
        seconds_a_step: median time of one step of one run; its share if runs train together.
        lowest: lower quartile of these times.
        highest: upper quartile of these times.
        days: time for all steps of all runs, one job after another.
    """

    seconds_a_step: float
    lowest: float
    highest: float
    days: float


def estimate(
    presets: Mapping[str, Preset],
    *,
    runs: int,
    seeds_per_job: int,
    model_settings: ModelSettings,
    settings: TrainingSettings,
    repeats: int,
) -> dict[str, Cost]:
    """Time some steps of each preset, with as many runs together as a job of the study has.

    Args:
        presets: the presets, by name.
        runs: number of seeds of each preset.
        seeds_per_job: number of seeds that train together.
        model_settings: size of the network.
        settings: batch size, input size, number of steps.
        repeats: number of timed steps, after two that are not timed.
    """
    costs = {}
    for name, preset in progress(presets.items(), total=len(presets), description="timing", unit="presets"):
        together = min(runs, seeds_per_job)
        times = [
            each / together for each in _step_seconds(preset, together, model_settings, settings, repeats)
        ]
        lowest, median, highest = np.quantile(times, (0.25, 0.5, 0.75)).tolist()
        costs[name] = Cost(median, lowest, highest, median * settings.steps * runs / SECONDS_A_DAY)
        logger.info("%s: %.4g s a step, %.3g days for %d runs", name, median, costs[name].days, runs)
    return costs


def described(costs: Mapping[str, Cost], *, runs: int, settings: TrainingSettings) -> str:
    """Describe costs in a table and a sentence."""
    lines = [f"{'preset':14} {'steps/s':>9} {'(quartiles)':>19} {'images/s':>9} {'days':>8}"]
    for name, cost in costs.items():
        quartiles = f"({1 / cost.highest:.3g} to {1 / cost.lowest:.3g})"
        rate = 1 / cost.seconds_a_step
        lines.append(
            f"{name:14} {rate:9.4g} {quartiles:>19} {rate * settings.batch_size:9.4g} {cost.days:8.3g}"
        )
    days = sum(cost.days for cost in costs.values())
    usual = statistics.median(cost.seconds_a_step for cost in costs.values())
    lines += [
        "",
        f"Training {runs * len(costs)} runs of {settings.steps} steps takes about {_duration(days)} of one "
        f"{jax.devices()[0].device_kind} device,",
        f"each run about {_duration(usual * settings.steps / SECONDS_A_DAY)}. "
        "Data, evaluation and timing are not included.",
    ]
    return "\n".join(lines)


def _duration(days: float) -> str:
    if days >= 1:
        return f"{days:.3g} days"
    return f"{days * 24:.2g} hours" if days * 24 >= 1 else f"{days * 24 * 60:.2g} minutes"


def _step_seconds(
    preset: Preset, together: int, model_settings: ModelSettings, settings: TrainingSettings, repeats: int
) -> list[float]:
    """Seconds of one step of several runs together, on tiles that are on the device already."""
    split = [
        eqx.partition(network(preset, model_settings, seed=seed), eqx.is_array) for seed in range(together)
    ]
    optimise = optimizer(settings)
    loss = training_loss(split[0][1], compute_dtype=settings.compute_dtype)
    starts = [(parameters, optimise.init(parameters)) for parameters, _ in split]
    on_device = runs_together(loss, optimise, starts)
    size = tile_size(settings.low_res_size, model_settings.upscale_factor)
    shape = (settings.batch_size, size, size, 3)
    tiles = jnp.asarray(np.random.default_rng(0).integers(0, DN_PER_REFLECTANCE, shape), jnp.int16)
    seconds = []
    for _ in range(2 + repeats):
        started = time.perf_counter()
        jax.block_until_ready(on_device.advance(dict.fromkeys(range(together), tiles)))
        seconds.append(time.perf_counter() - started)
    return seconds[2:]
