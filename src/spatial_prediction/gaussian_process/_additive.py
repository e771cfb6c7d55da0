"""A static field plus a time series common to all pixels, exact for any mask of a grid."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.gaussian_process._grid import Grid, GridObservations
from spatial_prediction.gaussian_process._positive_definite import Factor, log_density_without_constant
from spatial_prediction.gaussian_process._posterior import AbstractPosterior
from spatial_prediction.gaussian_process._precision import AnyArray, in_double_precision, real
from spatial_prediction.gaussian_process._sufficient_statistics import SufficientStatistics
from spatial_prediction.gaussian_process.kernels import (
    AbstractKernel,
    kernel_from_name,
    positive,
    raw_parameters,
    with_raw_parameters,
)


class AdditiveGridGP(eqx.Module):
    """y = mean + g(row, column) + h(time) + noise, with independent Gaussian processes g and h.

    Exact for any pattern of observed cells. Time and memory depend on P + T, the numbers of observed pixels
    and frames, not on the number of observations: O((P + T)^3) and O((P + T)^2).

    Each predicted frame is one image plus one number: nothing that moves can be represented.

    Attributes:
        time: kernel of (T, 1) times.
        space: kernel of (P, 2) rows and columns.
        mean: the constant mean, in units of the values.
        raw_noise: the variance of the noise is ``noise_floor`` + softplus(raw_noise).
        noise_floor: lower bound of that variance, in squared units of the values.
    """

    time: AbstractKernel
    space: AbstractKernel
    mean: Float[AnyArray, ""] = eqx.field(converter=real, default=0.0)
    raw_noise: Float[AnyArray, ""] = eqx.field(converter=real, default=0.0)
    noise_floor: float = eqx.field(static=True, default=1e-4)

    @classmethod
    def from_raw_parameters(
        cls, time: str, space: str, raw: Mapping[str, Any], *, noise_floor: float = 1e-4
    ) -> "AdditiveGridGP":
        """Make the model of two kernels' names and unconstrained parameters.

        Args:
            time: one of ``TIME_KERNELS``.
            space: one of ``SPACE_KERNELS``.
            raw: ``raw_mean`` (the mean itself), ``raw_noise``, and for each kernel, with ``time`` or
                ``space`` for X: ``raw_X_os`` (variance), ``raw_X_ls``, ``raw_X_per``, ``raw_X_w``,
                ``raw_X_mu``, ``raw_X_v``, as far as it has them.
            noise_floor: lower bound of the variance of the noise.

        Raises:
            ConfigurationError: a name is not known; a parameter is missing, unknown, or of another shape.
        """
        model = cls(kernel_from_name(time, 1), kernel_from_name(space, 2), noise_floor=noise_floor)
        if unknown := sorted(set(raw) - set(model.to_raw_parameters())):
            raise ConfigurationError(
                f"{time} in time and {space} in space have no parameter {', '.join(unknown)}; "
                f"they have {', '.join(model.to_raw_parameters())}"
            )
        if missing := sorted({"raw_mean", "raw_noise"} - set(raw)):
            raise ConfigurationError(f"raw parameter {missing[0]} is missing; give it with shape ()")
        return cls(
            with_raw_parameters(model.time, "time", raw),
            with_raw_parameters(model.space, "space", raw),
            mean=raw["raw_mean"],
            raw_noise=raw["raw_noise"],
            noise_floor=noise_floor,
        )

    def to_raw_parameters(self) -> dict[str, Any]:
        """Return what :meth:`from_raw_parameters` takes; of a gradient, the derivatives by these names."""
        return {
            "raw_mean": self.mean,
            "raw_noise": self.raw_noise,
            **raw_parameters(self.space, "space"),
            **raw_parameters(self.time, "time"),
        }

    @property
    @in_double_precision
    def noise_variance(self) -> Float[AnyArray, ""]:
        """Variance of the noise."""
        return self.noise_floor + positive(self.raw_noise)

    def condition(
        self,
        mask: Any,
        values: Any,
        *,
        times: Any = None,
        rows: Any = None,
        columns: Any = None,
    ) -> "AdditiveGridPosterior":
        """Condition on observed cells of a grid.

        Args:
            mask: bool of shape (frames, rows, columns), True where observed.
            values: (N,), frame by frame, row-major, as ``field[mask]`` gives them.
            times: coordinates of the frames, monotonic; by default 0, 1, ...
            rows: coordinates of the rows, likewise.
            columns: coordinates of the columns, likewise.

        Raises:
            ObservationError: shapes do not agree, something is not finite, or nothing is observed.
        """
        observations = GridObservations.of(mask, values, times=times, rows=rows, columns=columns)
        return AdditiveGridPosterior(self, observations, SufficientStatistics.of(observations))


class AdditiveGridPosterior(AbstractPosterior):
    """An additive model and what it is conditioned on, reduced once for all parameters."""

    model: AdditiveGridGP
    observations: GridObservations
    statistics: SufficientStatistics

    @property
    def grid(self) -> Grid:
        """Grid that the model was conditioned on."""
        return self.observations.grid

    @in_double_precision
    def log_marginal_likelihood(self) -> Float[AnyArray, ""]:
        """Log density of the observed values: float64, shape ()."""
        return _log_marginal_likelihood(self.model, self.statistics)

    def joined(self, mask: Any, values: Any) -> "AdditiveGridPosterior":
        """Condition on further observations too; see :meth:`log_density`."""
        observations = self.observations.joined(mask, values)
        return AdditiveGridPosterior(self.model, observations, SufficientStatistics.of(observations))

    @in_double_precision
    def _predict_chunk(
        self, points: Float[AnyArray, "M 3"]
    ) -> tuple[Float[AnyArray, " M"], Float[AnyArray, " M"]]:
        return _predict_points(self.model, self.statistics, points)

    @in_double_precision
    def predict_grid(
        self, frames: Any
    ) -> tuple[Float[AnyArray, "frames rows columns"], Float[AnyArray, "frames rows columns"]]:
        """Predict all pixels of the grid at some times; see :meth:`AbstractPosterior.predict_grid`."""
        grid = self.grid
        mean, variance = _predict_product(self.model, self.statistics, real(frames), grid.pixels)
        shape = (-1, grid.rows.size, grid.columns.size)
        return mean.reshape(shape), variance.reshape(shape)


def _covariance(model: AdditiveGridGP, statistics: SufficientStatistics) -> Float[AnyArray, "q q"]:
    """H = V'GV + s2 I, where G has the Gram matrices of pixels and of times on its diagonal."""
    size, roots = statistics.projected.shape[0], statistics.root_counts
    loadings = statistics.frame_loadings
    times = statistics.times[:, None]
    of_pixels = roots[:, None] * model.space.gram(statistics.pixels, statistics.pixels) * roots
    of_frames = (loadings @ model.time.gram(times, times)) @ loadings.T
    noise = model.noise_variance * jnp.eye(size, dtype=jnp.float64)
    covariance = jnp.asarray(of_frames + noise)
    return covariance.at[: roots.shape[0], : roots.shape[0]].add(of_pixels)


def _residual(model: AdditiveGridGP, statistics: SufficientStatistics) -> Float[AnyArray, " q"]:
    return statistics.projected - model.mean * statistics.of_ones


@eqx.filter_jit
def _log_marginal_likelihood(model: AdditiveGridGP, statistics: SufficientStatistics) -> Float[AnyArray, ""]:
    noise, count = model.noise_variance, statistics.count
    within = log_density_without_constant(_covariance(model, statistics), _residual(model, statistics))
    outside = count - statistics.projected.shape[0]
    return (
        within
        - statistics.residual_sum_of_squares / (2.0 * noise)
        - 0.5 * outside * jnp.log(noise)
        - 0.5 * count * np.log(2.0 * np.pi)
    )


def _loadings_of_pixels(
    model: AdditiveGridGP, statistics: SufficientStatistics, pixels: Float[AnyArray, "M 2"]
) -> Float[AnyArray, "q M"]:
    """V' times the covariances of observed and other pixels."""
    covariances = statistics.root_counts[:, None] * model.space.gram(statistics.pixels, pixels)
    return jnp.pad(covariances, ((0, statistics.projected.shape[0] - covariances.shape[0]), (0, 0)))


def _loadings_of_times(
    model: AdditiveGridGP, statistics: SufficientStatistics, times: Float[AnyArray, " M"]
) -> Float[AnyArray, "q M"]:
    """V' times the covariances of observed and other times."""
    return statistics.frame_loadings @ model.time.gram(statistics.times[:, None], times[:, None])


@eqx.filter_jit
def _predict_points(
    model: AdditiveGridGP, statistics: SufficientStatistics, points: Float[AnyArray, "M 3"]
) -> tuple[Float[AnyArray, " M"], Float[AnyArray, " M"]]:
    factor = Factor(_covariance(model, statistics))
    times, pixels = points[:, 0], points[:, 1:]
    loadings = _loadings_of_pixels(model, statistics, pixels) + _loadings_of_times(model, statistics, times)
    prior = model.space.diagonal(pixels) + model.time.diagonal(times[:, None]) + model.noise_variance
    mean = model.mean + factor.solve(_residual(model, statistics)) @ loadings
    return mean, prior - jnp.sum(factor.whiten(loadings) ** 2, axis=0)


@eqx.filter_jit
def _predict_product(
    model: AdditiveGridGP,
    statistics: SufficientStatistics,
    times: Float[AnyArray, " F"],
    pixels: Float[AnyArray, "M 2"],
) -> tuple[Float[AnyArray, "F M"], Float[AnyArray, "F M"]]:
    """Mean and variance at all pairs: only numbers of pixels and times appear in the sizes."""
    factor = Factor(_covariance(model, statistics))
    of_pixels = _loadings_of_pixels(model, statistics, pixels)
    of_times = _loadings_of_times(model, statistics, times)
    weights = factor.solve(_residual(model, statistics))
    mean = model.mean + (weights @ of_times)[:, None] + (weights @ of_pixels)
    white_pixels, white_times = factor.whiten(of_pixels), factor.whiten(of_times)
    pixel_variance = model.space.diagonal(pixels) - jnp.sum(white_pixels**2, axis=0)
    time_variance = model.time.diagonal(times[:, None]) - jnp.sum(white_times**2, axis=0)
    crossed = white_times.T @ white_pixels
    return mean, pixel_variance + time_variance[:, None] - 2.0 * crossed + model.noise_variance
