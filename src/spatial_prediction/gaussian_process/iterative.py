"""Means of a static and a product field for more observations than a dense matrix holds.

Products with the covariance go through the grid: O(T P (T + P)) each, whatever the mask. Conjugate gradients
solve to a tolerance; variances and likelihoods are not offered, because their estimates are biased.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import lineax as lx
from jaxtyping import Float, Int

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.gaussian_process._dense import StaticProductGP
from spatial_prediction.gaussian_process._grid import Grid, GridObservations
from spatial_prediction.gaussian_process._positive_definite import Factor
from spatial_prediction.gaussian_process._precision import AnyArray, in_double_precision, real


@in_double_precision
def mean_by_conjugate_gradients(
    model: StaticProductGP,
    mask: Any,
    values: Any,
    frames: Any,
    *,
    times: Any = None,
    rows: Any = None,
    columns: Any = None,
    tolerance: float = 1e-6,
    max_steps: int = 2000,
) -> tuple[Float[AnyArray, "frames rows columns"], int]:
    """Posterior mean at all pixels of the grid.

    Args:
        model: kernels, mean and noise.
        mask: bool of shape (frames, rows, columns), True where observed.
        values: (N,), frame by frame, row-major.
        frames: times to predict, (F,).
        times: coordinates of the frames, as for ``condition``.
        rows: coordinates of the rows, likewise.
        columns: coordinates of the columns, likewise.
        tolerance: of the residual, relative to the right-hand side.
        max_steps: of conjugate gradients.

    Returns:
        float64 of shape (F, rows, columns), and the number of steps.

    Raises:
        ConfigurationError: the tolerance was not reached in ``max_steps`` steps.
        ObservationError: observations cannot be used; see ``condition``.
    """
    observations = GridObservations.of(mask, values, times=times, rows=rows, columns=columns)
    grid = observations.grid
    mean, steps, reached = _mean(model, observations, grid, real(frames), tolerance, max_steps)
    if not bool(reached):
        raise ConfigurationError(
            f"conjugate gradients did not reach tolerance {tolerance} in max_steps = {max_steps} steps; "
            "raise either, or check that the noise is not far below the field's variance"
        )
    return jnp.reshape(mean, (-1, grid.rows.size, grid.columns.size)), int(steps)


@eqx.filter_jit
def _mean(
    model: StaticProductGP,
    observations: GridObservations,
    grid: Grid,
    wanted: Float[AnyArray, " F"],
    tolerance: float,
    max_steps: int,
) -> tuple[Float[AnyArray, "F P"], Int[AnyArray, ""], Any]:
    pixels = jnp.stack(jnp.meshgrid(grid.rows, grid.columns, indexing="ij"), axis=-1).reshape(-1, 2)
    static, space = model.static.gram(pixels, pixels), model.space.gram(pixels, pixels)
    times = jnp.asarray(grid.times)[:, None]
    time, noise = model.time.gram(times, times), model.noise_variance
    cells = observations.frames, observations.pixels

    def on_grid(weights: Float[AnyArray, " N"]) -> Float[AnyArray, "T P"]:
        return jnp.zeros((times.shape[0], pixels.shape[0])).at[cells].add(weights)

    def covariance(weights: Float[AnyArray, " N"]) -> Float[AnyArray, " N"]:
        spread = on_grid(weights)
        return (time @ spread @ space + spread.sum(axis=0) @ static)[cells] + noise * weights

    variance = noise + space[0, 0] * time[0, 0]
    residual = observations.values - model.mean
    solution = lx.linear_solve(
        _operator(covariance, residual),
        residual,
        lx.CG(rtol=tolerance, atol=0.0, max_steps=max_steps),
        options={"preconditioner": _operator(_of_static_field(static, variance, cells[1]), residual)},
        throw=False,
    )
    spread = on_grid(solution.value)
    across = model.time.gram(wanted[:, None], times)
    mean = model.mean + across @ spread @ space + spread.sum(axis=0) @ static
    return mean, solution.stats["num_steps"], solution.result == lx.RESULTS.successful


def _of_static_field(
    static: Float[AnyArray, "P P"], variance: Float[AnyArray, ""], pixels: Int[AnyArray, " N"]
) -> Any:
    """Inverse of the covariance without correlations of the moving field, by Woodbury's identity.

    The static field correlates all frames of a pixel: the largest eigenvalues are its own, and with them
    gone conjugate gradients see only those of the moving field.
    """
    counts = jnp.zeros(static.shape[0]).at[pixels].add(1.0)
    roots = jnp.sqrt(counts)
    factor = Factor(roots[:, None] * static * roots + variance * jnp.eye(static.shape[0]))

    def inverse(weights: Float[AnyArray, " N"]) -> Float[AnyArray, " N"]:
        sums = roots * (static @ jnp.zeros(static.shape[0]).at[pixels].add(weights))
        share = jnp.where(counts > 0, factor.solve(sums) / jnp.where(counts > 0, roots, 1.0), 0.0)
        return (weights - share[pixels]) / variance

    return inverse


def _operator(function: Any, like: Float[AnyArray, " N"]) -> lx.FunctionLinearOperator:
    return lx.FunctionLinearOperator(
        function, jax.ShapeDtypeStruct(like.shape, like.dtype), lx.positive_semidefinite_tag
    )
