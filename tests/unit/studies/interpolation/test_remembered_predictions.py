"""Predictions that are made once, and averages of them."""

import numpy as np
import pandas as pd
import pytest

from spatial_prediction.errors import CheckpointError
from spatial_prediction.studies.interpolation.config import Frames, MaskSettings
from spatial_prediction.studies.interpolation.fields.field import save_field
from spatial_prediction.studies.interpolation.fields.synthetic import synthetic_field
from spatial_prediction.studies.interpolation.masks import draw_masks, save_masks
from spatial_prediction.studies.interpolation.protocols import Task, task
from spatial_prediction.studies.interpolation.stages.evaluation import evaluate, reconstruct
from spatial_prediction.studies.interpolation.stages.remembered import (
    Remembered,
    averaged,
    calibrated,
    evaluate_average,
)

FRAMES = Frames(6, 2, 2)
SETTINGS = MaskSettings("dynamic", "dynamic", 0.6, 0)
FIELD = synthetic_field(frames=10, rows=4, columns=5, seed=0)
MASKS = draw_masks(FRAMES, 4, 5, SETTINGS)
TASK = Task(range(8, 10), MASKS.observed)


def constant(mean, variance, asked=None):
    """A model that always says the same."""

    def predict(task):
        if asked is not None:
            asked.append(task)
        return tuple(np.full((len(task.frames), 4, 5), value) for value in (mean, variance))

    return predict


def saved(path, mean, variance, *tasks, mask=SETTINGS.name, failed=False):
    remembered = Remembered(constant(mean, variance))
    for asked in tasks:
        remembered(asked)
    remembered.save(path, model="static_product", mask=mask, failed=failed)
    return path


def test_a_task_that_comes_again_is_not_predicted_again():
    asked = []
    remembered = Remembered(constant(280.0, 1.0, asked))
    evaluate(remembered, FIELD, MASKS, FRAMES, ["train", "train_and_part"])
    assert len(asked) == 4
    reconstruct(remembered, FIELD, MASKS, FRAMES, "train_and_part", ("train", "test"))
    assert [task.frames for task in asked[4:]] == [range(6)]
    remembered(Task(TASK.frames, TASK.known, causal=True))
    assert len(asked) == 6


def test_an_average_is_a_mixture_without_what_failed(tmp_path):
    paths = [
        saved(tmp_path / "a", 280.0, 1.0, TASK),
        saved(tmp_path / "b", 282.0, 4.0, TASK),
        saved(tmp_path / "c", 0.0, 0.0, failed=True),
    ]
    mean, variance = averaged(paths, SETTINGS.name)(TASK)
    assert mean.shape == (2, 4, 5)
    np.testing.assert_allclose(mean, 281.0)
    np.testing.assert_allclose(variance, 2.5 + 1.0)
    assert averaged(paths[2:], SETTINGS.name) is None


def test_predictions_of_other_masks_or_tasks_are_refused(tmp_path):
    path = saved(tmp_path / "a", 280.0, 1.0, TASK)
    with pytest.raises(CheckpointError, match=r"are predictions on dynamic_0\.6_seed0, not on fixed"):
        averaged([path], "fixed_0.6_seed0")
    with pytest.raises(CheckpointError, match="lacks a prediction that is asked for"):
        averaged([path], SETTINGS.name)(Task(range(6, 8), TASK.known))


def test_variances_are_calibrated_where_the_truth_is_known():
    asked = task("train_and_part", "validation", FRAMES, MASKS, np.isfinite(FIELD.values))
    predict = calibrated(constant(280.0, 4.0), FIELD, asked)
    mean, variance = predict(asked)
    shown = slice(asked.frames.start, asked.frames.stop)
    hidden = np.isfinite(FIELD.values[shown]) & ~asked.known[shown]
    np.testing.assert_allclose(np.mean((FIELD.values[shown] - mean)[hidden] ** 2 / variance[hidden]), 1)
    np.testing.assert_allclose(predict(TASK)[1], variance.flat[0])


@pytest.mark.parametrize("case", ["no variance", "nothing hidden", "no error"])
def test_what_cannot_be_calibrated_stays_as_it_is(case):
    asked = task("train_and_part", "validation", FRAMES, MASKS, np.isfinite(FIELD.values))
    if case == "nothing hidden":
        asked = Task(asked.frames, np.ones_like(asked.known))

    def predict(task):
        mean, variance = constant(280.0, 4.0)(task)
        if case == "no error":
            mean = FIELD.values[task.frames.start : task.frames.stop]
        return mean, None if case == "no variance" else variance

    assert calibrated(predict, FIELD, asked) is predict


@pytest.mark.parametrize("failed", [False, True])
def test_an_average_is_evaluated_like_a_model(tmp_path, failed):
    save_field(tmp_path / "field", FIELD)
    save_masks(tmp_path / "masks", MASKS, SETTINGS)
    remembered = Remembered(constant(280.0, 25.0))
    expected = evaluate(remembered, FIELD, MASKS, FRAMES, ["train", "causal"])
    remembered.save(tmp_path / "predictions", model="static_product", mask=SETTINGS.name, failed=failed)
    evaluate_average(
        [tmp_path / "predictions"],
        field_path=tmp_path / "field",
        masks_path=tmp_path / "masks",
        frames=FRAMES,
        condition_on=["train", "causal"],
        headline="causal",
        pictured=("test",),
        scores_path=tmp_path / "scores",
        reconstruction_path=tmp_path / "reconstruction",
    )
    found = pd.read_parquet(tmp_path / "scores")
    if failed:
        assert len(found) == 0
    else:
        assert set(found["model"]) == {"average"}
        np.testing.assert_array_equal(found["mae"], expected["mae"])
        hidden = found[(found["condition_on"] == "causal") & (found["part"] == "validation")].iloc[0]
        # of a Gaussian with one variance that fits its errors
        fitting = 0.5 * (1 + np.log(2 * np.pi * hidden["rmse"] ** 2))
        np.testing.assert_allclose(hidden["nlpd"], fitting, rtol=1e-6)
