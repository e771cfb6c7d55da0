"""Small symmetric positive definite systems, one for each channel of each map.

Arrays carry the equations on their *leading* axes and the batch behind, so that a closed form or a
factorisation runs over whole batches elementwise. Batched LAPACK calls, what JAX's and Lineax's solvers
come down to on a CPU, loop over the batch, and two of them at once lock up jaxlib 0.10 on two cores.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from spatial_prediction import native
from spatial_prediction.differentiation import with_compact_derivatives, with_derivatives

_LARGEST_UNROLLED_SYSTEM = 6
"""Above this many unknowns an unrolled factorisation compiles for longer than it saves."""


def guarded_quotient(numerator: Array, denominator: Array) -> Array:
    """Return ``numerator / denominator``, and 0 with gradient 0 where quotient or denominator is not finite.

    The denominator is replaced *before* dividing: a guard behind the division would still let
    its derivative produce 0 x inf = NaN.
    """
    return _guarded(*jnp.broadcast_arrays(numerator, denominator))


def _usable(numerator: Array, denominator: Array) -> Array:
    return jnp.isfinite(numerator / denominator) & (denominator != 0) & jnp.isfinite(denominator)


def _divided(numerator: Array, denominator: Array) -> Array:
    return jnp.where(_usable(numerator, denominator), numerator / denominator, 0)


# The derivative of q = n / d written as (dn - q dd) / d: JAX's own squares d, which overflows early.
def _quotient_tangents(arguments: tuple[Array, Array], changes: tuple[Array, Array]) -> Array:
    numerator, denominator = arguments
    change = changes[0] - guarded_quotient(numerator, denominator) * changes[1]
    return guarded_quotient(jnp.where(_usable(numerator, denominator), change, 0), denominator)


def _quotient_cotangents(arguments: tuple[Array, Array], weight: Array) -> tuple[Array, Array]:
    numerator, denominator = arguments
    weight = jnp.where(_usable(numerator, denominator), weight, 0)
    of_numerator = guarded_quotient(weight, denominator)
    return of_numerator, -guarded_quotient(numerator, denominator) * of_numerator


_guarded = with_derivatives(_divided, tangents=_quotient_tangents, cotangents=_quotient_cotangents)


def solve_two_by_two(
    gram: Float[Array, "2 2 *batch"], right_hand_side: Float[Array, "2 columns *batch"]
) -> Float[Array, "2 columns *batch"]:
    """Solve by Cramer's rule; 0 where the determinant vanishes."""
    (g00, g01), (_, g11) = gram[0], gram[1]
    determinant = g00 * g11 - g01 * g01
    first = guarded_quotient(right_hand_side[0] * g11 - right_hand_side[1] * g01, determinant)
    second = guarded_quotient(right_hand_side[1] * g00 - right_hand_side[0] * g01, determinant)
    return jnp.stack([first, second])


def placed_sums(sums: Array, places: np.ndarray) -> Array:
    """Compute ``sums[places]``, as a matrix product: the derivative of the index is slow to compile."""
    chosen = jnp.asarray(places[..., None] == np.arange(len(sums)), sums.dtype)
    return jnp.tensordot(chosen, sums, 1, precision="highest")


def solve_normal_equations(
    gram: Float[Array, "unknowns unknowns *#batch"],
    right_hand_side: Float[Array, "unknowns columns *#batch"],
    *,
    ridge: float,
) -> Float[Array, "unknowns columns ..."]:
    """Solve ``(gram + ridge I) x = right_hand_side`` for every batch element.

    Where the matrix is not positive definite in working precision the solution is 0, with gradient 0.
    The derivative is that of the solution (``dx = A^-1 (db - dA x)``), not of the factorisation.
    """
    unknowns, columns = right_hand_side.shape[:2]
    matrix = gram + ridge * _identity(gram)
    if not native.available(matrix, right_hand_side):
        return with_compact_derivatives(_solved_by_xla, _solve_anew)(matrix, right_hand_side)
    batch = jnp.broadcast_shapes(matrix.shape[2:], right_hand_side.shape[2:])
    matrix = jnp.broadcast_to(matrix, (unknowns, unknowns, *batch)).reshape(unknowns, unknowns, -1)
    right_hand_side = jnp.broadcast_to(right_hand_side, (unknowns, columns, *batch))
    return _compiled(matrix, right_hand_side.reshape(unknowns, columns, -1)).reshape(right_hand_side.shape)


def _compiled(matrix: Array, right_hand_side: Array) -> Array:
    def backward(arguments: tuple[Array, Array], cotangent: Array) -> tuple[Array, Array]:
        kernel = native.kernel("normal_equations_gradient", native.like(*arguments))
        of_matrix, of_right_hand_side = kernel(*arguments, cotangent)
        return of_matrix, of_right_hand_side

    solve = native.differentiable(_solved_by_xla, _solved_by_kernel, backward, compact=_solve_anew)
    return solve(matrix, right_hand_side)


def _solved_by_kernel(matrix: Array, right_hand_side: Array) -> Array:
    return native.kernel("normal_equations", native.like(right_hand_side))(matrix, right_hand_side)[0]


def _solve_anew(matrix: Array, right_hand_side: Array) -> Array:
    """Solve, with derivatives that are solutions of the same equations for other right-hand sides."""

    def solved(matrix: Array, right_hand_side: Array) -> Array:
        if native.available(matrix, right_hand_side):
            arguments = matrix, right_hand_side
            return native.placed(_solved_by_kernel, _solved_in_one_loop, arguments, axes=None)
        return _solved_in_one_loop(matrix, right_hand_side)

    def tangents(arguments: tuple[Array, Array], changes: tuple[Array, Array]) -> Array:
        x = _solve_anew(*arguments)
        return _solve_anew(arguments[0], changes[1] - jnp.sum(changes[0][:, :, None] * x[None], axis=1))

    def cotangents(arguments: tuple[Array, Array], weights: Array) -> tuple[Array, Array]:
        matrix, right_hand_side = arguments
        x, of_right_hand_side = _solve_anew(matrix, right_hand_side), _solve_anew(matrix, weights)
        return -jnp.sum(of_right_hand_side[:, None] * x[None], axis=2), of_right_hand_side

    return with_derivatives(solved, tangents=tangents, cotangents=cotangents)(matrix, right_hand_side)


def _solved_in_one_loop(matrix: Array, right_hand_side: Array) -> Array:
    """Solve by the inverse, which takes a single loop to compile. Has no derivative of its own."""
    rows = _down_the_rows(matrix)

    def eliminate(k: Array, state: tuple[Array, Array]) -> tuple[Array, Array]:
        both, definite = state
        pivot = both[k, k]
        positive = (pivot > 0) & jnp.isfinite(pivot)
        row = both[k] / jnp.where(positive, pivot, 1)
        both = jnp.where(rows[:, None] == k, row, both - both[:, k, None] * row)
        return both, definite & positive

    identity = jnp.broadcast_to(_identity(matrix), matrix.shape)
    start = jnp.concatenate([matrix, identity], axis=1), jnp.ones(matrix.shape[2:], bool)
    both, definite = jax.lax.fori_loop(0, len(matrix), eliminate, start)

    def product(matrix: Array, x: Array) -> Array:
        return jnp.sum(matrix[:, :, None] * x[None], axis=1)

    inverse = both[:, len(matrix) :]
    x = product(inverse, right_hand_side)
    x = x + product(inverse, right_hand_side - product(matrix, x))  # refined, as below
    return jnp.where(definite, x, 0)


def _solved_by_xla(matrix: Array, right_hand_side: Array) -> Array:
    identity = _identity(matrix)
    factor, definite = _cholesky(jax.lax.stop_gradient(matrix))
    matrix = jnp.where(definite, matrix, identity)
    factor = jnp.where(definite, factor, identity)

    def apply(x: Array) -> Array:
        return jnp.sum(matrix[:, :, None] * x[None], axis=1)

    def solve(_: Any, b: Array) -> Array:
        x = _substitute(factor, b)
        # one step of refinement: the ridge is no larger than float32's rounding of the factor
        return x + _substitute(factor, b - apply(x))

    right_hand_side = jnp.where(definite, right_hand_side, 0)
    return jax.lax.custom_linear_solve(apply, right_hand_side, solve, symmetric=True)


def _identity(matrix: Array) -> Array:
    """Return the identity of the size of ``matrix``, with axes of length 1 for its batch."""
    unknowns = len(matrix)
    return jnp.eye(unknowns, dtype=matrix.dtype).reshape(unknowns, unknowns, *[1] * (matrix.ndim - 2))


def _cholesky(matrix: Array) -> tuple[Array, Bool[Array, "*batch"]]:
    """Factor into ``L L'``, and say where every pivot was positive (elsewhere the factor is useless)."""
    unknowns = matrix.shape[0]
    rows = _down_the_rows(matrix)

    def eliminate(k: int | Array, state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        remainder, factor, definite = state
        pivot = remainder[k, k]
        positive = (pivot > 0) & jnp.isfinite(pivot)
        column = jnp.where(rows >= k, remainder[:, k] * jax.lax.rsqrt(jnp.where(positive, pivot, 1)), 0)
        return remainder - column[:, None] * column, factor.at[:, k].set(column), definite & positive

    start = (matrix, jnp.zeros_like(matrix), jnp.ones(matrix.shape[2:], bool))
    _, factor, definite = _for_each(unknowns, eliminate, start)
    return factor, definite


def _substitute(factor: Array, right_hand_side: Array) -> Array:
    """Solve ``L L' x = b`` by forward, then backward substitution."""
    unknowns = factor.shape[0]
    rows = _down_the_rows(factor)[:, None]

    def forward(k: int | Array, b: Array) -> Array:
        solved = b[k] / factor[k, k]
        return jnp.where(rows > k, b - factor[:, k, None] * solved, b).at[k].set(solved)

    def backward(step: int | Array, b: Array) -> Array:
        k = unknowns - 1 - step
        solved = b[k] / factor[k, k]
        return jnp.where(rows < k, b - factor[k, :, None] * solved, b).at[k].set(solved)

    solved = _for_each(unknowns, forward, right_hand_side)
    return _for_each(unknowns, backward, solved)


def _down_the_rows(matrix: Array) -> Array:
    unknowns = matrix.shape[0]
    return jnp.arange(unknowns).reshape(unknowns, *[1] * (matrix.ndim - 2))


def _for_each(count: int, body: Callable[[Any, Any], Any], state: Any) -> Any:
    if count > _LARGEST_UNROLLED_SYSTEM:
        return jax.lax.fori_loop(0, count, body, state)
    for k in range(count):
        state = body(k, state)
    return state
