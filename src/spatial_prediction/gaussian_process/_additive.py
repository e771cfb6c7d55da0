"""A static field plus a time series common to all pixels, exact for any mask of a grid."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.gaussian_process._grid import Grid, GridObservations
from spatial_prediction.gaussian_process._model import AbstractGP
from spatial_prediction.gaussian_process._positive_definite import (
    Factor,
    log_density_without_constant,
    whiten,
)
from spatial_prediction.gaussian_process._posterior import AbstractPosterior
from spatial_prediction.gaussian_process._precision import AnyArray, in_double_precision, real
from spatial_prediction.gaussian_process._sufficient_statistics import SufficientStatistics
from spatial_prediction.gaussian_process.kernels import (
    AbstractKernel,
    kernel_from_name,
    raw_parameters,
    with_raw_parameters,
)


class AdditiveGridGP(AbstractGP["AdditiveGridPosterior"]):
    """y = mean + g(row, column) + h(time) + noise, with independent Gaussian processes g and h.

    Exact for any pattern of observed cells. Time and memory depend on P + T, the numbers of observed pixels
    and frames, not on the number of observations: O((P + T)^3) and O((P + T)^2).

    Each predicted frame is one image plus one number: nothing that moves can be represented.

    Attributes:
        time: kernel of (T, 1) times.
        space: kernel of (P, 2) rows and columns.
    """

    time: AbstractKernel
    space: AbstractKernel

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
            noise_floor: lower bound of the variance of the noise; by default the published model's.

        Raises:
            ConfigurationError: a name is not known; a parameter is missing, unknown, or of another shape.
        """
        model = cls(kernel_from_name(time, 1), kernel_from_name(space, 2), noise_floor=noise_floor)
        if unknown := sorted(set(raw) - set(model.to_raw_parameters())):
            raise ConfigurationError(
                f"{time} in time and {space} in space have no parameter {', '.join(unknown)}; "
                f"they have {', '.join(model.to_raw_parameters())}"
            )
        for name in ("raw_mean", "raw_noise"):
            if name not in raw or np.shape(raw[name]) != ():
                raise ConfigurationError(
                    f"raw parameter {name} is missing or no scalar; give it with shape ()"
                )
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

    def given(self, observations: GridObservations) -> "AdditiveGridPosterior":
        """Reduce checked observations of a grid."""
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
        return self.model.given(self.observations.joined(mask, values))

    @in_double_precision
    def _prepared(self) -> tuple[Float[AnyArray, "q q"], Float[AnyArray, " q"]]:
        return _factored(self.model, self.statistics)

    @in_double_precision
    def _predict_chunk(
        self, prepared: Any, points: Float[AnyArray, "M 3"]
    ) -> tuple[Float[AnyArray, " M"], Float[AnyArray, " M"]]:
        return _predict_points(self.model, self.statistics, prepared, points)

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
def _factored(
    model: AdditiveGridGP, statistics: SufficientStatistics
) -> tuple[Float[AnyArray, "q q"], Float[AnyArray, " q"]]:
    """Cholesky factor of H, and H^-1 a."""
    factor = Factor(_covariance(model, statistics))
    return factor.upper, factor.solve(_residual(model, statistics))


@eqx.filter_jit
def _predict_points(
    model: AdditiveGridGP,
    statistics: SufficientStatistics,
    factored: tuple[Float[AnyArray, "q q"], Float[AnyArray, " q"]],
    points: Float[AnyArray, "M 3"],
) -> tuple[Float[AnyArray, " M"], Float[AnyArray, " M"]]:
    upper, weights = factored
    times, pixels = points[:, 0], points[:, 1:]
    loadings = _loadings_of_pixels(model, statistics, pixels) + _loadings_of_times(model, statistics, times)
    prior = model.space.diagonal(pixels) + model.time.diagonal(times[:, None]) + model.noise_variance
    mean = model.mean + weights @ loadings
    return mean, prior - jnp.sum(whiten(upper, loadings) ** 2, axis=0)


@eqx.filter_jit
def _predict_product(
    model: AdditiveGridGP,
    statistics: SufficientStatistics,
    times: Float[AnyArray, " F"],
    pixels: Float[AnyArray, "M 2"],
) -> tuple[Float[AnyArray, "F M"], Float[AnyArray, "F M"]]:
    """Mean and variance at all pairs: only numbers of pixels and times appear in the sizes."""
    upper, weights = _factored(model, statistics)
    of_pixels = _loadings_of_pixels(model, statistics, pixels)
    of_times = _loadings_of_times(model, statistics, times)
    mean = model.mean + (weights @ of_times)[:, None] + (weights @ of_pixels)
    white_pixels, white_times = whiten(upper, of_pixels), whiten(upper, of_times)
    pixel_variance = model.space.diagonal(pixels) - jnp.sum(white_pixels**2, axis=0)
    time_variance = model.time.diagonal(times[:, None]) - jnp.sum(white_times**2, axis=0)
    crossed = white_times.T @ white_pixels
    return mean, pixel_variance + time_variance[:, None] - 2.0 * crossed + model.noise_variance
