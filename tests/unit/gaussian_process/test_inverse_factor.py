"""Inverses by halves against NumPy's, derivatives of the density, and matrices that have no factor."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests import dense_gaussian

from spatial_prediction.gaussian_process import _inverse_factor
from spatial_prediction.gaussian_process._positive_definite import log_density_without_constant

pytestmark = pytest.mark.usefixtures("quick_compilation")


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(_inverse_factor, "BLOCK", 4)


def matrix(size):
    loadings = np.random.default_rng(size).normal(size=(size, size))
    return loadings @ loadings.T + 0.1 * np.eye(size)


@pytest.mark.parametrize("size", [1, 4, 5, 23])
def test_factor_and_inverse_are_those_of_numpy(small_blocks, size):
    given = matrix(size)
    with jax.enable_x64(True):
        # What stands above the diagonal is not read.
        factor = _inverse_factor.inverse_factor(
            jnp.asarray(np.tril(given) + np.triu(np.ones((size, size)), 1))
        )
        inverse = _inverse_factor.inverse_of_factor(factor)
    np.testing.assert_allclose(factor, np.linalg.inv(np.linalg.cholesky(given)), rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(inverse, np.linalg.inv(given), rtol=1e-9, atol=1e-11)


def test_density_and_its_derivatives_in_both_modes(small_blocks):
    covariance, residual = matrix(9), np.arange(9.0)
    change, change_of_residual = matrix(9) - np.eye(9), np.ones(9)

    def wanted(step):
        moved = covariance + step * change, residual + step * change_of_residual
        return dense_gaussian.log_density(*moved) + 4.5 * np.log(2 * np.pi)

    with jax.enable_x64(True):
        value, tangent = jax.jvp(
            log_density_without_constant, (covariance, residual), (change, change_of_residual)
        )
        of_covariance, of_residual = jax.grad(log_density_without_constant, (0, 1))(covariance, residual)
    assert float(value) == pytest.approx(wanted(0.0), rel=1e-12)
    assert float(tangent) == pytest.approx((wanted(1e-5) - wanted(-1e-5)) / 2e-5, rel=1e-6)
    transposed = np.sum(np.asarray(of_covariance) * change) + np.sum(np.asarray(of_residual))
    assert float(tangent) == pytest.approx(float(transposed), rel=1e-12)


def test_a_matrix_that_is_not_positive_definite_gives_nan(small_blocks):
    odd = matrix(9)
    odd[7, 7] = -1.0
    with jax.enable_x64(True):
        assert np.isnan(log_density_without_constant(odd, np.ones(9)))
