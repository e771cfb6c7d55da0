"""Small symmetric positive definite systems, one for each channel of each map.

Arrays carry the equations on their *leading* axes and the batch behind, so that a closed form or an
unrolled factorisation runs over whole batches elementwise. Batched LAPACK calls loop over the batch and
cost more than the rest of a padding put together for systems this small.
"""

import jax
import jax.numpy as jnp
import lineax as lx
from jaxtyping import Array, Bool, Float

_LARGEST_UNROLLED_SYSTEM = 6
"""Above this many unknowns an unrolled factorisation compiles for longer than it saves."""


def guarded_quotient(numerator: Array, denominator: Array) -> Array:
    """Return ``numerator / denominator``, and 0 with gradient 0 where the quotient is not finite.

    The denominator is replaced *before* dividing: a guard behind the division would still let
    its derivative produce 0 x inf = NaN.
    """
    quotient = jax.lax.stop_gradient(numerator) / jax.lax.stop_gradient(denominator)
    finite = jnp.isfinite(quotient) & (denominator != 0)
    return jnp.where(finite, numerator / jnp.where(finite, denominator, 1), 0)


def solve_two_by_two(
    gram: Float[Array, "2 2 *batch"], right_hand_side: Float[Array, "2 columns *batch"]
) -> Float[Array, "2 columns *batch"]:
    """Solve by Cramer's rule; 0 where the determinant vanishes."""
    (g00, g01), (_, g11) = gram[0], gram[1]
    determinant = g00 * g11 - g01 * g01
    first = guarded_quotient(right_hand_side[0] * g11 - right_hand_side[1] * g01, determinant)
    second = guarded_quotient(right_hand_side[1] * g00 - right_hand_side[0] * g01, determinant)
    return jnp.stack([first, second])


def solve_normal_equations(
    gram: Float[Array, "unknowns unknowns *batch"],
    right_hand_side: Float[Array, "unknowns columns *batch"],
    *,
    ridge: float,
) -> Float[Array, "unknowns columns *batch"]:
    """Solve ``(gram + ridge I) x = right_hand_side`` for every batch element.

    Where the matrix is not positive definite in working precision the solution is 0, with gradient 0.
    The derivative is that of the solution (``dx = A^-1 (db - dA x)``), not of the factorisation.
    """
    unknowns = gram.shape[0]
    identity = jnp.eye(unknowns, dtype=gram.dtype).reshape(unknowns, unknowns, *[1] * (gram.ndim - 2))
    matrix = gram + ridge * identity
    if unknowns <= _LARGEST_UNROLLED_SYSTEM:
        return _solve_unrolled(matrix, right_hand_side, identity)
    return _solve_batched(matrix, right_hand_side, identity)


def _cholesky(matrix: Array) -> tuple[list[list[Array]], Bool[Array, "*batch"]]:
    """Factor elementwise over the batch; also tell where every pivot was positive."""
    unknowns = matrix.shape[0]
    factor: list[list[Array]] = [[] for _ in range(unknowns)]
    definite = jnp.ones(matrix.shape[2:], bool)
    for i in range(unknowns):
        for j in range(i):
            inner = sum((factor[i][k] * factor[j][k] for k in range(j)), jnp.zeros_like(matrix[i, j]))
            factor[i].append((matrix[i, j] - inner) / factor[j][j])
        pivot = matrix[i, i] - sum((entry * entry for entry in factor[i]), jnp.zeros_like(matrix[i, i]))
        positive = (pivot > 0) & jnp.isfinite(pivot)
        definite &= positive
        factor[i].append(jnp.sqrt(jnp.where(positive, pivot, 1)))
    return factor, definite


def _substitute(factor: list[list[Array]], right_hand_side: Array) -> Array:
    unknowns = len(factor)
    forward: list[Array] = []
    for i in range(unknowns):
        inner = sum((factor[i][k] * forward[k] for k in range(i)), jnp.zeros_like(right_hand_side[i]))
        forward.append((right_hand_side[i] - inner) / factor[i][i])
    solution: list[Array] = [jnp.zeros(())] * unknowns
    for i in reversed(range(unknowns)):
        inner = sum(
            (factor[k][i] * solution[k] for k in range(i + 1, unknowns)), jnp.zeros_like(right_hand_side[i])
        )
        solution[i] = (forward[i] - inner) / factor[i][i]
    return jnp.stack(solution)


def _solve_unrolled(matrix: Array, right_hand_side: Array, identity: Array) -> Array:
    factor, definite = _cholesky(jax.lax.stop_gradient(matrix))
    matrix = jnp.where(definite, matrix, identity)
    return jax.lax.custom_linear_solve(
        lambda x: jnp.sum(matrix[:, :, None] * x[None], axis=1),
        jnp.where(definite, right_hand_side, 0),
        lambda _, b: _substitute(factor, b),
        symmetric=True,
    )


def _solve_batched(matrix: Array, right_hand_side: Array, identity: Array) -> Array:
    definite = jnp.all(
        jnp.isfinite(jnp.linalg.cholesky(jax.lax.stop_gradient(_equations_last(matrix)))), axis=(-2, -1)
    )
    matrix = jnp.where(definite, matrix, identity)
    right_hand_side = jnp.where(definite, right_hand_side, 0)

    def solve(single: Array, columns: Array) -> Array:
        operator = lx.MatrixLinearOperator(single, lx.positive_semidefinite_tag)
        solver = lx.Cholesky()
        state = solver.init(operator, {})
        return jax.vmap(
            lambda column: lx.linear_solve(operator, column, solver, state=state, throw=False).value,
            in_axes=1,
            out_axes=1,
        )(columns)

    batch = matrix.shape[2:]
    matrices = _equations_last(matrix).reshape(-1, *matrix.shape[:2])
    columns = _equations_last(right_hand_side).reshape(-1, *right_hand_side.shape[:2])
    solution = jax.vmap(solve)(matrices, columns).reshape(*batch, *right_hand_side.shape[:2])
    return jnp.moveaxis(solution, (-2, -1), (0, 1))


def _equations_last(x: Array) -> Array:
    return jnp.moveaxis(x, (0, 1), (-2, -1))
