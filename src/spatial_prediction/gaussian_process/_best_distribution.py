"""The variational distribution that is best for given kernels, noise and inducing points."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Float

from spatial_prediction.gaussian_process._inverse_factor import inverse_factor
from spatial_prediction.gaussian_process._positive_definite import Factor
from spatial_prediction.gaussian_process._precision import AnyArray

CHUNK = 2048
"""Observations whose covariances with the inducing points are held at once."""


def best_distribution(
    model: Any,
    factor: Factor,
    points: Float[AnyArray, "N 3"],
    values: Float[AnyArray, " N"],
    noise_variances: Float[AnyArray, " N"],
) -> tuple[Float[AnyArray, " M"], Float[AnyArray, "M M"]]:
    """Maximise the bound of a sparse variational model over its distribution of v, N(m, C C').

    The precision of v is I + sum a a' / n over the observations, with a their whitened covariances with the
    inducing points and n the variances of their noise. One pass over the observations, O(N M^2).

    Source: Titsias 2009 (PMLR 5:567).

    Args:
        model: kernel, inducing points, mean and noise.
        factor: of the covariance of the inducing points.
        points: (N, 3): time, row, column.
        values: (N,).
        noise_variances: (N,), known variances beside that of the noise.

    Returns:
        m, (M,), and C, (M, M), lower triangular; float64, NaN where something is not finite.
    """
    size = len(model.inducing_points)
    precision, weighted = jnp.eye(size, dtype=jnp.float64), jnp.zeros(size, jnp.float64)
    for start in range(0, len(values), CHUNK):
        part = slice(start, start + CHUNK)
        more = _sums(model, factor, points[part], values[part], noise_variances[part])
        precision, weighted = precision + more[0], weighted + more[1]
    # From the factor of the matrix in reverse order, so that C is lower triangular.
    root = inverse_factor(precision[::-1, ::-1]).T[::-1, ::-1]
    return root @ (root.T @ weighted), root


@eqx.filter_jit
def _sums(
    model: Any,
    factor: Factor,
    points: Float[AnyArray, "B 3"],
    values: Float[AnyArray, " B"],
    noise_variances: Float[AnyArray, " B"],
) -> tuple[Float[AnyArray, "M M"], Float[AnyArray, " M"]]:
    """Sums of a a' / n and of a (y - mean) / n over some observations."""
    white = factor.whiten(model.kernel.gram(model.inducing_points, points))
    weights = 1.0 / (model.noise_variance + noise_variances)
    return (white * weights) @ white.T, white @ (weights * (values - model.mean))
