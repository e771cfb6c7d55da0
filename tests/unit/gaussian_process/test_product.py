"""Kronecker and dense models: derivatives where eigenvalues repeat, and what is refused."""

import jax
import numpy as np
import pytest

from spatial_prediction.errors import ObservationError
from spatial_prediction.gaussian_process import DenseGP, KroneckerGP
from spatial_prediction.gaussian_process.kernels import (
    Matern,
    OnAxes,
    Scaled,
    SoftDisabled,
    unconstrained,
)

pytestmark = pytest.mark.usefixtures("quick_compilation")

MASK = np.zeros((3, 2, 3), bool)
MASK[:, 0], MASK[:, 1, 1] = True, True
VALUES = np.random.default_rng(0).normal(size=12)
SPACE = Scaled(Matern(unconstrained(2.0)), unconstrained(1.3))
WHITE = Scaled(SoftDisabled(), unconstrained(1e5))
"""Of variance one and without any correlation in time: all eigenvalues are equal."""
NOISE = {"raw_noise": unconstrained(0.05), "mean": 0.2}


def test_gradient_is_that_of_the_dense_model_though_eigenvalues_repeat():
    kronecker = KroneckerGP(WHITE, SPACE, **NOISE).condition(MASK, VALUES)
    dense = DenseGP(OnAxes(WHITE, (0,)) * OnAxes(SPACE, (1, 2)), **NOISE).condition(MASK, VALUES)

    def gradient(posterior):
        with jax.enable_x64(True):
            return jax.grad(lambda m: posterior.with_model(m).log_marginal_likelihood())(posterior.model)

    found, wanted = gradient(kronecker), gradient(dense)
    for part, whole in (
        (found.mean, wanted.mean),
        (found.raw_noise, wanted.raw_noise),
        (found.time.raw_outputscale, wanted.kernel.first.kernel.raw_outputscale),
        (found.space.raw_outputscale, wanted.kernel.second.kernel.raw_outputscale),
        (found.space.kernel.raw_lengthscale, wanted.kernel.second.kernel.kernel.raw_lengthscale),
    ):
        np.testing.assert_allclose(part, whole, rtol=1e-9)


def test_further_frames_of_the_same_stations_have_a_joint_density():
    model = KroneckerGP(Scaled(Matern()), SPACE, **NOISE)
    last = MASK & (np.arange(3) == 2)[:, None, None]
    first = MASK & ~last
    density = float(model.condition(first, VALUES[:8]).log_density(last, VALUES[8:]))
    both, one = model.condition(MASK, VALUES), model.condition(first, VALUES[:8])
    assert density == pytest.approx(float(both.log_marginal_likelihood() - one.log_marginal_likelihood()))


def test_masks_that_differ_are_refused_by_a_product():
    odd = MASK.copy()
    odd[1, 1, 1], odd[1, 1, 2] = False, True
    with pytest.raises(
        ObservationError, match=r"frames 0 and 1 have different observed pixels; .* take StaticProductGP"
    ):
        KroneckerGP(WHITE, SPACE).condition(odd, VALUES)
    twice = KroneckerGP(WHITE, SPACE).condition(MASK, VALUES)
    with pytest.raises(ObservationError, match="a cell is observed more than once"):
        twice.log_density(MASK, VALUES)


def test_points_have_no_grid_and_errors_of_measurement_are_not_negative():
    model = DenseGP(Matern())
    posterior = model.condition_points(np.zeros((2, 3)), [1.0, 1.5])
    assert float(posterior.predict(np.zeros((1, 3)))[0][0]) == pytest.approx(
        2.5 / (2 + float(model.noise_variance))
    )
    joined = posterior.joined_points(np.ones((1, 3)), [0.0])
    assert len(joined.values) == 3
    with pytest.raises(ObservationError, match="conditioned on points, not on a grid"):
        posterior.predict_grid([0.0])
    with pytest.raises(ObservationError, match="conditioned on points, not on a grid"):
        posterior.log_density(MASK, VALUES)
    with pytest.raises(ObservationError, match="must not be negative, got -1"):
        model.condition_points(np.zeros((1, 3)), [1.0], noise_variances=[-1.0])
    with pytest.raises(ObservationError, match=r"points has shape \(2,\)"):
        model.condition_points(np.zeros(2), [1.0])
