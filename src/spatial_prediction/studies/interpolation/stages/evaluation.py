"""Predictions of validation and test frames under every protocol, for models and baselines alike."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float

from spatial_prediction.files import written_aside
from spatial_prediction.named_arrays import save_arrays
from spatial_prediction.studies.interpolation.baselines import BASELINES
from spatial_prediction.studies.interpolation.config import Frames, MaskSettings
from spatial_prediction.studies.interpolation.fields.field import Field, load_field
from spatial_prediction.studies.interpolation.masks import Masks, load_masks
from spatial_prediction.studies.interpolation.metrics import METRICS, pit_histogram, scores
from spatial_prediction.studies.interpolation.protocols import Task, task

Grid = Float[np.ndarray, "predicted rows columns"]
Predictor = Callable[[Task], tuple[Grid, Grid | None]]
"""From a task to mean and variance (None where there is none) of its frames, in the field's units; the
variance is that of an observation, noise included."""

NAMES = ("condition_on", "part", "pixels", "values", "scale", "units")
EVALUATED = ("validation", "test")
PIXELS = ("hidden", "all")
"""Pixels that were not known, which is the headline; or all that have a value."""


def evaluate(
    predict: Predictor, field: Field, masks: Masks, frames: Frames, condition_on: Sequence[str]
) -> pd.DataFrame:
    """Measure predictions, in units of the field's largest value in the training frames.

    Returns:
        One row per protocol (``condition_on``), part of the field and choice of pixels: those, the number of
        ``values`` compared, the ``scale`` that a unit stands for, in ``units``, every metric, and ``pit``, a
        list of counts, empty without a variance.
    """
    values = field.values[: frames.total] / (scale := field.scale(frames.of("train")))
    present, rows = np.isfinite(values), []
    for protocol in condition_on:
        for part in EVALUATED:
            asked = task(protocol, part, frames, masks, present)
            mean, variance = predict(asked)
            shown = slice(asked.frames.start, asked.frames.stop)
            truth, there, known = values[shown], present[shown], asked.known[shown]
            for pixels in PIXELS:
                chosen = there & ~known if pixels == "hidden" else there
                if not chosen.any():
                    continue
                compared = (truth[chosen], mean[chosen] / scale)
                spread = None if variance is None else variance[chosen] / scale**2
                row = {"condition_on": protocol, "part": part, "pixels": pixels, "values": int(chosen.sum())}
                row |= {"scale": scale, "units": field.units}
                pit = [] if spread is None else pit_histogram(*compared, spread).tolist()
                rows.append(row | scores(*compared, spread) | {"pit": pit})
    return pd.DataFrame(rows, columns=[*NAMES, *METRICS, "pit"])


def reconstruct(
    predict: Predictor,
    field: Field,
    masks: Masks,
    frames: Frames,
    condition_on: str,
    parts: Sequence[str],
) -> dict[str, np.ndarray]:
    """Predict every frame of some parts under one protocol, for pictures.

    Returns:
        ``mean`` and ``variance`` in the field's units, float32, NaN in other parts; and ``known``, uint8,
        what the prediction was given; all (frames, rows, columns).
    """
    present = np.isfinite(field.values[: frames.total])
    known = np.zeros(present.shape, np.uint8)
    mean, variance = np.full((2, *present.shape), np.nan, np.float32)
    for part in parts:
        asked = task(condition_on, part, frames, masks, present)
        shown = slice(asked.frames.start, asked.frames.stop)
        known[shown] = asked.known[shown]
        mean[shown], variance[shown] = predict(asked)
    return {"known": known, "mean": mean, "variance": variance}


def baseline_predictor(name: str, values: Float[np.ndarray, "frames rows columns"]) -> Predictor:
    """A baseline that is given the known ones of some values."""

    def predict(task: Task) -> tuple[Grid, Grid | None]:
        each = task.by_frame() if task.causal else [task]
        means = [BASELINES[name](np.where(one.known, values, np.nan), one.frames) for one in each]
        return np.concatenate(means), None

    return predict


def evaluate_baselines(
    field_path: Path, masks_path: Path, frames: Frames, condition_on: Sequence[str], *, output: Path
) -> None:
    """Evaluate every baseline on one choice of masks and write a table."""
    field = load_field(field_path)
    masks, settings = load_masks(masks_path)
    values = field.values[: frames.total]
    tables = [
        evaluate(baseline_predictor(name, values), field, masks, frames, condition_on).assign(
            model=name, kind="baseline"
        )
        for name in BASELINES
    ]
    write_scores(output, pd.concat(tables, ignore_index=True), settings)


def write_scores(path: Path, table: pd.DataFrame, settings: MaskSettings) -> None:
    """Write scores with the masks they are of as Parquet, complete or not at all."""
    described = table.assign(
        mask=settings.name, test_mask_type=settings.test_mask_type, seed=settings.seed, stream=settings.stream
    )
    with written_aside(path) as temporary:
        described.to_parquet(temporary, index=False)


def write_evaluation(
    name: str,
    predict: Predictor | None,
    *,
    field_path: Path,
    masks_path: Path,
    frames: Frames,
    condition_on: Sequence[str],
    headline: str,
    pictured: Sequence[str],
    scores_path: Path,
    reconstruction_path: Path,
) -> None:
    """Score a model under every protocol, and reconstruct the frames of some parts under one.

    Args:
        name: of the model.
        predict: the model; None for a fit that failed, which has a table without rows and a reconstruction
            of NaN.
        field_path: field.
        masks_path: masks on it.
        frames: lengths of its parts.
        condition_on: protocols.
        headline: that of the reconstruction.
        pictured: parts that are reconstructed.
        scores_path: table to write.
        reconstruction_path: reconstruction to write.
    """
    field, (masks, settings) = load_field(field_path), load_masks(masks_path)
    table = evaluate(predict or _nothing, field, masks, frames, condition_on if predict else [])
    write_scores(scores_path, table.assign(model=name, kind="model"), settings)
    arrays = reconstruct(predict or _nothing, field, masks, frames, headline, pictured)
    header = {
        "model": name,
        "mask": settings.name,
        "frames": asdict(frames),
        "condition_on": headline,
        "parts": list(pictured),
    }
    save_arrays(reconstruction_path, arrays, header)


def _nothing(task: Task) -> tuple[Grid, Grid | None]:
    unknown = np.full((len(task.frames), *task.known.shape[1:]), np.nan)
    return unknown, unknown
