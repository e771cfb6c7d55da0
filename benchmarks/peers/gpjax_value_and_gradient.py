"""GPJax's conjugate posterior on the problem of gp_value_and_gradient.py, without its default jitter."""

import jax

jax.config.update("jax_enable_x64", True)

import gpjax as gpx  # noqa: E402
import jax.numpy as jnp  # noqa: E402
from additive_problem import measure, problem  # noqa: E402

GIVEN = problem()
DATA = gpx.Dataset(X=jnp.asarray(GIVEN["points"]), y=jnp.asarray(GIVEN["values"])[:, None])
NAMES = ("mean", "noise", "space_variance", "space_length", "time_variance", "time_length")


@jax.jit
@jax.value_and_grad
def log_likelihood(parameters):
    mean, noise, space_variance, space_length, time_variance, time_length = parameters
    space = gpx.kernels.Matern52(active_dims=[1, 2], lengthscale=space_length, variance=space_variance)
    time = gpx.kernels.Matern52(active_dims=[0], lengthscale=time_length, variance=time_variance)
    prior = gpx.gps.Prior(mean_function=gpx.mean_functions.Constant(mean), kernel=space + time, jitter=0.0)
    likelihood = gpx.likelihoods.Gaussian(obs_stddev=jnp.sqrt(noise))
    return gpx.objectives.conjugate_mll(prior * likelihood, DATA)


def once():
    value, gradient = log_likelihood([jnp.asarray(float(GIVEN[name])) for name in NAMES])
    return float(value), [float(each) for each in gradient]


measure(once)
