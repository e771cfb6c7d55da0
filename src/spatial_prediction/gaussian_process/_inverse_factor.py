"""Inverses of Cholesky factors by halves: nearly all arithmetic is in matrix products.

Where a likelihood's gradient is wanted, the inverse of the matrix is. LAPACK would factor in n^3 / 3
operations, at half the speed of matrix products or less, and JAX reaches only its triangular solves for the
inverse, 2 n^3 more. By halves, factor, its inverse and the inverse take 2 n^3 together. LAPACK is left the
diagonal blocks, so small that OpenBLAS does not start threads for them, which wait by spinning.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Float

from spatial_prediction.gaussian_process._precision import AnyArray

BLOCK = 192
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
        lower = jnp.linalg.cholesky(matrix, symmetrize_input=False)
        return jax.scipy.linalg.solve_triangular(lower, jnp.eye(size, dtype=lower.dtype), lower=True)
    half = size // 2
    first = _inverse_factor(matrix[:half, :half], block)
    across = matrix[half:, :half] @ first.T
    second = _inverse_factor(matrix[half:, half:] - across @ across.T, block)
    return jnp.block([[first, jnp.zeros((half, size - half))], [-second @ (across @ first), second]])


def _squared(lower: Float[AnyArray, "n n"], block: int) -> Float[AnyArray, "n n"]:
    size = lower.shape[0]
    if size <= block:
        return lower.T @ lower
    half = size // 2
    corner, second = lower[half:, :half], lower[half:, half:]
    first = _squared(lower[:half, :half], block) + corner.T @ corner
    below = second.T @ corner
    return jnp.block([[first, below.T], [below, _squared(second, block)]])
