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
from spatial_prediction.studies.interpolation.masks import load_masks
from spatial_prediction.studies.interpolation.protocols import Task
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


def evaluate_average(
    prediction_paths: Sequence[Path], *, masks_path: Path, frames: Frames, **evaluation: Any
) -> None:
    """Evaluate the average of several models, from predictions under the same protocols."""
    predict = averaged(prediction_paths, mask := load_masks(masks_path)[1].name)
    if predict is None:
        logger.warning("the average on %s has no scores: all fits failed", mask)
    write_evaluation(AVERAGE, predict, masks_path=masks_path, frames=frames, **evaluation)


def _name(task: Task) -> str:
    """A name of what is predicted from which pixels."""
    asked = f"{task.frames} {task.causal} {task.known.shape} ".encode() + np.packbits(task.known).tobytes()
    return hashlib.sha256(asked).hexdigest()[:24]
