"""Predictions that are made once: for scores, for pictures, and for averages of models."""

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spatial_prediction.errors import CheckpointError
from spatial_prediction.named_arrays import load_arrays, save_arrays
from spatial_prediction.studies.interpolation.config import AVERAGE, Frames
from spatial_prediction.studies.interpolation.fields.field import Field, load_field
from spatial_prediction.studies.interpolation.masks import load_masks
from spatial_prediction.studies.interpolation.protocols import Task, task
from spatial_prediction.studies.interpolation.stages.evaluation import Grid, Predictor, write_evaluation

logger = logging.getLogger(__name__)


class Remembered:
    """A model that predicts each task once.

    Args:
        predict: the model, with variances.
    """

    def __init__(self, predict: Predictor) -> None:
        self.predict = predict
        self.made: dict[str, tuple[Grid, Grid | None]] = {}

    def __call__(self, task: Task) -> tuple[Grid, Grid | None]:
        """Predict, or remember."""
        if (name := _name(task)) not in self.made:
            self.made[name] = self.predict(task)
        return self.made[name]

    def save(self, path: Path, *, model: str, mask: str, failed: bool = False) -> None:
        """Write all predictions so far; ``failed``: they are not to be used."""
        arrays = {
            f"{name}.{part}": np.asarray(array)
            for name, prediction in self.made.items()
            for part, array in zip(("mean", "variance"), prediction, strict=True)
        }
        save_arrays(path, arrays, {"model": model, "mask": mask, "failed": failed})


def averaged(paths: Sequence[Path], mask: str) -> Predictor | None:
    """The mixture, in equal shares, of the predictions that several models have made.

    Args:
        paths: what :meth:`Remembered.save` wrote.
        mask: name of the masks they must be of.

    Returns:
        A predictor of the tasks that all of them have predicted, with the mean of the mixture and its
        variance; models whose fits failed are left out, and there is none where all have.

    Raises:
        CheckpointError: a file is missing, damaged, or of other masks.
    """
    members = []
    for path in paths:
        arrays, header = load_arrays(path)
        if header["mask"] != mask:
            raise CheckpointError(
                f"{path}: are predictions on {header['mask']}, not on {mask}; give those of these masks"
            )
        if not header["failed"]:
            members.append((path, arrays))

    def predict(task: Task) -> tuple[Grid, Grid | None]:
        name = _name(task)
        for path, arrays in members:
            if f"{name}.mean" not in arrays:
                raise CheckpointError(
                    f"{path}: lacks a prediction that is asked for; evaluate its model again"
                )
        means, variances = (
            np.stack([arrays[f"{name}.{part}"] for _, arrays in members]) for part in ("mean", "variance")
        )
        return means.mean(axis=0), variances.mean(axis=0) + means.var(axis=0)

    return predict if members else None


def calibrated(predict: Predictor, field: Field, asked: Task) -> Predictor:
    """The same with one factor on all variances, with which those of a prediction fit its known truth.

    How far models are apart says how uncertain a mixture is only if they err independently of each other.

    Args:
        predict: the model, with variances.
        field: the truth.
        asked: of the frames that may be looked at, validation frames.

    Returns:
        A predictor whose squared errors at hidden pixels of these frames are its variances, on average.
    """
    mean, variance = predict(asked)
    shown = slice(asked.frames.start, asked.frames.stop)
    truth = field.values[shown]
    hidden = np.isfinite(truth) & ~asked.known[shown]
    if variance is None or not hidden.any():
        return predict
    factor = np.mean((truth - mean)[hidden] ** 2 / variance[hidden])
    if not 0 < factor < np.inf:
        return predict

    def scaled(task: Task) -> tuple[Grid, Grid | None]:
        mean, variance = predict(task)
        return mean, None if variance is None else factor * variance

    return scaled


def evaluate_average(
    prediction_paths: Sequence[Path],
    *,
    field_path: Path,
    masks_path: Path,
    frames: Frames,
    headline: str,
    **evaluation: Any,
) -> None:
    """Evaluate the average of several models, from predictions under the same protocols.

    Its variances are :func:`calibrated` on validation frames, under the headline's protocol.
    """
    field, (masks, settings) = load_field(field_path), load_masks(masks_path)
    predict = averaged(prediction_paths, settings.name)
    if predict is None:
        logger.warning("the average on %s has no scores: all fits failed", settings.name)
    else:
        present = np.isfinite(field.values[: frames.total])
        predict = calibrated(predict, field, task(headline, "validation", frames, masks, present))
    write_evaluation(
        AVERAGE,
        predict,
        field_path=field_path,
        masks_path=masks_path,
        frames=frames,
        headline=headline,
        **evaluation,
    )


def _name(task: Task) -> str:
    """A name of what is predicted from which pixels."""
    asked = f"{task.frames} {task.causal} {task.known.shape} ".encode() + np.packbits(task.known).tobytes()
    return hashlib.sha256(asked).hexdigest()[:24]
