"""What a caller sees of the additive model: types, settings left alone, names, and errors."""

import jax
import numpy as np
import pytest

from spatial_prediction.errors import ConfigurationError, ObservationError
from spatial_prediction.gaussian_process import AdditiveGridGP, kernel_from_name

pytestmark = pytest.mark.usefixtures("quick_compilation")

MASK = np.random.default_rng(0).random((4, 3, 2)) < 0.6
VALUES = np.random.default_rng(1).normal(size=int(MASK.sum()))


@pytest.fixture(scope="module")
def model():
    return AdditiveGridGP(kernel_from_name("matern", 1), kernel_from_name("rbf", 2))


def test_all_is_float64_and_the_setting_is_left_as_it_was(model):
    assert not jax.config.read("jax_enable_x64")
    posterior = model.condition(MASK, VALUES.astype(np.float32))
    results = [posterior.log_marginal_likelihood(), *posterior.predict(np.zeros((1, 3)))]
    results += posterior.predict_grid([0, 1.5])
    assert all(isinstance(result, np.ndarray) and result.dtype == np.float64 for result in results)
    assert results[-1].shape == (2, 3, 2)
    assert not jax.config.read("jax_enable_x64")
    assert jax.numpy.ones(1).dtype == np.float32


def test_gradient_is_that_of_finite_differences_by_name():
    raw = {"raw_mean": 0.2, "raw_noise": -1.0, "raw_space_os": 0.3, "raw_space_ls": 0.5}

    def likelihood(raw):
        posterior = AdditiveGridGP.from_raw_parameters("disabled", "rbf", raw).condition(MASK, VALUES)
        return posterior.log_marginal_likelihood()

    with jax.enable_x64(True):
        found = jax.grad(likelihood)({name: np.float64(value) for name, value in raw.items()})
    for name, value in raw.items():
        above, below = (float(likelihood(raw | {name: value + step})) for step in (1e-5, -1e-5))
        assert float(found[name]) == pytest.approx((above - below) / 2e-5, rel=1e-6), name


def test_more_points_than_one_call_takes_are_predicted_alike(model, monkeypatch):
    posterior = model.condition(MASK, VALUES)
    points = np.random.default_rng(2).uniform(0, 4, (7, 3))
    whole = posterior.predict(points)
    monkeypatch.setattr("spatial_prediction.gaussian_process._posterior.CHUNK", 3)
    np.testing.assert_allclose(posterior.predict(points), whole, rtol=1e-12)
    assert posterior.predict(np.zeros((0, 3)))[0].shape == (0,)


def test_coordinates_count_as_distances(model):
    times, rows, columns = np.array([0.0, 1.0, 4.0, 9.0]), np.array([5.0, 3.0, 0.0]), np.array([10.0, 30.0])
    spread = model.condition(MASK, VALUES, times=times, rows=rows, columns=columns)
    assert float(spread.log_marginal_likelihood()) != float(
        model.condition(MASK, VALUES).log_marginal_likelihood()
    )
    t, r, c = np.argwhere(~MASK)[0]
    point = np.array([[times[t], rows[r], columns[c]]])
    assert spread.predict(point)[0][0] == pytest.approx(
        spread.predict_grid([times[t]])[0][0, r, c], rel=1e-12
    )


def test_further_frames_follow_the_grid(model):
    posterior = model.condition(MASK, VALUES)
    longer = np.zeros((6, 3, 2), bool)
    longer[5, 0] = True
    assert np.isfinite(posterior.log_density(longer, [0.1, 0.2]))
    with pytest.raises(ObservationError, match="condition on a mask with all frames"):
        model.condition(MASK, VALUES, times=[0, 2, 3, 4]).log_density(longer, [0.1, 0.2])
    with pytest.raises(ObservationError, match=r"rows and columns must be \(3, 2\)"):
        posterior.log_density(np.ones((4, 2, 3), bool), np.zeros(24))


@pytest.mark.parametrize(
    ("mask", "values", "options", "message"),
    [
        (np.zeros((2, 2, 2), bool), [], {}, "nothing is observed"),
        (np.ones((2, 2), bool), np.zeros(4), {}, r"must be \(frames, rows, columns\)"),
        (MASK, VALUES[1:], {}, "observations ask for"),
        (MASK, np.where(np.arange(len(VALUES)) == 3, np.nan, VALUES), {}, r"first values\[3\] = nan"),
        (2 * MASK.astype(int), VALUES, {}, "values other than 0 and 1"),
        (MASK, VALUES, {"times": [0, 1, 1, 2]}, "sorted and without duplicates"),
        (MASK, VALUES, {"rows": [0.0, 1.0]}, "rows has shape"),
        (MASK, VALUES, {"columns": [0.0, np.nan]}, "columns must be finite"),
    ],
)
def test_odd_observations_are_refused(model, mask, values, options, message):
    with pytest.raises(ObservationError, match=message):
        model.condition(mask, values, **options)


@pytest.mark.parametrize("points", [np.zeros(3), np.zeros((1, 2)), np.full((1, 3), np.inf)])
def test_odd_points_are_refused(model, points):
    with pytest.raises(ObservationError, match="points"):
        model.condition(MASK, VALUES).predict(points)


def test_odd_raw_parameters_are_refused():
    with pytest.raises(ConfigurationError, match="have no parameter raw_time_per"):
        AdditiveGridGP.from_raw_parameters("rbf", "rbf", {"raw_time_per": 0.0})
    for raw in ({"raw_noise": 0.0}, {"raw_mean": np.zeros(1), "raw_noise": 0.0}):
        with pytest.raises(ConfigurationError, match="raw_mean is missing or no scalar"):
            AdditiveGridGP.from_raw_parameters("rbf", "rbf", raw)
