import jax
import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal
from tests.helpers import shared_folder

from spatial_prediction.errors import CheckpointError
from spatial_prediction.gaussian_process import NegativeLogLikelihood, Standardisation, fit
from spatial_prediction.gaussian_process.kernels import Matern, OnAxes
from spatial_prediction.named_arrays import load_arrays
from spatial_prediction.studies.interpolation.amplitude import Modulated, log_amplitude
from spatial_prediction.studies.interpolation.config import FitSettings, Frames, MaskSettings
from spatial_prediction.studies.interpolation.drift import Drifting
from spatial_prediction.studies.interpolation.fields.field import Field, save_field
from spatial_prediction.studies.interpolation.fields.netcdf import read_netcdf_field
from spatial_prediction.studies.interpolation.fields.synthetic import synthetic_field
from spatial_prediction.studies.interpolation.masks import draw_masks, save_masks
from spatial_prediction.studies.interpolation.models import parameters, starting_model, with_parameters
from spatial_prediction.studies.interpolation.protocols import Task, task
from spatial_prediction.studies.interpolation.stages.fit import fit_process
from spatial_prediction.studies.interpolation.stages.prediction import (
    evaluate_process,
    load_process,
    process_predictor,
)

FRAMES = Frames(6, 2, 2)
SHAPE = (6, 4, 5)
PUBLISHED = shared_folder("data") / "temperature" / "continuous_signal_demo_dataset.nc"


def prepared(folder, field, frames, settings):
    masks = draw_masks(frames, *field.values.shape[1:], settings)
    save_field(folder / "field.safetensors", field)
    save_masks(folder / "masks.safetensors", masks, settings)
    return {"field_path": folder / "field.safetensors", "masks_path": folder / "masks.safetensors"}


@pytest.fixture
def inputs(tmp_path):
    field = synthetic_field(frames=10, rows=4, columns=5, seed=0)
    return prepared(tmp_path, field, FRAMES, MaskSettings("dynamic", "dynamic", 0.5, 0))


def fitted(name, inputs, frames=FRAMES, **settings):
    path = inputs["field_path"].with_name(f"{name}.safetensors")
    options = FitSettings(**{"steps": 4} | settings)
    fit_process(name, **inputs, frames=frames, settings=options, output=path)
    return path


def evaluated(name, path, inputs, frames=FRAMES, condition_on=("train", "train_and_part")):
    scores, pictures = (path.with_name(f"{name}.{ending}") for ending in ("parquet", "pictures.safetensors"))
    evaluate_process(
        name,
        **inputs,
        fit_path=path,
        frames=frames,
        condition_on=condition_on,
        headline=condition_on[-1],
        pictured=("validation", "test"),
        scores_path=scores,
        reconstruction_path=pictures,
        predictions_path=path.with_name(f"{name}.predictions.safetensors"),
    )
    return pd.read_parquet(scores), load_arrays(pictures)[0]


@pytest.mark.parametrize(
    "name", ["matern-rbf", "spectral-periodic", "softdisabled-matern", "static_product", "static_drifting"]
)
@pytest.mark.parametrize("scaling", ["standard", "maximum"])
def test_parameters_survive_their_file(name, scaling):
    model = starting_model(name, scaling=scaling, shape=SHAPE)
    arrays = {key: np.asarray(value + 0.5) for key, value in parameters(model).items()}
    changed = with_parameters(model, arrays)
    assert parameters(changed).keys() == arrays.keys()
    for key, value in parameters(changed).items():
        np.testing.assert_array_equal(value, arrays[key])


def test_weather_without_wind_is_a_product_and_with_wind_it_reappears_downwind():
    space, clock = Matern(np.zeros(2)), Matern(np.zeros(()), nu=1.5)
    points = np.random.default_rng(0).normal(size=(6, 3))
    still = Drifting(space, clock, np.zeros(2))
    product = OnAxes(space, (1, 2)) * OnAxes(clock, (0,))
    np.testing.assert_allclose(still(points, points), product(points, points), rtol=1e-12)
    windy = Drifting(space, clock, np.array([1.0, -2.0]))
    before, after = np.zeros((1, 3)), np.array([[3.0, 3.0, -6.0]])
    np.testing.assert_allclose(windy(before, after), clock(before[:, :1], after[:, :1]), rtol=1e-12)
    with jax.enable_x64(True):
        diagonal = np.asarray(windy.diagonal(points))
    np.testing.assert_allclose(diagonal, np.diag(windy(points, points)), rtol=1e-12)


def test_points_that_coincide_but_for_rounding_have_the_likelihood_of_points_that_do():
    """jaxlib 0.10.2 gives the value wrong, and only beside its gradient, where distances are 1e-17."""
    rng = np.random.default_rng(0)
    mask = rng.random((6, 4, 5)) < 0.5
    values = rng.normal(size=mask.sum())
    start = starting_model("static_drifting", scaling="standard", shape=SHAPE)
    arrays = parameters(start)
    arrays["kernel.second.raw_velocity"] = np.full(2, 1e-4)
    model = with_parameters(start, arrays)
    posterior = model.condition(mask, values)
    loss = NegativeLogLikelihood(posterior, len(values))
    dense = np.array(model.covariance(posterior.points, posterior.points))
    dense += float(model.noise_variance) * np.eye(len(values))
    expected = -multivariate_normal(cov=dense).logpdf(values) / len(values)
    assert fit(model, loss, steps=1).history[0] == pytest.approx(expected, rel=1e-10)


def test_amplitudes_are_the_pixels_standard_deviations_and_modulate_the_kernel():
    rng = np.random.default_rng(0)
    true = np.exp(np.linspace(-1, 1, 20))[:, None] * np.ones((20, 12))
    values = 280 + 30 * rng.normal(size=(20, 12)) + true * rng.normal(size=(60, 20, 12))
    known = np.where(rng.random(values.shape) < 0.8, np.nan, values)
    found = log_amplitude(known)
    assert abs(found.mean()) < 1e-12
    np.testing.assert_allclose(found, np.log(true), atol=0.35)
    kernel = Drifting(Matern(np.zeros(2)), Matern(np.zeros(())), np.zeros(2))
    points = np.array([[0.0, 0, 0], [1, 19, 3], [2, 5, 5]])
    factors = np.exp(0.5 * found[[0, 19, 5], [0, 3, 5]])
    modulated = Modulated(kernel, np.array(0.5), tuple(map(tuple, found.tolist())))
    expected = kernel(points, points) * np.outer(factors, factors)
    np.testing.assert_allclose(modulated(points, points), expected, rtol=1e-12)
    with jax.enable_x64(True):
        diagonal = np.asarray(modulated.diagonal(points))
    np.testing.assert_allclose(diagonal, factors**2, rtol=1e-12)


def test_pixels_that_differ_in_their_amplitude_are_less_alike():
    amplitudes = np.array([[0.0, 0.0, 1.0, 1.0]])
    start = starting_model(
        "static_coastal", scaling="standard", shape=(6, 1, 4), amplitudes=amplitudes.tolist()
    )
    points = np.array([[0.0, 0, 0], [0, 0, 1], [0, 0, 2], [1, 0, 3]])
    covariances = start.covariance(points, points)
    same, across = covariances[0, 1], covariances[1, 2] / np.exp(1.0)
    assert across < 0.9 * same
    with jax.enable_x64(True):
        np.testing.assert_allclose(start.covariance.diagonal(points), np.diag(covariances), rtol=1e-12)
    assert np.linalg.eigvalsh(covariances).min() > 0


@pytest.mark.parametrize("known", [np.full((3, 2, 2), np.nan), np.ones((3, 2, 2)), np.ones((1, 2, 2))])
def test_without_variation_all_pixels_are_as_lively(known):
    assert (log_amplitude(known) == 0).all()


def test_parameters_of_another_model_are_refused():
    arrays = parameters(starting_model("matern-rbf", scaling="standard", shape=SHAPE))
    with pytest.raises(CheckpointError, match="are not those of this model"):
        with_parameters(starting_model("periodic-rbf", scaling="standard", shape=SHAPE), arrays)


def test_the_references_starts_are_all_zero_and_ours_have_distinct_mixtures():
    reference = parameters(starting_model("spectral-spectral", scaling="maximum", shape=SHAPE))
    assert all((value == 0).all() for value in reference.values())
    ours = parameters(starting_model("spectral-spectral", scaling="standard", shape=SHAPE))
    frequencies = next(value for key, value in ours.items() if "space" in key and "frequencies" in key)
    assert (frequencies[0] != frequencies[1]).all()


@pytest.mark.parametrize("name", ["matern-rbf", "static_product", "static_modulated"])
def test_a_fit_lowers_its_loss_and_predicts_in_the_fields_units(name, inputs):
    path = fitted(name, inputs)
    _, _, record = load_process(path)
    assert record["status"] in ("steps", "converged")
    history = record["history"]
    assert record["loss"] == min(history) < history[0]
    assert record["observations"] > 0
    scores, arrays = evaluated(name, path, inputs)
    assert set(scores["condition_on"]) == {"train", "train_and_part"}
    assert scores["coverage"].between(0.3, 1).all()
    assert np.isnan(arrays["mean"][:6]).all()
    assert 240 < arrays["mean"][6:].min() < arrays["mean"][6:].max() < 310
    assert (arrays["variance"][6:] > 0).all()
    spread = read_truth(inputs).std() / scores["scale"].iloc[0]
    assert (scores[scores["condition_on"] == "train_and_part"]["rmse"] < spread).all()


@pytest.mark.parametrize("name", ["softdisabled-rbf", "static_modulated"])
def test_a_causal_prediction_of_a_frame_is_that_of_a_model_that_never_saw_the_next(name, inputs):
    field = synthetic_field(frames=10, rows=4, columns=5, seed=0)
    masks = draw_masks(FRAMES, 4, 5, MaskSettings("dynamic", "dynamic", 0.5, 0))
    amplitudes = np.linspace(-0.5, 0.5, 20).reshape(4, 5).tolist()
    model = starting_model(name, scaling="standard", shape=SHAPE, amplitudes=amplitudes)
    predict = process_predictor(model, Standardisation.of(field.values), field.values)
    asked = task("causal", "test", FRAMES, masks, np.ones_like(masks.observed))
    mean, variance = predict(asked)
    for index, one in enumerate(asked.by_frame()):
        expected = predict(Task(one.frames, one.known))
        np.testing.assert_allclose(mean[index], expected[0][0], rtol=1e-10)
        np.testing.assert_allclose(variance[index], expected[1][0], rtol=1e-8)


def read_truth(inputs):
    return load_arrays(inputs["field_path"])[0]["values"]


def test_restarts_and_adam_leave_their_traces(inputs):
    _, _, record = load_process(fitted("softdisabled-rbf", inputs, restarts=2, optimiser="adam", steps=6))
    assert len(record["statuses"]) == 2
    assert record["best_step"] in (5, 6)
    assert record["validation_loss"] is not None


def test_a_fit_that_cannot_be_is_a_result(inputs, monkeypatch):
    from spatial_prediction.gaussian_process import sizes

    monkeypatch.setattr(sizes, "LARGEST_MATRIX", 10)
    path = fitted("static_product", inputs)
    assert load_process(path)[2]["status"].startswith("failed: ")
    scores, arrays = evaluated("static_product", path, inputs)
    assert len(scores) == 0
    assert {"mae", "model", "mask"} <= set(scores)
    assert np.isnan(arrays["mean"]).all()


def test_a_fit_of_other_masks_is_refused(inputs, tmp_path):
    path = fitted("softdisabled-rbf", inputs)
    (tmp_path / "other").mkdir()
    field = synthetic_field(frames=10, rows=4, columns=5, seed=0)
    other = prepared(tmp_path / "other", field, FRAMES, MaskSettings("fixed", "fixed", 0.5, 0))
    with pytest.raises(CheckpointError, match=r"not of softdisabled-rbf on fixed_0\.5_seed0"):
        evaluated("softdisabled-rbf", path, other)


def test_a_constant_field_is_predicted(tmp_path):
    field = Field(np.full((10, 4, 5), 280.0), "t", "K", "made here", True)
    inputs = prepared(tmp_path, field, FRAMES, MaskSettings("dynamic", "dynamic", 0.5, 0))
    scores, _ = evaluated("softdisabled-rbf", fitted("softdisabled-rbf", inputs), inputs)
    assert (scores["mae"] < 1e-3).all()


@pytest.mark.slow
@pytest.mark.skipif(not PUBLISHED.exists(), reason="no folder shared/data/temperature beside the checkout")
def test_the_reference_protocol_gives_the_numbers_measured_before(tmp_path):
    """disabled/rbf, dynamic masks that hide 90 %: 100 steps of Adam from the reference study's start."""
    frames = Frames(50, 10, 10)
    settings = MaskSettings("dynamic", "dynamic", 0.9, 0, "reference")
    inputs = prepared(tmp_path, read_netcdf_field(PUBLISHED), frames, settings)
    path = fitted("disabled-rbf", inputs, frames, optimiser="adam", steps=100, scaling="maximum")
    _, _, record = load_process(path)
    assert record["observations"] == 4083
    assert record["history"][99] == pytest.approx(-2.8562, rel=0.001)
    scores, _ = evaluated("disabled-rbf", path, inputs, frames, ("train", "train_redrawn"))
    scores = scores[(scores["part"] == "test") & (scores["pixels"] == "all")].set_index("condition_on")
    found = scores.loc["train", ["mae", "rmse", "mean_variance", "coverage", "nlpd"]].tolist()
    assert found == pytest.approx([0.01080, 0.01469, 2.11e-4, 0.929, -2.802], rel=0.01)
    assert scores.loc["train", "correlation"] == pytest.approx(0.077, abs=0.001)
    assert scores.loc["train_redrawn", ["mae", "rmse"]].tolist() == pytest.approx([0.01103, 0.015], rel=0.01)
