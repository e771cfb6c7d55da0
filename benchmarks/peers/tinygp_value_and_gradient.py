"""tinygp's dense exact solver on the problem of gp_value_and_gradient.py.

Its Matérn kernels take the L1 distance unless told otherwise, which is another kernel in two dimensions.
"""

import jax
import numpy as np

jax.config.update("jax_enable_x64", True)

from additive_problem import measure, problem  # noqa: E402
from tinygp import GaussianProcess, kernels, transforms  # noqa: E402
from tinygp.kernels.distance import L2Distance  # noqa: E402

GIVEN = problem()
POINTS, VALUES = jax.numpy.asarray(GIVEN["points"]), jax.numpy.asarray(GIVEN["values"])
NAMES = ("mean", "noise", "space_variance", "space_length", "time_variance", "time_length")


@jax.jit
@jax.value_and_grad
def log_likelihood(parameters):
    mean, noise, space_variance, space_length, time_variance, time_length = parameters
    space = kernels.Matern52(scale=space_length, distance=L2Distance())
    time = kernels.Matern52(scale=time_length, distance=L2Distance())
    kernel = space_variance * transforms.Subspace(
        np.array((1, 2)), space
    ) + time_variance * transforms.Subspace(0, time)
    return GaussianProcess(kernel, POINTS, diag=noise, mean=mean).log_probability(VALUES)


def once():
    value, gradient = log_likelihood([float(GIVEN[name]) for name in NAMES])
    return float(value), [float(each) for each in gradient]


measure(once)
