"""Laws of Gaussian processes on a grid, against dense NumPy."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from tests import dense_gaussian

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.gaussian_process import AdditiveGridGP, DenseGP, KroneckerGP, StaticProductGP
from spatial_prediction.gaussian_process._grid import GridObservations
from spatial_prediction.gaussian_process._sufficient_statistics import SufficientStatistics
from spatial_prediction.gaussian_process.iterative import mean_by_conjugate_gradients
from spatial_prediction.gaussian_process.kernels import RBF, Disabled, Matern, Scaled, unconstrained

pytestmark = pytest.mark.usefixtures("quick_compilation")

SHAPE = (3, 2, 3)
MEAN, NOISE, TIME_VARIANCE, SPACE_VARIANCE, TIME_LENGTH, SPACE_LENGTH = 0.3, 0.05, 0.7, 1.3, 1.5, 2.0
TIME = Scaled(RBF(unconstrained(TIME_LENGTH)), unconstrained(TIME_VARIANCE))
SPACE = Scaled(Matern(unconstrained(SPACE_LENGTH)), unconstrained(SPACE_VARIANCE))
COMMON = {"mean": MEAN, "raw_noise": unconstrained(NOISE), "noise_floor": 0.0}
WANTED = np.array([[0.0, 0.0, 0.0], [1.5, 1.0, 2.0], [4.0, 0.5, 1.0]])

masks = arrays.arrays(bool, SHAPE).filter(np.any)


def of_time(x, y):
    return TIME_VARIANCE * dense_gaussian.rbf(x[:, :1], y[:, :1], TIME_LENGTH)


def of_space(x, y):
    return SPACE_VARIANCE * dense_gaussian.matern(x[:, 1:], y[:, 1:], SPACE_LENGTH)


def additive(x, y):
    return of_time(x, y) + of_space(x, y)


def product(x, y):
    return of_time(x, y) * of_space(x, y)


def values_of(mask, seed=0):
    return np.random.default_rng(seed).normal(size=int(mask.sum()))


def check(posterior, kernel, mask, values):
    """Likelihood, predictions at points and on the grid are those of a dense matrix."""
    points = dense_gaussian.points_of(mask)
    covariance = kernel(points, points) + NOISE * np.eye(len(points))
    assert float(posterior.log_marginal_likelihood()) == pytest.approx(
        dense_gaussian.log_density(covariance, values - MEAN), rel=1e-10
    )
    found = posterior.predict(WANTED)
    wanted = dense_gaussian.conditioned(kernel, points, values, WANTED, mean=MEAN, noise=NOISE)
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9)
    cells = np.column_stack([np.full(6, 1.5), np.argwhere(np.ones(SHAPE[1:]))])
    mean, variance = posterior.predict_grid([1.5])
    wanted = dense_gaussian.conditioned(kernel, points, values, cells, mean=MEAN, noise=NOISE)
    np.testing.assert_allclose([mean.ravel(), variance.ravel()], wanted, rtol=1e-9, atol=1e-9)


@settings(max_examples=6)
@given(mask=masks)
def test_structured_solver_is_the_dense_one_whatever_the_mask(mask):
    values = values_of(mask)
    check(AdditiveGridGP(TIME, SPACE, **COMMON).condition(mask, values), additive, mask, values)


@pytest.mark.parametrize("odd", ["empty frame", "unobserved pixel", "two components", "one cell", "all"])
def test_structured_solver_is_the_dense_one_for_odd_masks(odd):
    mask = np.ones(SHAPE, bool)
    match odd:
        case "empty frame":
            mask[1] = False
        case "unobserved pixel":
            mask[:, 1, 1] = False
        case "two components":
            mask[:] = False
            mask[0, 0], mask[1:, 1] = True, True
        case "one cell":
            mask[:] = False
            mask[1, 1, 2] = True
    values = values_of(mask)
    check(AdditiveGridGP(TIME, SPACE, **COMMON).condition(mask, values), additive, mask, values)


@settings(max_examples=50)
@given(mask=masks)
def test_rank_is_pixels_and_frames_minus_connected_components(mask):
    flat = mask.reshape(SHAPE[0], -1)
    frames, pixels = flat.shape
    graph = coo_array((np.ones(flat.sum()), np.nonzero(flat)), shape=(frames, pixels)).toarray()
    both = np.block([[np.zeros((frames, frames)), graph], [graph.T, np.zeros((pixels, pixels))]])
    observed = np.concatenate([flat.any(axis=1), flat.any(axis=0)])
    components, _ = connected_components(both[np.ix_(observed, observed)])
    statistics = SufficientStatistics.of(GridObservations.of(mask, values_of(mask)))
    assert statistics.projected.size == observed.sum() - components


@settings(max_examples=30)
@given(mask=masks, seed=st.integers(0, 99))
def test_statistics_keep_the_sum_of_squares_and_forget_the_order(mask, seed):
    values = 1000 + values_of(mask, seed)
    observations = GridObservations.of(mask, values)
    statistics = SufficientStatistics.of(observations)
    kept = statistics.projected @ statistics.projected + statistics.residual_sum_of_squares
    assert kept == pytest.approx(values @ values, rel=1e-12)
    order = np.random.default_rng(seed).permutation(len(values))
    shuffled = SufficientStatistics.of(
        GridObservations(
            observations.grid, observations.frames[order], observations.pixels[order], values[order]
        )
    )
    np.testing.assert_allclose(shuffled.projected, statistics.projected, rtol=1e-9, atol=1e-9)
    assert shuffled.residual_sum_of_squares == pytest.approx(statistics.residual_sum_of_squares, abs=1e-9)


def test_without_time_it_is_regression_on_the_means_of_pixels():
    mask = np.random.default_rng(3).random(SHAPE) < 0.7
    values = values_of(mask)
    model = AdditiveGridGP(Disabled(), SPACE, **COMMON)
    points = dense_gaussian.points_of(mask)
    pixels, index, counts = np.unique(points[:, 1:], axis=0, return_inverse=True, return_counts=True)
    means = np.bincount(index.ravel(), values) / counts
    located = np.column_stack([np.zeros(len(pixels)), pixels])
    covariance = of_space(located, located) + np.diag(NOISE / counts)
    mean = MEAN + of_space(WANTED, located) @ np.linalg.solve(covariance, means - MEAN)
    np.testing.assert_allclose(model.condition(mask, values).predict(WANTED)[0], mean, rtol=1e-10)


def test_product_on_a_fixed_mask_is_the_dense_one():
    mask = np.zeros(SHAPE, bool)
    mask[::2, 0], mask[::2, 1, 2] = True, True  # frame 1 is not observed at all
    values = values_of(mask)
    check(KroneckerGP(TIME, SPACE, **COMMON).condition(mask, values), product, mask, values)


def test_static_and_product_is_the_dense_one():
    mask = np.random.default_rng(5).random(SHAPE) < 0.6
    values = values_of(mask)
    model = StaticProductGP(SPACE, SPACE, TIME, **COMMON)
    check(model.condition(mask, values), lambda x, y: of_space(x, y) + product(x, y), mask, values)
    assert isinstance(model.condition(mask, values).model, StaticProductGP)


@settings(max_examples=4)
@given(mask=masks, further=masks)
def test_density_of_further_observations_is_that_of_the_conditional_distribution(mask, further):
    assume(mask.sum() + further.sum() < 20)
    values, more = values_of(mask), values_of(further, seed=1)
    posterior = AdditiveGridGP(TIME, SPACE, **COMMON).condition(mask, values)
    both = np.concatenate([dense_gaussian.points_of(mask), dense_gaussian.points_of(further)])
    covariance = additive(both, both) + NOISE * np.eye(len(both))
    joint = dense_gaussian.log_density(covariance, np.concatenate([values, more]) - MEAN)
    known = dense_gaussian.log_density(covariance[: len(values), : len(values)], values - MEAN)
    assert float(posterior.log_density(further, more)) == pytest.approx(joint - known, rel=1e-9)


def test_known_errors_of_measurement_add_to_the_noise():
    points, values = np.array([[0.0, 0, 0], [1, 1, 0], [1, 1, 0]]), np.array([1.0, 2.0, 0.5])
    errors = np.array([0.1, 0.0, 2.0])
    kernel = StaticProductGP(SPACE, SPACE, TIME).covariance
    posterior = DenseGP(kernel, **COMMON).condition_points(points, values, noise_variances=errors)
    covariance = of_space(points, points) + product(points, points) + np.diag(NOISE + errors)
    assert float(posterior.log_marginal_likelihood()) == pytest.approx(
        dense_gaussian.log_density(covariance, values - MEAN), rel=1e-10
    )


def test_conjugate_gradients_find_the_dense_mean():
    mask = np.random.default_rng(6).random((4, 3, 4)) < 0.5
    mask[:, 1, 1] = False
    values = values_of(mask)
    model = StaticProductGP(SPACE, SPACE, TIME, **COMMON)
    found, steps = mean_by_conjugate_gradients(model, mask, values, [0.0, 2.5], tolerance=1e-11)
    wanted, _ = model.condition(mask, values).predict_grid([0.0, 2.5])
    np.testing.assert_allclose(found, wanted, atol=1e-9)
    assert 1 < steps <= 2 * mask.sum()  # as many as observations, were it not for rounding
    with pytest.raises(ConfigurationError, match=r"in max_steps = 1 steps; raise"):
        mean_by_conjugate_gradients(model, mask, values, [0.0], max_steps=1)
