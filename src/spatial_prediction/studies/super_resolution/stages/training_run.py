"""Stage: train one preset with one or several seeds."""

import contextlib
import dataclasses
import hashlib
import json
import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import numpy as np

from spatial_prediction import native
from spatial_prediction.named_arrays import save_arrays
from spatial_prediction.provenance import provenance
from spatial_prediction.studies.super_resolution.config import ModelSettings, Preset, tile_size
from spatial_prediction.studies.super_resolution.data.resident import where_fastest
from spatial_prediction.studies.super_resolution.data.tiles import RandomTiles, centre_tiles, open_scene_array
from spatial_prediction.studies.super_resolution.losses import held_out_loss, training_loss
from spatial_prediction.studies.super_resolution.task import network
from spatial_prediction.training import Checkpoints, Outcome, learning_rate, reading_ahead, train
from spatial_prediction.training_settings import TrainingSettings

logger = logging.getLogger(__name__)


def train_runs(
    name: str,
    preset: Preset,
    *,
    seeds: Sequence[int],
    model_settings: ModelSettings,
    settings: TrainingSettings,
    train_path: Path,
    test_path: Path,
    data_hash: str,
    code_hash: str,
    checkpoint_root: Path,
    output: Path,
) -> None:
    """Train and write ``output/seed_{seed}.safetensors`` for each seed, in one program.

    A file holds the network's arrays, its history, and a header that describes both. Neither its content nor
    the place of its checkpoints depends on the other seeds. A run that diverges is a result, not an error: it
    is recorded with step and reason.
    """
    size = tile_size(settings.low_res_size, model_settings.upscale_factor)
    scenes = open_scene_array(train_path, smallest_size=size)
    test_scenes = open_scene_array(test_path, smallest_size=size)
    split = [eqx.partition(network(preset, model_settings, seed=seed), eqx.is_array) for seed in seeds]
    static = split[0][1]
    identity = {
        "preset": name,
        **dataclasses.asdict(preset),
        "model": dataclasses.asdict(model_settings),
        "training": dataclasses.asdict(settings),
        "data": data_hash,
        "code": code_hash,
    }
    checkpoints = [_checkpoints(checkpoint_root, {**identity, "seed": seed}, settings) for seed in seeds]
    tiles = [RandomTiles(scenes, size=size, batch_size=settings.batch_size, seed=seed) for seed in seeds]
    with contextlib.ExitStack() as held:
        for each in checkpoints:
            held.enter_context(each.locked())
        outcomes = train(
            [parameters for parameters, _ in split],
            loss=training_loss(static, compute_dtype=settings.compute_dtype),
            test_loss=held_out_loss(static, centre_tiles(test_scenes, size), batch_size=settings.batch_size),
            batches=held.enter_context(reading_ahead(where_fastest(tiles, scenes))),
            settings=settings,
            checkpoints=checkpoints,
        )
    for seed, outcome in zip(seeds, outcomes, strict=True):
        model = eqx.combine(outcome.parameters, static)
        fields = ("preset", "padding", "upscale_padding", "output_crop", "model")
        header = {
            **{field: identity[field] for field in fields},
            "seed": seed,
            "run": _run_record(name, seed, settings, outcome),
            "provenance": provenance(training=identity["training"], data=data_hash, code=code_hash),
        }
        arrays = {**model.to_named_arrays(), **_history_arrays(outcome, settings)}
        save_arrays(output / f"seed_{seed}.safetensors", arrays, header)
        last = outcome.history.test_loss.get(outcome.step)
        loss = "" if last is None else f", test loss {last:.4g}"
        logger.info("%s seed %d %s at step %d%s", name, seed, outcome.status, outcome.step, loss)


def _checkpoints(root: Path, identity: dict[str, Any], settings: TrainingSettings) -> Checkpoints:
    """Name a run's folder by everything that determines its trajectory, so that a changed run starts afresh.

    The end of the schedule has a subfolder: until the rate falls, runs that differ only there are the same.
    """
    shaping = {**identity["training"]}
    for field in ("steps", "decay_start", "checkpoint_every"):
        del shaping[field]
    machine = {"device": jax.devices()[0].platform, "jax": jax.__version__, "kernels": native.available()}
    text = json.dumps({**identity, "training": shaping, **machine}, sort_keys=True)
    key = hashlib.sha256(text.encode()).hexdigest()[:16]
    schedule = f"steps_{settings.steps}-decay_{settings.decay_start}"
    return Checkpoints(root / f"seed_{identity['seed']}-{key}" / schedule, common_until=settings.decay_start)


def _run_record(name: str, seed: int, settings: TrainingSettings, outcome: Outcome) -> dict[str, Any]:
    completed, failure = outcome.status == "completed", outcome.failure
    return {
        "preset": name,
        "seed": seed,
        "status": outcome.status,
        "steps": settings.steps,
        "step": outcome.step,
        "reason": outcome.reason,
        "seconds": round(outcome.seconds, 3),
        "gradient_norm": _as_json(failure.gradient_norm) if failure else None,
        "batch": failure.batch if failure else None,
        "final_test_loss": outcome.history.test_loss[outcome.step] if completed else None,
    }


def _as_json(number: float | None) -> float | str | None:
    """JSON has no infinities: they become text."""
    return number if number is None or math.isfinite(number) else str(number)


def _history_arrays(outcome: Outcome, settings: TrainingSettings) -> dict[str, np.ndarray]:
    """One row per step from 0: losses measured before the step's update, NaN where not measured."""
    history = outcome.history
    steps = np.arange(max(len(history.train_loss), *history.test_loss, 0) + 1)
    train_loss = np.full(len(steps), np.nan)
    train_loss[: len(history.train_loss)] = history.train_loss
    test_loss = np.full(len(steps), np.nan)
    test_loss[list(history.test_loss)] = list(history.test_loss.values())
    rate = np.asarray(jax.vmap(learning_rate(settings))(steps), np.float64)
    columns = {"step": steps, "train_loss": train_loss, "test_loss": test_loss, "learning_rate": rate}
    return {f"history.{name}": column for name, column in columns.items()}
