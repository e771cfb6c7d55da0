"""The variational model: its bound, its training, and what it refuses."""

import equinox as eqx
import jax
import numpy as np
import pytest

from spatial_prediction.errors import ObservationError
from spatial_prediction.gaussian_process import DenseGP, SparseVariationalGP
from spatial_prediction.gaussian_process.kernels import RBF, Scaled, unconstrained

pytestmark = pytest.mark.usefixtures("quick_compilation")

POINTS = np.random.default_rng(0).uniform(0, 3, (12, 3))
VALUES = np.sin(POINTS.sum(axis=1))
KERNEL = Scaled(RBF(unconstrained(1.5)))


@pytest.fixture(scope="module")
def model():
    return SparseVariationalGP.at_observations(KERNEL, POINTS, 8, key=jax.random.key(0), raw_noise=-3.0)


def test_training_raises_the_bound_which_stays_below_the_likelihood(model):
    posterior = model.condition_points(POINTS, VALUES)
    before = float(posterior.log_marginal_likelihood())
    result = posterior.trained(epochs=40, batch_size=5, key=jax.random.key(1), learning_rate=0.05)
    assert result.status == "steps"
    assert len(result.history) == 40
    trained = posterior.with_model(result.model)
    after = float(trained.log_marginal_likelihood())
    assert after > before + 5
    exact = DenseGP(result.model.kernel, mean=result.model.mean, raw_noise=result.model.raw_noise)
    assert after < float(exact.condition_points(POINTS, VALUES).log_marginal_likelihood())
    assert (
        np.abs(trained.predict(POINTS)[0] - VALUES).mean()
        < np.abs(posterior.predict(POINTS)[0] - VALUES).mean()
    )


def test_with_all_inducing_points_and_the_exact_distribution_it_is_the_exact_model(model):
    """The best Gaussian q(v) for inducing points at all observations gives exact predictions."""
    noise = float(model.noise_variance)
    gram = KERNEL(POINTS, POINTS) + 1e-6 * np.eye(12)
    lower = np.linalg.cholesky(gram)
    precision = np.eye(12) + lower.T @ lower / noise
    covariance = np.linalg.inv(precision)
    best = eqx.tree_at(
        lambda m: (m.inducing_points, m.variational_mean, m.variational_factor),
        model,
        (POINTS, covariance @ lower.T @ VALUES / noise, np.linalg.cholesky(covariance)),
    )
    wanted = DenseGP(KERNEL, raw_noise=-3.0).condition_points(POINTS, VALUES)
    elsewhere = POINTS + 0.2
    for found, exact in zip(
        best.condition_points(POINTS, VALUES).predict(elsewhere), wanted.predict(elsewhere), strict=True
    ):
        np.testing.assert_allclose(found, exact, atol=2e-4)


def test_a_failure_keeps_the_last_finite_model(model):
    odd = eqx.tree_at(lambda m: m.raw_noise, model, np.array(np.nan))
    result = odd.condition_points(POINTS, VALUES).trained(epochs=2, batch_size=12, key=jax.random.key(0))
    assert result.status == "failed: loss is nan in epoch 0"
    np.testing.assert_array_equal(result.model.inducing_points, model.inducing_points)


def test_what_it_cannot_do_is_said(model):
    posterior = model.condition_points(POINTS, VALUES)
    with pytest.raises(ObservationError, match="no exact joint density"):
        posterior.log_density(np.ones((1, 1, 1), bool), [0.0])
    with pytest.raises(ObservationError, match="conditioned on points"):
        posterior.predict_grid([0.0])
    with pytest.raises(ObservationError, match=r"values has shape \(11,\)"):
        model.condition_points(POINTS, VALUES[1:])


def test_the_best_distribution_leaves_the_bound_no_way_up(model):
    errors = np.linspace(0.0, 0.3, 12)
    posterior = model.condition_points(POINTS, VALUES, noise_variances=errors)
    solved = posterior.solved()

    def bound(distribution):
        parts = lambda m: (m.variational_mean, m.variational_factor)  # noqa: E731
        return posterior.with_model(eqx.tree_at(parts, solved, distribution)).log_marginal_likelihood()

    with jax.enable_x64(True):
        best = (jax.numpy.asarray(solved.variational_mean), jax.numpy.asarray(solved.variational_factor))
        value, gradient = jax.value_and_grad(bound)(best)
    assert float(value) > float(posterior.log_marginal_likelihood())
    np.testing.assert_allclose(gradient[0], 0.0, atol=1e-8)
    np.testing.assert_allclose(np.tril(gradient[1]), 0.0, atol=1e-8)


def test_solved_with_all_inducing_points_it_is_the_exact_model_with_known_errors():
    errors = np.linspace(0.0, 0.3, 12)
    sparse = SparseVariationalGP.at_observations(KERNEL, POINTS, 12, key=jax.random.key(0), raw_noise=-3.0)
    posterior = sparse.condition_points(POINTS, VALUES, noise_variances=errors)
    exact = DenseGP(KERNEL, raw_noise=-3.0).condition_points(POINTS, VALUES, noise_variances=errors)
    solved = posterior.with_model(posterior.solved())
    np.testing.assert_allclose(solved.log_marginal_likelihood(), exact.log_marginal_likelihood(), rtol=1e-3)
    for found, wanted in zip(solved.predict(POINTS + 0.2), exact.predict(POINTS + 0.2), strict=True):
        np.testing.assert_allclose(found, wanted, atol=2e-4)


def test_training_heeds_known_errors(model):
    """What an observation of known error 10,000 says makes no difference."""
    errors = np.where(np.arange(12) == 0, 1e8, 0.0)
    trained = []
    for wrong in (-3.0, 3.0):
        values = np.where(np.arange(12) == 0, wrong, VALUES)
        posterior = model.condition_points(POINTS, values, noise_variances=errors)
        result = posterior.trained(epochs=3, batch_size=6, key=jax.random.key(1), learning_rate=0.05)
        trained.append(posterior.with_model(result.model).predict(POINTS)[0])
    np.testing.assert_allclose(*trained, atol=1e-5)
