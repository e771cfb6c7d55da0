"""Factorisations never wait for one another: neither two in one program, nor two programs at once."""

import json
import subprocess
import sys

import numpy as np

LIMIT = 240
"""Seconds. It takes a few on an idle machine; a deadlock takes for ever."""

PROGRAM = """
import json
import equinox as eqx, jax, numpy as np
from spatial_prediction.gaussian_process import AdditiveGridGP, NegativePredictiveDensity, kernel_from_name

random = np.random.default_rng(0)
mask, further = random.random((2, 5, 9, 17)) < 0.5
further &= ~mask
posterior = AdditiveGridGP(kernel_from_name("matern", 1), kernel_from_name("rbf", 2)).condition(
    mask, random.normal(size=mask.sum())
)
loss = NegativePredictiveDensity.of(posterior, further, random.normal(size=further.sum()))
with jax.enable_x64(True):
    compiled = eqx.filter_jit(lambda loss, model: jax.value_and_grad(loss)(model))
    for _ in range(5):
        value, gradient = compiled(loss, posterior.model)
        value.block_until_ready()
print(json.dumps([float(value), *(float(leaf) for leaf in jax.tree.leaves(gradient))]))
"""


def test_value_and_gradient_of_the_validation_loss_return_in_two_processes_at_once():
    command = [sys.executable, "-c", PROGRAM]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    try:
        results = [json.loads(process.communicate(timeout=LIMIT)[0]) for process in processes]
    finally:
        for process in processes:
            process.kill()
    np.testing.assert_allclose(results[0], results[1], rtol=1e-9)
    assert np.isfinite(results[0]).all()
