"""Stage: how fast a preset trains and predicts, with the largest batch that fits a memory budget."""

import logging
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.stages import Compiled

from spatial_prediction import files
from spatial_prediction.errors import ConfigurationError
from spatial_prediction.models import RVSR, merge_branches
from spatial_prediction.named_arrays import load_arrays
from spatial_prediction.provenance import provenance
from spatial_prediction.reflectance import DN_PER_REFLECTANCE
from spatial_prediction.studies.super_resolution.config import ModelSettings, Preset, tile_size
from spatial_prediction.studies.super_resolution.losses import training_loss
from spatial_prediction.studies.super_resolution.task import network, network_of_arrays
from spatial_prediction.training import make_update, optimizer
from spatial_prediction.training_settings import TrainingSettings

logger = logging.getLogger(__name__)

Kind = Literal["training", "inference"]

WARM_UP = 2
"""Runs of a program before the first timed one; they allocate memory and fill caches."""


def measure_throughput(
    name: str,
    preset: Preset,
    *,
    kind: Kind,
    model_settings: ModelSettings,
    settings: TrainingSettings,
    memory_budget: int,
    repeats: int,
    largest_batch: int,
    weights: Path | None,
    output: Path,
) -> None:
    """Time a preset, alternating with zero padding at the same output crop; write both as JSON.

    Inference is the merged network in float32 on tiles of the training size; training is the whole step
    from integer tiles to updated weights. ``weights`` is an exported network; without it, or if its run
    diverged, weights are random.
    The batch is the largest whose program needs no more memory than the budget, according to the compiler,
    and that does run. Preset and reference alternate batch by batch, so that their ratio
    holds even if the machine's speed drifts.

    Raises:
        ConfigurationError: the border handling is unknown, there is nothing to time, or one tile
            does not fit on the device.
    """
    if min(repeats, largest_batch) < 1:
        raise ConfigurationError(
            f"repeats is {repeats} and largest_batch {largest_batch}; give at least 1 of each "
            "(--repeats, --largest-batch)"
        )
    reference = Preset("zero", "repl", preset.output_crop)
    trained = load_arrays(weights)[0] if weights else {}  # the file of a run that diverged has none

    def program(of: Preset, batch: int) -> "_Program":
        model = network_of_arrays(of, trained) if trained else network(of, model_settings, seed=0)
        return _Program(model, kind, settings, batch)

    timed = _largest_fitting(lambda batch: program(preset, batch), memory_budget, largest_batch)
    rival = timed if preset == reference else program(reference, timed.batch)
    for each in {id(timed): timed, id(rival): rival}.values():
        for _ in range(WARM_UP):
            each.run()
    seconds, rival_seconds = [], []
    for _ in range(repeats):
        seconds.append(timed.run())
        rival_seconds.append(seconds[-1] if rival is timed else rival.run())

    per_second = timed.batch / statistics.median(seconds)
    side = (settings.low_res_size - 2 * preset.output_crop) * model_settings.upscale_factor
    record = {
        "preset": name,
        "kind": kind,
        "device": jax.devices()[0].device_kind,
        "batch_size": timed.batch,
        "memory_budget_bytes": memory_budget,
        "memory_bytes": timed.memory,
        "median_seconds": statistics.median(seconds),
        "quartiles_seconds": np.quantile(seconds, (0.25, 0.75)).tolist(),
        "seconds": seconds,
        "trained_weights": bool(trained),
        "images_per_second": per_second,
        "pixels_per_second": per_second * side**2,
        "reference": "zero",
        "reference_images_per_second": timed.batch / statistics.median(rival_seconds),
        "provenance": provenance(repeats=repeats, low_res_size=settings.low_res_size),
    }
    files.write_json(output, record)
    logger.info("%s %s: batch %d, %.1f images/s", name, kind, timed.batch, per_second)


class _Program:
    """A compiled training step or inference at one batch size, with input to run it on."""

    def __init__(
        self,
        model: RVSR,
        kind: Kind,
        settings: TrainingSettings,
        batch: int,
    ) -> None:
        self.batch = batch
        rng = np.random.default_rng(0)
        if kind == "inference":
            self._state: tuple[Any, ...] = ()
            parameters, static = eqx.partition(merge_branches(model), eqx.is_array)
            shape = (batch, settings.low_res_size, settings.low_res_size, 3)
            self._input = jnp.asarray(rng.uniform(-1, 1, shape), jnp.float32)
            function: Any = jax.jit(lambda x: eqx.combine(parameters, static).apply(x))
        else:
            parameters, static = eqx.partition(model, eqx.is_array)
            optimise = optimizer(settings)
            self._state = (parameters, optimise.init(parameters))
            size = tile_size(settings.low_res_size, model.upscale_factor)
            self._input = jnp.asarray(rng.integers(0, DN_PER_REFLECTANCE, (batch, size, size, 3)), jnp.int16)
            function = make_update(training_loss(static, compute_dtype=settings.compute_dtype), optimise)
        self._compiled: Compiled = function.lower(*self._state, self._input).compile()
        self.memory = _memory(self._compiled)

    def run(self) -> float:
        """Run one batch; return seconds from call to finished result."""
        started = time.perf_counter()
        result = jax.block_until_ready(self._compiled(*self._state, self._input))
        seconds = time.perf_counter() - started
        if self._state:
            self._state = result[:2]  # the old buffers were donated
        return seconds

    def runs(self) -> bool:
        """Return whether the device really has the memory."""
        try:
            self.run()
        except jax.errors.JaxRuntimeError as error:
            if "RESOURCE_EXHAUSTED" not in str(error):
                raise
            return False
        return True


def _memory(compiled: Compiled) -> int:
    """Bytes that a program needs according to the compiler: input, output, scratch; shared ones once."""
    analysis: Any = compiled.memory_analysis()
    needed = analysis.argument_size_in_bytes + analysis.output_size_in_bytes + analysis.temp_size_in_bytes
    return int(needed - analysis.alias_size_in_bytes)


def _largest_fitting(program: Callable[[int], _Program], budget: int, largest: int) -> _Program:
    """Find the largest batch, up to ``largest``, that fits ``budget`` bytes, from few compilations.

    Memory is a fixed part plus one proportional to the batch, so a batch that is too large predicts a
    smaller one that fits, and the two together predict the largest. The device decides in the end.
    """
    tried: dict[int, int] = {}
    batch, best = largest, None
    while True:
        candidate = program(batch)
        tried[batch] = candidate.memory
        fits = candidate.memory <= budget
        if fits and candidate.runs():
            best = candidate
        elif batch == 1:
            return _beyond_budget(candidate, budget)
        elif fits:
            budget = int(0.9 * candidate.memory)  # the device has less memory than expected
        too_large = [tried_batch for tried_batch in tried if best is None or tried_batch > best.batch]
        proposed = _fitting_by_line(tried, budget)
        batch = max(1, min([proposed, *(tried_batch - 1 for tried_batch in too_large), largest]))
        if best is not None and batch <= best.batch * 1.02:
            return best


def _beyond_budget(one_tile: _Program, budget: int) -> _Program:
    """Return the program of a single tile, with a warning, if only the budget is too small for it.

    Raises:
        ConfigurationError: the device does not have enough memory for one tile.
    """
    if one_tile.memory > budget and one_tile.runs():
        logger.warning(
            "timing.memory_budget_mib: one tile needs %.0f MiB, the budget is %.0f MiB; one is timed all "
            "the same",
            one_tile.memory / 2**20,
            budget / 2**20,
        )
        return one_tile
    raise ConfigurationError(
        f"one tile needs {one_tile.memory / 2**20:.0f} MiB, more than this device has; lower "
        "training.low_res_size, or take the preset out of timing.presets"
    )


def _fitting_by_line(tried: dict[int, int], budget: int) -> int:
    """Propose the largest batch within ``budget``, by proportion or by the line through two points."""
    (low, low_bytes), *rest = sorted(tried.items())
    if not rest or rest[-1][1] <= low_bytes:
        return int(low * budget / low_bytes)
    high, high_bytes = rest[-1]
    return int(low + (budget - low_bytes) * (high - low) / (high_bytes - low_bytes))
