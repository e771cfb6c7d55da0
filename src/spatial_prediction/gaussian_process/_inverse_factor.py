"""Inverses of Cholesky factors by halves: nearly all arithmetic is in matrix products.

Where a likelihood's gradient is wanted, the inverse of the matrix is. LAPACK would factor in n^3 / 3
operations, and JAX reaches only its triangular solves for the inverse, 2 n^3 more. By halves, factor, its
inverse and the inverse take 2 n^3 together. LAPACK is left the factors of the diagonal blocks, so small that
OpenBLAS starts no threads for them: those wait by spinning, and burn more time than they save on a machine
with other work. It starts them for triangular solves of any size, so blocks are inverted row by row.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Float

from spatial_prediction.gaussian_process._precision import AnyArray

BLOCK = 128
"""Rows of the largest diagonal block of a matrix of up to 16 times as many."""


def inverse_factor(matrix: Float[AnyArray, "n n"]) -> Float[AnyArray, "n n"]:
    """Inverse W of the lower Cholesky factor: A^-1 = W'W; NaN where A is not positive definite.

    Only the lower triangle of A is read.
    """
    return _inverse_factor(matrix, _block(matrix))


def inverse_of_factor(inverse: Float[AnyArray, "n n"]) -> Float[AnyArray, "n n"]:
    """W'W of a lower triangular W."""
    return _squared(inverse, _block(inverse))


def _block(matrix: Float[AnyArray, "n n"]) -> int:
    return max(BLOCK, matrix.shape[0] // 16)


def _inverse_factor(matrix: Float[AnyArray, "n n"], block: int) -> Float[AnyArray, "n n"]:
    size = matrix.shape[0]
    if size <= block:
        return _inverted_by_rows(jnp.linalg.cholesky(matrix, symmetrize_input=False))
    half = size // 2
    first = _inverse_factor(matrix[:half, :half], block)
    across = matrix[half:, :half] @ first.T
    second = _inverse_factor(matrix[half:, half:] - across @ across.T, block)
    return jnp.block([[first, jnp.zeros((half, size - half))], [-second @ (across @ first), second]])


def _inverted_by_rows(lower: Float[AnyArray, "n n"]) -> Float[AnyArray, "n n"]:
    """Inverse of a lower triangular matrix by forward substitution."""

    def with_row(row: Any, inverse: Float[jax.Array, "n n"]) -> Float[jax.Array, "n n"]:
        # Rows from this one on are zero still.
        return inverse.at[row].set((identity[row] - lower[row] @ inverse) / lower[row, row])

    identity = jnp.eye(lower.shape[0], dtype=lower.dtype)
    return jax.lax.fori_loop(0, lower.shape[0], with_row, jnp.zeros_like(identity))


def _squared(lower: Float[AnyArray, "n n"], block: int) -> Float[AnyArray, "n n"]:
    size = lower.shape[0]
    if size <= block:
        return lower.T @ lower
    half = size // 2
    corner, second = lower[half:, :half], lower[half:, half:]
    first = _squared(lower[:half, :half], block) + corner.T @ corner
    below = second.T @ corner
    return jnp.block([[first, below.T], [below, _squared(second, block)]])
