"""Cholesky factors of positive definite matrices, and the normal density with closed-form derivatives.

Two LAPACK calls of one program may run at once in XLA's thread pool, and batched ones then never return
(jaxlib 0.10.2 on two cores). Nothing here is meant for ``jax.vmap``, and results that need two
factorisations make the second depend on the first (:func:`after`).
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import lineax as lx
from jaxtyping import Float

from spatial_prediction.gaussian_process._inverse_factor import inverse_factor, inverse_of_factor
from spatial_prediction.gaussian_process._precision import AnyArray


class Factor(eqx.Module):
    """Cholesky factor U of a positive definite matrix A = U'U; NaN where A is not positive definite."""

    operator: lx.MatrixLinearOperator
    state: Any

    def __init__(self, matrix: Float[AnyArray, "n n"]) -> None:
        self.operator = lx.MatrixLinearOperator(matrix, lx.positive_semidefinite_tag)
        self.state = lx.Cholesky().init(self.operator, {})

    @property
    def upper(self) -> Float[AnyArray, "n n"]:
        """U; below its diagonal stands what LAPACK left there."""
        return self.state[0]

    def solve(self, vector: Float[AnyArray, " n"]) -> Float[AnyArray, " n"]:
        """A^-1 b."""
        return lx.linear_solve(self.operator, vector, lx.Cholesky(), state=self.state, throw=False).value

    def whiten(self, columns: Float[AnyArray, "n m"]) -> Float[AnyArray, "n m"]:
        """U'^-1 B, whose squares sum over rows to the diagonal of B' A^-1 B."""
        return whiten(self.upper, columns)


def whiten(upper: Float[AnyArray, "n n"], columns: Float[AnyArray, "n m"]) -> Float[AnyArray, "n m"]:
    """U'^-1 B of a factor U, by a triangular solve."""
    return jax.scipy.linalg.solve_triangular(upper, columns, trans=1)


@jax.custom_jvp
def log_density_without_constant(
    covariance: Float[AnyArray, "n n"], residual: Float[AnyArray, " n"]
) -> Float[AnyArray, ""]:
    """-1/2 a' H^-1 a - 1/2 log|H|: the normal log density but for n/2 log 2 pi.

    Its derivative needs only the inverse, (H^-1 a a' H^-1 - H^-1) / 2, while that of a Cholesky factor
    costs several products and triangular solves more.
    """
    factor = inverse_factor(covariance)
    return _value(factor, factor @ residual)


def _value(factor: Float[AnyArray, "n n"], white: Float[AnyArray, " n"]) -> Float[AnyArray, ""]:
    return jnp.sum(jnp.log(jnp.diagonal(factor))) - 0.5 * (white @ white)


@log_density_without_constant.defjvp
def _derivative(arguments: tuple[Any, Any], changes: tuple[Any, Any]) -> tuple[Any, Any]:
    covariance, residual = arguments
    factor = inverse_factor(covariance)
    white = factor @ residual
    solved = white @ factor
    gradient = 0.5 * (solved[:, None] * solved - inverse_of_factor(factor))
    # What waits for the value waits for the inverse too, so that no other factorisation runs beside it.
    value, gradient = jax.lax.optimization_barrier((_value(factor, white), gradient))
    return value, jnp.sum(gradient * changes[0]) - solved @ changes[1]


def after(first: Any, then: Any) -> Any:
    """Return ``then``, unchanged, but not to be computed with before ``first`` is known."""
    return jax.lax.optimization_barrier((first, then))[1]
