"""What fitted models predict, and how good that is."""

import logging
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from spatial_prediction.errors import CheckpointError
from spatial_prediction.gaussian_process import DensePosterior, Standardisation
from spatial_prediction.gaussian_process.fitting import FAILED
from spatial_prediction.named_arrays import load_arrays, save_arrays
from spatial_prediction.studies.interpolation.config import AVERAGE, Frames
from spatial_prediction.studies.interpolation.fields.field import load_field
from spatial_prediction.studies.interpolation.masks import Mask, load_masks
from spatial_prediction.studies.interpolation.models import Model, starting_model, with_parameters
from spatial_prediction.studies.interpolation.protocols import Task
from spatial_prediction.studies.interpolation.stages.evaluation import (
    Grid,
    Predictor,
    evaluate,
    reconstruct,
    remembering,
    write_scores,
)

logger = logging.getLogger(__name__)


def process_predictor(model: Model, scaling: Standardisation, values: np.ndarray) -> Predictor:
    """A fitted model that is given the known ones of some values, in the field's units."""

    def conditioned(known: Mask) -> Any:
        return model.condition(known, scaling.apply(values[known]))

    def predict(task: Task) -> tuple[Grid, Grid | None]:
        times = np.arange(task.frames.start, task.frames.stop, dtype=np.float64)
        posterior = conditioned(task.known)
        if not task.causal:
            return scaling.undo(*posterior.predict_grid(times))
        if isinstance(posterior, DensePosterior):
            return scaling.undo(*posterior.filter_grid(times))
        each = [conditioned(one.known).predict_grid(one.frames) for one in task.by_frame()]
        return scaling.undo(*(np.concatenate(frames) for frames in zip(*each, strict=True)))

    return predict


def averaged(predictors: Sequence[Predictor]) -> Predictor:
    """The mixture of several models' predictions in equal shares: their mean, and its variance."""

    def predict(task: Task) -> tuple[Grid, Grid | None]:
        each = [predict(task) for predict in predictors]
        means, variances = (
            np.stack([np.asarray(part) for part in parts]) for parts in zip(*each, strict=True)
        )
        return means.mean(axis=0), variances.mean(axis=0) + means.var(axis=0)

    return predict


def load_process(path: Path) -> tuple[Model, Standardisation, dict[str, Any]]:
    """Read what :func:`fit_process` wrote: model, scaling and record.

    Raises:
        CheckpointError: the file is missing, damaged, or another model's.
    """
    arrays, record = load_arrays(path)
    settings = record["provenance"]["settings"]["fitting"]
    template = starting_model(
        record["model"],
        scaling=settings["scaling"],
        shape=tuple(record["shape"]),
        amplitudes=record["amplitudes"],
    )
    scaling = Standardisation(record["centre"], record["scale"])
    return with_parameters(template, arrays), scaling, record


def evaluate_process(
    name: str,
    *,
    field_path: Path,
    masks_path: Path,
    fit_paths: Sequence[Path],
    frames: Frames,
    condition_on: Sequence[str],
    headline: str,
    pictured: Sequence[str],
    scores_path: Path,
    reconstruction_path: Path,
) -> None:
    """Score a fitted model, or the average of several, and reconstruct the frames of some parts.

    A fit that failed has no part in an average; by itself it has a table without rows, and a reconstruction
    of NaN.
    """
    field, (masks, mask_settings) = load_field(field_path), load_masks(masks_path)
    values, predictors = field.values[: frames.total], []
    for path in fit_paths:
        model, scaling, record = load_process(path)
        if name not in (record["model"], AVERAGE) or record["mask"] != mask_settings.name:
            raise CheckpointError(
                f"{path}: is a fit of {record['model']} on {record['mask']}, not of {name} on "
                f"{mask_settings.name}; give the one of these masks"
            )
        if record["status"].startswith(FAILED):
            logger.warning("%s on %s has no scores: %s", record["model"], record["mask"], record["status"])
        else:
            predictors.append(process_predictor(model, scaling, values))
    predict = remembering(averaged(predictors)) if predictors else _nothing
    table = evaluate(predict, field, masks, frames, condition_on if predictors else [])
    write_scores(scores_path, table.assign(model=name, kind="model"), mask_settings)
    arrays = reconstruct(predict, field, masks, frames, headline, pictured)
    header = {
        "model": name,
        "mask": mask_settings.name,
        "frames": asdict(frames),
        "condition_on": headline,
        "parts": list(pictured),
    }
    save_arrays(reconstruction_path, arrays, header)


def _nothing(task: Task) -> tuple[Grid, Grid | None]:
    nothing = np.full((len(task.frames), *task.known.shape[1:]), np.nan)
    return nothing, nothing
