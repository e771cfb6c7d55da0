"""Gaussian processes against a dense Cholesky and GPyTorch, both in float64."""

import jax
import numpy as np
import pytest
from tests.helpers import shared_folder

from spatial_prediction.gaussian_process import AdditiveGridGP, SparseVariationalGP
from spatial_prediction.gaussian_process.kernels import OnAxes

GOLDEN = shared_folder("golden/gp")

pytestmark = [pytest.mark.golden, pytest.mark.usefixtures("quick_compilation")]


@pytest.fixture(scope="module")
def exact():
    return np.load(GOLDEN / "exact_additive.npz")


def cases():
    if not GOLDEN.exists():
        return ["rbf-rbf-init"]
    return sorted(
        {name.split("|")[0] for name in np.load(GOLDEN / "exact_additive.npz").files if "|" in name}
    )


def parameters(arrays, case):
    prefix = f"{case}|raw_"
    return {name.split("|")[1]: arrays[name] for name in arrays.files if name.startswith(prefix)}


def model_of(arrays, case):
    time, space, _ = case.split("-")
    return AdditiveGridGP.from_raw_parameters(time, space, parameters(arrays, case))


def gradient_of_log_likelihood(posterior):
    with jax.enable_x64(True):
        return jax.grad(lambda model: posterior.with_model(model).log_marginal_likelihood())(posterior.model)


@pytest.mark.parametrize("case", cases())
def test_structured_log_likelihood_and_gradient(exact, case):
    posterior = model_of(exact, case).condition(exact["mask"], exact["y"])
    assert float(posterior.log_marginal_likelihood()) == pytest.approx(float(exact[f"{case}|lml"]), rel=1e-9)
    found = gradient_of_log_likelihood(posterior).to_raw_parameters()
    wanted = {name: exact[f"{case}|{name.replace('raw_', 'grad_', 1)}"] for name in found}
    largest = max(np.abs(value).max() for value in wanted.values())
    for name, value in wanted.items():
        np.testing.assert_allclose(found[name], value, rtol=0, atol=1e-8 * largest, err_msg=name)


@pytest.mark.parametrize("case", cases())
def test_structured_prediction(exact, case):
    posterior = model_of(exact, case).condition(exact["mask"], exact["y"])
    mean, variance = posterior.predict(exact["test_tyx"])
    np.testing.assert_allclose(mean, exact[f"{case}|mean"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(variance, exact[f"{case}|var"], rtol=0, atol=1e-9)
    assert mean.dtype == variance.dtype == np.float64


@pytest.fixture(scope="module")
def variational():
    return np.load(GOLDEN / "svgp.npz")


def variational_model(exact, arrays, case):
    additive = model_of(exact, case)
    return SparseVariationalGP(
        OnAxes(additive.time, (0,)) + OnAxes(additive.space, (1, 2)),
        arrays["inducing_tyx"],
        arrays["var_mean"],
        arrays["var_chol"],
        mean=additive.mean,
        raw_noise=additive.raw_noise,
        noise_floor=1e-4,
    )


@pytest.mark.parametrize("case", ["matern-matern-fit", "rbf-rbf-fit", "disabled-rbf-fit"])
def test_variational_bound_gradients_and_prediction(exact, variational, case):
    model, batch = variational_model(exact, variational, case), variational["batch_index"]
    points, values, count = exact["obs_tyx"], exact["y"], int(variational["num_data"])

    def wanted(name):
        return variational[f"{case}|{name}"]

    with jax.enable_x64(True):
        bound, gradient = jax.value_and_grad(lambda m: m.evidence_lower_bound(points, values, count))(model)
    assert float(bound) == pytest.approx(float(wanted("elbo_full")), rel=1e-9)
    on_batch = model.evidence_lower_bound(points[batch], values[batch], count)
    assert float(on_batch) == pytest.approx(float(wanted("elbo_batch")), rel=1e-9)
    assert float(model.divergence()) == pytest.approx(float(wanted("kl")), rel=1e-9)
    assert float(model.noise_variance) == pytest.approx(float(wanted("noise")), rel=1e-9)
    for name, found in (
        ("grad_inducing", gradient.inducing_points),
        ("grad_var_mean", gradient.variational_mean),
        ("grad_var_chol", gradient.variational_factor),
    ):
        expected = wanted(name)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9 * np.abs(expected).max(), err_msg=name)
    mean, variance = model.condition_points(points, values).predict(exact["test_tyx"])
    np.testing.assert_allclose(mean, wanted("mean"), rtol=0, atol=1e-9)
    np.testing.assert_allclose(variance, wanted("var"), rtol=0, atol=1e-9)
