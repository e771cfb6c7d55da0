"""Stage: train one preset with one seed, and export what came of it."""

import dataclasses
import hashlib
import json
import logging
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import numpy as np
import pandas as pd

from spatial_prediction import files, native
from spatial_prediction.config import ModelSettings, Preset, TrainingSettings
from spatial_prediction.data.degradation import tile_size
from spatial_prediction.data.tiles import RandomTiles, centre_tiles, open_scene_array
from spatial_prediction.experiments.super_resolution import held_out_loss, network, training_loss
from spatial_prediction.experiments.tables import write_table
from spatial_prediction.models import RVSR
from spatial_prediction.provenance import provenance
from spatial_prediction.training import (
    Checkpoints,
    Outcome,
    learning_rate,
    load_arrays,
    save_arrays,
    train,
)

logger = logging.getLogger(__name__)


def train_run(
    name: str,
    preset: Preset,
    *,
    seed: int,
    model_settings: ModelSettings,
    settings: TrainingSettings,
    train_path: Path,
    test_path: Path,
    data_hash: str,
    code_hash: str,
    checkpoint_root: Path,
    output: Path,
) -> None:
    """Train and write ``output``: the network's arrays, its history, and a header that tells all.

    A run that diverges is a result like any other: it is recorded with step and reason, and no error.
    """
    size = tile_size(settings.low_res_size, model_settings.upscale_factor)
    scenes = open_scene_array(train_path, smallest_size=size)
    test_tiles = centre_tiles(open_scene_array(test_path, smallest_size=size), size)

    parameters, static = eqx.partition(network(preset, model_settings, seed=seed), eqx.is_array)
    identity = {
        "preset": name,
        **dataclasses.asdict(preset),
        "seed": seed,
        "model": dataclasses.asdict(model_settings),
        "training": dataclasses.asdict(settings),
        "data": data_hash,
        "code": code_hash,
    }
    checkpoints = Checkpoints(checkpoint_root / f"seed_{seed}-{_key(identity)}")
    with checkpoints.locked():
        outcome = train(
            parameters,
            loss=training_loss(static),
            test_loss=held_out_loss(static, test_tiles, batch_size=settings.batch_size),
            batches=RandomTiles(scenes, size=size, batch_size=settings.batch_size, seed=seed),
            settings=settings,
            checkpoints=checkpoints,
        )
    model = eqx.combine(outcome.parameters, static)
    header = {
        **{
            field: identity[field]
            for field in ("preset", "padding", "upscale_padding", "output_crop", "seed")
        },
        "model": identity["model"],
        "run": _run_record(name, seed, settings, outcome),
        "provenance": provenance(training=identity["training"], data=data_hash, code=code_hash),
    }
    save_arrays(output, {**model.to_named_arrays(), **_history_arrays(outcome, settings)}, header)
    last = outcome.history.test_loss.get(outcome.step)
    logger.info("%s seed %d %s at step %d, test loss %s", name, seed, outcome.status, outcome.step, last)


def export_run(training: Path, *, model: Path, history: Path, run: Path) -> None:
    """Split a training result into weights (safetensors), history (Parquet) and run record (JSON).

    A diverged run's model file holds no arrays; its header says so.
    """
    arrays, header = load_arrays(training)
    past = {name: arrays.pop(name) for name in list(arrays) if name.startswith("history.")}
    record = header["run"]
    table = pd.DataFrame(
        {
            "preset": record["preset"],
            "seed": record["seed"],
            "step": past["history.step"],
            "train_loss": past["history.train_loss"],
            "test_loss": past["history.test_loss"],
            "learning_rate": past["history.learning_rate"],
        }
    )
    write_table(table, history, header["provenance"])
    save_arrays(model, arrays if record["status"] == "completed" else {}, header)
    files.write_json(run, {**record, "provenance": header["provenance"]})


def load_model(path: Path, *, output_crop: int) -> tuple[RVSR | None, dict[str, Any]]:
    """Read an exported network with the output crop wanted; None for the network of a diverged run.

    Returns:
        The network with its training branches, and the header of its file.
    """
    arrays, header = load_arrays(path)
    if header["run"]["status"] != "completed":
        return None, header
    model = RVSR.from_named_arrays(
        arrays,
        padding=header["padding"],
        upscale_padding=header["upscale_padding"],
        output_crop=output_crop,
    )
    return model, header


def _key(identity: dict[str, Any]) -> str:
    """Shorten all that shapes a run's trajectory to a name; whatever changes it starts afresh."""
    machine = {"device": jax.devices()[0].platform, "jax": jax.__version__, "kernels": native.available()}
    text = json.dumps({**identity, **machine}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _run_record(name: str, seed: int, settings: TrainingSettings, outcome: Outcome) -> dict[str, Any]:
    completed = outcome.status == "completed"
    return {
        "preset": name,
        "seed": seed,
        "status": outcome.status,
        "steps": settings.steps,
        "step": outcome.step,
        "reason": outcome.reason,
        "seconds": round(outcome.seconds, 3),
        "final_test_loss": outcome.history.test_loss[outcome.step] if completed else None,
    }


def _history_arrays(outcome: Outcome, settings: TrainingSettings) -> dict[str, np.ndarray]:
    """One row a step from 0: losses measured before the step's update, NaN where none was."""
    history = outcome.history
    steps = np.arange(max(len(history.train_loss), *history.test_loss, 0) + 1)
    train_loss = np.full(len(steps), np.nan)
    train_loss[: len(history.train_loss)] = history.train_loss
    test_loss = np.full(len(steps), np.nan)
    test_loss[list(history.test_loss)] = list(history.test_loss.values())
    rate = np.asarray(jax.vmap(learning_rate(settings))(steps), np.float64)
    columns = {"step": steps, "train_loss": train_loss, "test_loss": test_loss, "learning_rate": rate}
    return {f"history.{name}": column for name, column in columns.items()}
