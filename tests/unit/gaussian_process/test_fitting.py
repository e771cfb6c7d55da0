"""Fits: both optimisers, when they stop, what is kept, and failures as results."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.gaussian_process import (
    AdditiveGridGP,
    NegativeLogLikelihood,
    NegativePredictiveDensity,
    kernel_from_name,
)
from spatial_prediction.gaussian_process.fitting import fit, fit_from, perturbed
from spatial_prediction.gaussian_process.starts import Standardisation, with_sensible_start

pytestmark = pytest.mark.usefixtures("quick_compilation")

MASK = np.random.default_rng(0).random((4, 3, 2)) < 0.7
VALUES = np.random.default_rng(1).normal(size=int(MASK.sum())) + MASK.nonzero()[1]


class Valley(eqx.Module):
    """Two parameters; the loss below is lowest at (1, 1)."""

    place: np.ndarray


def rosenbrock(valley):
    x, y = valley.place
    return (1.0 - x) ** 2 + 100.0 * (y - x**2) ** 2


def valley(*place):
    return Valley(np.array(place))


def test_lbfgs_finds_the_bottom_of_a_curved_valley_and_stops():
    result = fit(valley(-1.2, 1.0), rosenbrock, steps=100)
    assert result.status == "converged"
    np.testing.assert_allclose(result.model.place, 1.0, atol=1e-4)
    assert result.model.place.dtype == np.float64
    assert len(result.history) < 60
    assert np.all(np.diff(result.history) <= 1e-12)
    assert result.best_loss == result.history.min()


@pytest.mark.parametrize("optimiser", ["adam", "lbfgs"])
def test_all_steps_share_one_compilation(optimiser):
    traced = []

    def counted(valley):
        traced.append(valley)
        return rosenbrock(valley)

    fit(valley(-1.2, 1.0), counted, steps=1, optimiser=optimiser)
    once = len(traced)
    assert once
    fit(valley(-1.2, 1.0), counted, steps=4, optimiser=optimiser)
    assert len(traced) == once


def test_adam_takes_the_published_steps():
    place, first, second = np.array([-1.2, 1.0]), np.zeros(2), np.zeros(2)
    for step in range(1, 4):
        x, y = place
        gradient = np.array([-2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)])
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
        place = place - 0.1 * first / (1 - 0.9**step) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    reached = []

    def remembered(step, loss):
        reached.append(loss)

    result = fit(valley(-1.2, 1.0), rosenbrock, steps=3, optimiser="adam", tolerance=0.0, on_step=remembered)
    assert result.status == "steps"
    assert reached == list(result.history)
    assert result.history[-1] == pytest.approx(float(rosenbrock(Valley(place))), rel=1e-9)


def test_the_step_with_the_lowest_validation_loss_is_kept():
    result = fit(
        valley(-1.2, 1.0),
        rosenbrock,
        steps=7,
        optimiser="adam",
        validation_loss=lambda valley: (valley.place[0] + 1.0) ** 2,
        validate_every=2,
    )
    assert result.validated_steps == [2, 4, 6, 7]
    assert result.best_step == result.validated_steps[int(np.argmin(result.validation))]
    assert result.best_loss == (result.model.place[0] + 1.0) ** 2


def test_the_step_that_converges_is_judged():
    result = fit(
        valley(1.0, 1.0),
        rosenbrock,
        steps=5,
        validation_loss=lambda valley: jnp.sum(valley.place),
        validate_every=3,
    )
    assert result.status == "converged"
    assert (result.validated_steps, result.best_loss) == ([0], 2.0)


@pytest.mark.parametrize("optimiser", ["adam", "lbfgs"])
def test_a_loss_that_is_not_finite_ends_the_fit_as_failed(optimiser):
    result = fit(
        valley(-1.0, 1.0), lambda valley: jnp.sum(jnp.log(valley.place)), steps=3, optimiser=optimiser
    )
    assert result.status == "failed: loss is nan after 0 steps"
    assert result.failed
    np.testing.assert_array_equal(result.model.place, [-1.0, 1.0])
    late = fit(valley(0.15, 0.15), lambda valley: jnp.sum(jnp.sqrt(valley.place)), steps=3, optimiser="adam")
    assert late.failed
    assert np.isfinite(late.best_loss)
    assert np.isfinite(late.model.place).all()


def test_of_several_starts_the_best_that_did_not_fail_is_taken():
    def two_wells(valley):
        return jnp.sum((valley.place**2 - 1.0) ** 2 + 0.3 * valley.place) + 0.0 * jnp.log(
            5.0 - valley.place[0]
        )

    best, results = fit_from([valley(9.0), valley(1.0), valley(-1.0)], two_wells, steps=40)
    assert [result.failed for result in results] == [True, False, False]
    assert best is results[2]
    with pytest.raises(ConfigurationError, match="starts is empty"):
        fit_from([], two_wells, steps=1)
    with pytest.raises(ConfigurationError, match="at least 1"):
        fit(valley(1.0), two_wells, steps=0)


def test_restarts_differ_by_key():
    first, again, other = (perturbed(valley(0.0, 0.0), key=jax.random.key(seed)).place for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)
    assert first.dtype == np.float64


@pytest.fixture(scope="module")
def started():
    scaling = Standardisation.of(VALUES)
    times, pixels = np.arange(4.0)[:, None], np.argwhere(np.ones((3, 2)))
    model = AdditiveGridGP(
        with_sensible_start(kernel_from_name("spectral", 1), times),
        with_sensible_start(kernel_from_name("matern", 2, ard=True), pixels),
        raw_noise=-2.0,
        noise_floor=1e-6,
    )
    return model.condition(MASK, scaling.apply(VALUES))


def test_likelihood_of_a_model_rises(started):
    result = fit(started.model, NegativeLogLikelihood(started, len(VALUES)), steps=15)
    assert not result.failed
    assert result.history[-1] < result.history[0] - 0.05
    frequencies = result.model.time.kernel.raw_frequencies
    assert abs(frequencies[0, 0] - frequencies[1, 0]) > 1e-3  # distinct starts stay distinct
    fitted = started.with_model(result.model)
    assert -float(fitted.log_marginal_likelihood()) / len(VALUES) == pytest.approx(result.best_loss, rel=1e-9)


def test_predictive_density_is_a_loss_too(started):
    further = np.zeros((4, 3, 2), bool)
    further[3] = True
    loss = NegativePredictiveDensity.of(started, further, np.arange(6.0))
    assert float(loss(started.model)) == pytest.approx(
        -float(started.log_density(further, np.arange(6.0))) / 6, rel=1e-9
    )


@pytest.mark.parametrize("shape", [(5, 1, 3), (1, 3, 2), (4, 1, 1)])
def test_a_constant_field_on_a_degenerate_grid_is_fitted(shape):
    mask = np.ones(shape, bool)
    values = np.full(mask.sum(), 0.1)
    scaling = Standardisation.of(values)
    times, pixels = np.arange(float(shape[0]))[:, None], np.argwhere(mask[0])
    model = AdditiveGridGP(
        with_sensible_start(kernel_from_name("rbf", 1), times),
        with_sensible_start(kernel_from_name("periodic", 2), pixels),
    )
    posterior = model.condition(mask, scaling.apply(values))
    result = fit(model, NegativeLogLikelihood(posterior, len(values)), steps=5)
    assert not result.failed
    mean, variance = scaling.undo(*posterior.with_model(result.model).predict_grid(times[:, 0]))
    np.testing.assert_allclose(mean, 0.1, atol=1e-3)
    assert (variance > 0).all()


def test_parameters_at_their_bounds_are_right_or_a_failure_not_an_exception(started):
    vanished = eqx.tree_at(lambda model: model.space.kernel.raw_lengthscale, started.model, np.full(2, -1e3))
    assert fit(vanished, NegativeLogLikelihood(started, len(VALUES)), steps=1).failed
    noise = eqx.tree_at(lambda model: model.raw_noise, started.model, np.array(-1e3))
    assert float(noise.noise_variance) == noise.noise_floor
    assert np.isfinite(started.with_model(noise).log_marginal_likelihood())


def test_values_are_scaled_by_their_own_spread_and_back():
    scaling = Standardisation.of(VALUES)
    scaled = scaling.apply(VALUES)
    assert scaled.mean() == pytest.approx(0.0, abs=1e-12)
    assert scaled.std() == pytest.approx(1.0)
    mean, variance = scaling.undo(scaled, np.ones(len(scaled)))
    np.testing.assert_allclose(mean, VALUES)
    np.testing.assert_allclose(variance, VALUES.std() ** 2)
    assert Standardisation.of(np.full(3, 0.1)).scale == 1.0
