"""What fitted models predict, and how good that is."""

import logging
from pathlib import Path
from typing import Any

import numpy as np

from spatial_prediction.errors import CheckpointError
from spatial_prediction.gaussian_process import DensePosterior, Standardisation
from spatial_prediction.gaussian_process.fitting import FAILED
from spatial_prediction.named_arrays import load_arrays
from spatial_prediction.studies.interpolation.config import Frames
from spatial_prediction.studies.interpolation.fields.field import load_field
from spatial_prediction.studies.interpolation.masks import Mask, load_masks
from spatial_prediction.studies.interpolation.models import Model, starting_model, with_parameters
from spatial_prediction.studies.interpolation.protocols import Task
from spatial_prediction.studies.interpolation.stages.evaluation import Grid, Predictor, write_evaluation
from spatial_prediction.studies.interpolation.stages.remembered import Remembered

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
    name: str, *, fit_path: Path, masks_path: Path, predictions_path: Path, frames: Frames, **evaluation: Any
) -> None:
    """Evaluate one fitted model, and keep all predictions that this took; see :func:`write_evaluation`."""
    model, scaling, record = load_process(fit_path)
    mask = load_masks(masks_path)[1].name
    if (record["model"], record["mask"]) != (name, mask):
        raise CheckpointError(
            f"{fit_path}: is a fit of {record['model']} on {record['mask']}, not of {name} on {mask}; "
            "give the one of these masks"
        )
    if failed := record["status"].startswith(FAILED):
        logger.warning("%s on %s has no scores: %s", name, mask, record["status"])
    values = load_field(evaluation["field_path"]).values[: frames.total]
    predict = Remembered(process_predictor(model, scaling, values))
    write_evaluation(name, None if failed else predict, masks_path=masks_path, frames=frames, **evaluation)
    predict.save(predictions_path, model=name, mask=mask, failed=failed)
