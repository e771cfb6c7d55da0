"""What a likelihood of many observations may cost."""

import time

import equinox as eqx
import jax
import numpy as np
import pytest

from spatial_prediction.gaussian_process import AdditiveGridGP, kernel_from_name


@pytest.mark.slow
def test_value_and_gradient_of_40800_observations_take_less_than_a_second():
    shape = (50, 17, 48)
    values = np.random.default_rng(0).normal(size=shape).ravel()
    model = AdditiveGridGP(kernel_from_name("matern", 1), kernel_from_name("matern", 2))
    posterior = model.condition(np.ones(shape, bool), values)

    @eqx.filter_jit
    def value_and_gradient(model):
        return jax.value_and_grad(lambda model: posterior.with_model(model).log_marginal_likelihood())(model)

    seconds = []
    with jax.enable_x64(True):
        for _ in range(4):
            before = time.process_time()
            value, _ = jax.block_until_ready(value_and_gradient(model))
            seconds.append(time.process_time() - before)
    assert np.isfinite(value)
    assert min(seconds[1:]) < 1.0
