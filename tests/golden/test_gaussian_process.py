"""Gaussian processes against a dense Cholesky and GPyTorch, both in float64."""

import jax
import numpy as np
import pytest
from tests.helpers import shared_folder

from spatial_prediction.gaussian_process import AdditiveGridGP

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
