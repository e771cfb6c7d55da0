"""Fits of hyperparameters."""

import logging
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import jax
import numpy as np

from spatial_prediction.errors import ObservationError
from spatial_prediction.gaussian_process import (
    NegativeLogLikelihood,
    NegativePredictiveDensity,
    Standardisation,
    fit_from,
    perturbed,
)
from spatial_prediction.gaussian_process.fitting import FAILED
from spatial_prediction.named_arrays import save_arrays
from spatial_prediction.provenance import provenance
from spatial_prediction.studies.interpolation.amplitude import log_amplitude
from spatial_prediction.studies.interpolation.config import (
    OF_AMPLITUDES,
    WEATHER_MODELS,
    FitSettings,
    Frames,
)
from spatial_prediction.studies.interpolation.fields.field import Field, load_field
from spatial_prediction.studies.interpolation.masks import Mask, Masks, load_masks
from spatial_prediction.studies.interpolation.models import Model, parameters, starting_model

logger = logging.getLogger(__name__)

BLOCK = 5
"""Frames in a row that the dense model is fitted to, block by block: enough to see weather move."""

VALIDATE_EVERY = 5
"""Steps of Adam between two looks at the validation frames."""


def fit_process(
    name: str,
    *,
    field_path: Path,
    masks_path: Path,
    frames: Frames,
    settings: FitSettings,
    output: Path,
) -> None:
    """Fit one model to the observed pixels of the training frames, and write parameters and record.

    The loss is the negative logarithm of the marginal likelihood, per observation. With Adam the step is kept
    at which the validation observations are likeliest given those of training, as the reference study does.
    A fit that fails, for want of memory or because a loss is not finite, is recorded with its reason.
    """
    field, (masks, mask_settings) = load_field(field_path), load_masks(masks_path)
    began = time.monotonic()
    shape = (frames.train, *field.values.shape[1:])
    known = np.where(_training(field, masks, frames), field.values[: frames.train], np.nan)
    amplitudes = log_amplitude(known).tolist() if name in OF_AMPLITUDES else []
    start = starting_model(name, scaling=settings.scaling, shape=shape, amplitudes=amplitudes)
    scaling = _scaling(settings.scaling, field, masks, frames)
    try:
        model, outcome = _fitted(name, start, scaling, field, masks, frames, settings)
    except ObservationError as error:
        model, outcome = start, {"status": f"{FAILED}: {error}", "steps": 0, "best_step": 0}
    record = {
        "model": name,
        "mask": mask_settings.name,
        "observations": int(_training(field, masks, frames).sum()),
        "loss": None,
        "validation_loss": None,
        "noise_deviation": None,
        **outcome,
        "centre": scaling.centre,
        "scale": scaling.scale,
        "shape": shape,
        "amplitudes": amplitudes,
        "seconds": time.monotonic() - began,
        "provenance": provenance(
            fitting=asdict(settings), frames=asdict(frames), masks=asdict(mask_settings)
        ),
    }
    logger.info("%s on %s: %s after %d steps", name, record["mask"], record["status"], record["steps"])
    save_arrays(output, parameters(model), record)


def _training(field: Field, masks: Masks, frames: Frames) -> Mask:
    """Observed pixels of the training frames that have a value."""
    return masks.observed[: frames.train] & np.isfinite(field.values[: frames.train])


def _scaling(kind: str, field: Field, masks: Masks, frames: Frames) -> Standardisation:
    if kind == "maximum":
        return Standardisation(0.0, field.scale(frames.of("train")))
    return Standardisation.of(field.values[: frames.train][_training(field, masks, frames)])


def _fitted(
    name: str,
    start: Model,
    scaling: Standardisation,
    field: Field,
    masks: Masks,
    frames: Frames,
    settings: FitSettings,
) -> tuple[Model, dict[str, Any]]:
    """Parameters, and what the record says of how they were found."""
    observed = _training(field, masks, frames)
    if name in WEATHER_MODELS:
        observed = observed & _blocks(observed, settings.dense_observations)[:, None, None]
    posterior = start.condition(observed, scaling.apply(field.values[: frames.train][observed]))
    loss = NegativeLogLikelihood(posterior, int(observed.sum()))
    judged = _validation_loss(posterior, scaling, field, masks, frames)
    adam = settings.optimiser == "adam"
    keys = jax.random.split(jax.random.key(settings.seed), settings.restarts)
    starts = [start, *(perturbed(start, key=key) for key in keys[1:])]
    best, results = fit_from(
        starts,
        loss,
        steps=settings.steps,
        optimiser=settings.optimiser,
        learning_rate=settings.learning_rate,
        # the reference study's Adam takes all steps
        **({"tolerance": 0.0, "validation_loss": judged, "validate_every": VALIDATE_EVERY} if adam else {}),
    )
    record: dict[str, Any] = {
        "status": best.status,
        "statuses": [result.status for result in results],
        "steps": len(best.history) - 1,
        "best_step": best.best_step,
        "history": [value if np.isfinite(value) else None for value in best.history.tolist()],
    }
    if not best.failed:
        record |= {
            "loss": float(best.history[best.best_step]),
            "validation_loss": None if judged is None else float(judged(best.model)),
            "noise_deviation": float(np.sqrt(best.model.noise_variance)) * scaling.scale,
        }
    return best.model, record


def _validation_loss(
    posterior: Any, scaling: Standardisation, field: Field, masks: Masks, frames: Frames
) -> NegativePredictiveDensity | None:
    """How likely the validation observations are given those fitted to; None where there are none."""
    numbers = frames.of("validation")
    mask = np.zeros_like(masks.observed[: numbers.stop])
    mask[numbers.start :] = masks.observed[numbers.start : numbers.stop]
    mask &= np.isfinite(field.values[: numbers.stop])
    if not mask.any():
        return None
    return NegativePredictiveDensity.of(posterior, mask, scaling.apply(field.values[: numbers.stop][mask]))


def _blocks(observed: Mask, most: int) -> np.ndarray:
    """Choose whole blocks of frames, spread evenly, of at most so many observations; at least one."""
    counts = observed.sum(axis=(1, 2))
    blocks = [range(first, min(first + BLOCK, len(counts))) for first in range(0, len(counts), BLOCK)]
    for number in range(len(blocks), 0, -1):
        places = np.unique(np.linspace(0, len(blocks) - 1, number).round().astype(int))
        chosen = np.zeros(len(counts), dtype=bool)
        for place in places:
            chosen[list(blocks[place])] = True
        if number == 1 or counts[chosen].sum() <= most:
            return chosen if counts[chosen].sum() else counts > 0
    raise AssertionError("there is always one block")
