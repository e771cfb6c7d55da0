"""Exact for any kernel and any points, at the cost of one N x N matrix."""

import abc
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from spatial_prediction.errors import ObservationError
from spatial_prediction.gaussian_process._grid import (
    Grid,
    GridObservations,
    checked_noise_variances,
    checked_points,
    checked_values,
)
from spatial_prediction.gaussian_process._model import AbstractGP
from spatial_prediction.gaussian_process._positive_definite import (
    Factor,
    log_density_without_constant,
    whiten,
)
from spatial_prediction.gaussian_process._posterior import AbstractPosterior
from spatial_prediction.gaussian_process._precision import AnyArray, in_double_precision
from spatial_prediction.gaussian_process.kernels import AbstractKernel, OnAxes
from spatial_prediction.gaussian_process.sizes import check_rows


class AbstractDenseGP(AbstractGP["DensePosterior"]):
    """A model that is solved with a dense matrix.

    Exact. O(N^3) time and about 4 N^2 numbers of memory for value and gradient.
    """

    @property
    @abc.abstractmethod
    def covariance(self) -> AbstractKernel:
        """Kernel of f, of points (time, row, column)."""

    def given(self, observations: GridObservations) -> "DensePosterior":
        """Condition on checked observations of a grid."""
        count = len(observations.values)
        return DensePosterior(self, observations.points, observations.values, np.zeros(count), observations)

    def condition_points(self, points: Any, values: Any, *, noise_variances: Any = None) -> "DensePosterior":
        """Condition on values anywhere.

        Args:
            points: (N, 3): time, row, column.
            values: (N,).
            noise_variances: (N,), known variances of errors of measurement, added to that of the noise.

        Raises:
            ObservationError: shapes do not agree, something is not finite, or there are too many or none.
        """
        points = checked_points(points)
        values = checked_values(values, len(points))
        known = checked_noise_variances(noise_variances, len(points))
        return DensePosterior(self, points, values, known)


class DenseGP(AbstractDenseGP):
    """Any kernel of (time, row, column), by a dense matrix: the oracle of the structured models.

    Attributes:
        kernel: of points (time, row, column); :class:`OnAxes` chooses among these.
    """

    kernel: AbstractKernel

    @property
    def covariance(self) -> AbstractKernel:
        """The kernel."""
        return self.kernel


class StaticProductGP(AbstractDenseGP):
    """y = mean + g(row, column) + f(time, row, column) + noise: a static image, and weather that moves.

    The covariance is ``static`` + ``space`` x ``time``. No structure is left when masks differ from frame to
    frame, so it is solved densely; exact.

    Attributes:
        static: kernel of (row, column) of what does not change.
        space: kernel of (row, column) of what does.
        time: kernel of its times.
    """

    static: AbstractKernel
    space: AbstractKernel
    time: AbstractKernel

    @property
    def covariance(self) -> AbstractKernel:
        """Static + space x time."""
        return OnAxes(self.static, (1, 2)) + OnAxes(self.space, (1, 2)) * OnAxes(self.time, (0,))


class DensePosterior(AbstractPosterior):
    """A dense model and the points and values that it is conditioned on.

    Attributes:
        model: kernel, mean and noise.
        points: (N, 3): time, row, column.
        values: (N,).
        noise_variances: (N,), known variances beside that of the noise.
        observations: the grid's, where it was conditioned on one.
    """

    model: AbstractDenseGP
    points: Float[AnyArray, "N 3"]
    values: Float[AnyArray, " N"]
    noise_variances: Float[AnyArray, " N"]
    observations: GridObservations | None = None

    def __check_init__(self) -> None:
        check_rows(len(self.points), "take an additive or a variational model, or condition on fewer frames")

    @property
    def grid(self) -> Grid:
        """Grid that the model was conditioned on.

        Raises:
            ObservationError: it was conditioned on points.
        """
        return self._grid_observations.grid

    @property
    def _grid_observations(self) -> GridObservations:
        if self.observations is None:
            raise ObservationError("conditioned on points, not on a grid; predict at points, or give a mask")
        return self.observations

    @in_double_precision
    def log_marginal_likelihood(self) -> Float[AnyArray, ""]:
        """Log density of the observed values: float64, shape ()."""
        return _log_marginal_likelihood(self.model, self.points, self.values, self.noise_variances)

    def joined(self, mask: Any, values: Any) -> "DensePosterior":
        """Condition on further cells of the grid too."""
        return self.model.given(self._grid_observations.joined(mask, values))

    def joined_points(self, points: Any, values: Any) -> "DensePosterior":
        """Condition on further points too."""
        more = self.model.condition_points(points, values)
        return DensePosterior(
            self.model,
            np.concatenate([self.points, more.points]),
            np.concatenate([self.values, more.values]),
            np.concatenate([self.noise_variances, more.noise_variances]),
        )

    def filter_grid(
        self, frames: Any
    ) -> tuple[Float[np.ndarray, "frames rows columns"], Float[np.ndarray, "frames rows columns"]]:
        """Predict all pixels of the grid at some times, each from the observations up to that time only.

        One factorisation serves all times: with observations in the order of their times, what is known up to
        one of them is a leading block, whose factor is the leading block of the factor.

        Args:
            frames: times, (F,), in the units of the grid's.

        Returns:
            Mean, and variance with that of the noise, each float64 of shape (F, rows, columns).
        """
        times, shape = np.asarray(frames, np.float64), (self.grid.rows.size, self.grid.columns.size)
        order = np.argsort(self.points[:, 0], kind="stable")
        past = DensePosterior(self.model, self.points[order], self.values[order], self.noise_variances[order])
        prepared = past._prepared()
        counts = np.searchsorted(past.points[:, 0], times, side="right")
        result = np.empty((2, times.size, *shape))
        for index, (time, count) in enumerate(zip(times, map(np.asarray, counts), strict=True)):
            points = np.column_stack([np.full(len(self.grid.pixels), time), self.grid.pixels])
            result[:, index] = np.reshape(past._predict_from(count, prepared, points), (2, *shape))
        return result[0], result[1]

    @in_double_precision
    def _prepared(self) -> tuple[Float[AnyArray, "N N"], Float[AnyArray, " N"]]:
        return _factored(self.model, self.points, self.values, self.noise_variances)

    @in_double_precision
    def _predict_chunk(
        self, prepared: Any, points: Float[AnyArray, "M 3"]
    ) -> tuple[Float[AnyArray, " M"], Float[AnyArray, " M"]]:
        return self._predict_from(np.asarray(len(self.points)), prepared, points)

    @in_double_precision
    def _predict_from(
        self, count: Int[np.ndarray, ""], prepared: Any, points: Float[AnyArray, "M 3"]
    ) -> tuple[Float[AnyArray, " M"], Float[AnyArray, " M"]]:
        return _predict(self.model, self.points, prepared, points, count)


def _matrix(
    model: AbstractDenseGP, points: Float[AnyArray, "N 3"], known: Float[AnyArray, " N"]
) -> Float[AnyArray, "N N"]:
    return model.covariance.gram(points, points) + jnp.diag(known + model.noise_variance)


@eqx.filter_jit
def _log_marginal_likelihood(
    model: AbstractDenseGP,
    points: Float[AnyArray, "N 3"],
    values: Float[AnyArray, " N"],
    known: Float[AnyArray, " N"],
) -> Float[AnyArray, ""]:
    density = log_density_without_constant(_matrix(model, points, known), values - model.mean)
    return density - 0.5 * values.shape[0] * np.log(2.0 * np.pi)


@eqx.filter_jit
def _factored(
    model: AbstractDenseGP,
    points: Float[AnyArray, "N 3"],
    values: Float[AnyArray, " N"],
    known: Float[AnyArray, " N"],
) -> tuple[Float[AnyArray, "N N"], Float[AnyArray, " N"]]:
    """Cholesky factor U of the covariance U'U, and the whitened residual."""
    factor = Factor(_matrix(model, points, known))
    residual = values - model.mean
    return factor.upper, factor.whiten(residual[:, None])[:, 0]


@eqx.filter_jit
def _predict(
    model: AbstractDenseGP,
    points: Float[AnyArray, "N 3"],
    factored: tuple[Float[AnyArray, "N N"], Float[AnyArray, " N"]],
    wanted: Float[AnyArray, "M 3"],
    count: Int[AnyArray, ""],
) -> tuple[Float[AnyArray, " M"], Float[AnyArray, " M"]]:
    """Predict from the first observations, so many; they are what the first whitened ones depend on."""
    upper, residual = factored
    used = jnp.arange(points.shape[0]) < count
    covariances = jnp.where(used[:, None], whiten(upper, model.covariance.gram(points, wanted)), 0.0)
    prior = model.covariance.diagonal(wanted) + model.noise_variance
    return model.mean + residual @ covariances, prior - jnp.sum(covariances**2, axis=0)
