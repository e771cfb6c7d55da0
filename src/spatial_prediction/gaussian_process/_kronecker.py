"""A product of a spatial and a temporal kernel, exact where every frame has the same observed pixels."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from spatial_prediction.errors import ObservationError
from spatial_prediction.gaussian_process._grid import Grid, GridObservations
from spatial_prediction.gaussian_process._model import AbstractGP
from spatial_prediction.gaussian_process._positive_definite import after
from spatial_prediction.gaussian_process._posterior import AbstractPosterior
from spatial_prediction.gaussian_process._precision import AnyArray, in_double_precision, real
from spatial_prediction.gaussian_process.kernels import AbstractKernel
from spatial_prediction.gaussian_process.sizes import check_rows


class KroneckerGP(AbstractGP["KroneckerPosterior"]):
    """y = mean + f(time, row, column) + noise, where f has the covariance ``space`` x ``time``.

    Exact, from the eigendecompositions of two small matrices: O(P^3 + T^3 + P T (P + T)). Every observed
    frame must have the same observed pixels; missing cells destroy the structure and are never filled in.

    Attributes:
        time: kernel of (T, 1) times.
        space: kernel of (P, 2) rows and columns.
    """

    time: AbstractKernel
    space: AbstractKernel

    def given(self, observations: GridObservations) -> "KroneckerPosterior":
        """Arrange checked observations of a grid as a matrix.

        Frames without any observation are left out.

        Raises:
            ObservationError: two frames have different observed pixels.
        """
        frames, frame = np.unique(observations.frames, return_inverse=True)
        pixels, pixel = np.unique(observations.pixels, return_inverse=True)
        check_rows(max(frames.size, pixels.size), "take a coarser grid or a variational model")
        counts = np.zeros((frames.size, pixels.size))
        np.add.at(counts, (frame, pixel), 1.0)
        different = (counts != counts[0]).any(axis=1)
        if different.any() or np.max(counts) > 1.0:
            odd = (
                f"frames {frames[0]} and {frames[np.argmax(different)]} have different observed pixels"
                if different.any()
                else "a cell is observed more than once"
            )
            raise ObservationError(
                f"{odd}; a product of kernels is exact here only for one mask in all frames: take "
                "StaticProductGP or DenseGP"
            )
        values = np.zeros(counts.shape)
        values[frame, pixel] = observations.values
        grid = observations.grid
        return KroneckerPosterior(self, observations, values, grid.times[frames], grid.pixels[pixels])


class KroneckerPosterior(AbstractPosterior):
    """A product model and what it is conditioned on.

    Attributes:
        model: kernels, mean and noise.
        observations: as given.
        values: (T, P), the observed values of T frames and P pixels.
        times: (T,), coordinates of the observed frames.
        pixels: (P, 2), coordinates of the observed pixels.
    """

    model: KroneckerGP
    observations: GridObservations
    values: Float[AnyArray, "T P"]
    times: Float[AnyArray, " T"]
    pixels: Float[AnyArray, "P 2"]

    @property
    def grid(self) -> Grid:
        """Grid that the model was conditioned on."""
        return self.observations.grid

    @in_double_precision
    def log_marginal_likelihood(self) -> Float[AnyArray, ""]:
        """Log density of the observed values: float64, shape ()."""
        return _log_marginal_likelihood(self.model, self.values, self.times, self.pixels)

    def joined(self, mask: Any, values: Any) -> "KroneckerPosterior":
        """Condition on further frames too, which must have the same observed pixels."""
        return self.model.given(self.observations.joined(mask, values))

    @in_double_precision
    def _prepared(self) -> tuple["_Spectrum", Float[AnyArray, "T P"]]:
        return _decomposed(self.model, self.values, self.times, self.pixels)

    @in_double_precision
    def _predict_chunk(
        self, prepared: Any, points: Float[AnyArray, "M 3"]
    ) -> tuple[Float[AnyArray, " M"], Float[AnyArray, " M"]]:
        return _predict_points(self.model, self.times, self.pixels, prepared, points)

    @in_double_precision
    def predict_grid(
        self, frames: Any
    ) -> tuple[Float[AnyArray, "frames rows columns"], Float[AnyArray, "frames rows columns"]]:
        """Predict all pixels of the grid at some times; see :meth:`AbstractPosterior.predict_grid`."""
        mean, variance = _predict_product(
            self.model, self.values, self.times, self.pixels, real(frames), self.grid.pixels
        )
        shape = (-1, self.grid.rows.size, self.grid.columns.size)
        return mean.reshape(shape), variance.reshape(shape)


class _Spectrum(eqx.Module):
    """Eigenvectors of both Gram matrices, and the eigenvalues of the covariance of all values."""

    of_times: Float[AnyArray, "T T"]
    of_pixels: Float[AnyArray, "P P"]
    time_eigenvalues: Float[AnyArray, " T"]
    pixel_eigenvalues: Float[AnyArray, " P"]
    eigenvalues: Float[AnyArray, "T P"]

    def __init__(
        self,
        times: Float[AnyArray, "T T"],
        pixels: Float[AnyArray, "P P"],
        noise_variance: Float[AnyArray, ""],
    ) -> None:
        pixel_values, self.of_pixels = jnp.linalg.eigh(pixels)
        time_values, self.of_times = jnp.linalg.eigh(after(pixel_values, times))
        # Rounding makes eigenvalues of a smooth kernel slightly negative.
        self.time_eigenvalues = jnp.maximum(time_values, 0.0)
        self.pixel_eigenvalues = jnp.maximum(pixel_values, 0.0)
        self.eigenvalues = jnp.outer(self.time_eigenvalues, self.pixel_eigenvalues) + noise_variance

    def solve(self, values: Float[AnyArray, "T P"]) -> Float[AnyArray, "T P"]:
        """Inverse of the covariance of all values, applied to values."""
        rotated = self.of_times.T @ values @ self.of_pixels
        return self.of_times @ (rotated / self.eigenvalues) @ self.of_pixels.T


@jax.custom_jvp
def _log_density_without_constant(
    times: Float[AnyArray, "T T"],
    pixels: Float[AnyArray, "P P"],
    noise_variance: Float[AnyArray, ""],
    residual: Float[AnyArray, "T P"],
) -> Float[AnyArray, ""]:
    """-1/2 y' K^-1 y - 1/2 log|K| of K = Kt (x) Ks + s2 I, without a derivative of eigenvectors.

    That derivative is NaN where eigenvalues repeat; the density's own needs only the decomposition itself.
    """
    spectrum = _Spectrum(times, pixels, noise_variance)
    solved = spectrum.solve(residual)
    return -0.5 * jnp.sum(residual * solved) - 0.5 * jnp.sum(jnp.log(spectrum.eigenvalues))


@_log_density_without_constant.defjvp
def _derivative(arguments: tuple[Any, ...], changes: tuple[Any, ...]) -> tuple[Any, Any]:
    times, pixels, noise_variance, residual = arguments
    spectrum = _Spectrum(times, pixels, noise_variance)
    solved, inverse = spectrum.solve(residual), 1.0 / spectrum.eigenvalues
    value = -0.5 * jnp.sum(residual * solved) - 0.5 * jnp.sum(jnp.log(spectrum.eigenvalues))
    trace_times = (spectrum.of_times * (inverse @ spectrum.pixel_eigenvalues)) @ spectrum.of_times.T
    trace_pixels = (spectrum.of_pixels * (spectrum.time_eigenvalues @ inverse)) @ spectrum.of_pixels.T
    of_times = 0.5 * (solved @ pixels @ solved.T - trace_times)
    of_pixels = 0.5 * (solved.T @ times @ solved - trace_pixels)
    of_noise = 0.5 * (jnp.sum(solved**2) - jnp.sum(inverse))
    change = (
        jnp.sum(of_times * changes[0])
        + jnp.sum(of_pixels * changes[1])
        + of_noise * changes[2]
        - jnp.sum(solved * changes[3])
    )
    return value, change


@eqx.filter_jit
def _log_marginal_likelihood(
    model: KroneckerGP,
    values: Float[AnyArray, "T P"],
    times: Float[AnyArray, " T"],
    pixels: Float[AnyArray, "P 2"],
) -> Float[AnyArray, ""]:
    density = _log_density_without_constant(
        model.time.gram(times[:, None], times[:, None]),
        model.space.gram(pixels, pixels),
        model.noise_variance,
        values - model.mean,
    )
    return density - 0.5 * values.size * np.log(2.0 * np.pi)


@eqx.filter_jit
def _decomposed(
    model: KroneckerGP,
    values: Float[AnyArray, "T P"],
    times: Float[AnyArray, " T"],
    pixels: Float[AnyArray, "P 2"],
) -> tuple[_Spectrum, Float[AnyArray, "T P"]]:
    """Spectrum of the covariance, and its inverse applied to the residual."""
    of_times, of_pixels = model.time.gram(times[:, None], times[:, None]), model.space.gram(pixels, pixels)
    spectrum = _Spectrum(of_times, of_pixels, model.noise_variance)
    return spectrum, spectrum.solve(values - model.mean)


@eqx.filter_jit
def _predict_points(
    model: KroneckerGP,
    times: Float[AnyArray, " T"],
    pixels: Float[AnyArray, "P 2"],
    decomposed: tuple[_Spectrum, Float[AnyArray, "T P"]],
    points: Float[AnyArray, "M 3"],
) -> tuple[Float[AnyArray, " M"], Float[AnyArray, " M"]]:
    spectrum, weights = decomposed
    of_times = model.time.gram(points[:, :1], times[:, None])
    of_pixels = model.space.gram(points[:, 1:], pixels)
    mean = model.mean + jnp.sum((of_times @ weights) * of_pixels, axis=1)
    squares_times, squares_pixels = (of_times @ spectrum.of_times) ** 2, (of_pixels @ spectrum.of_pixels) ** 2
    known = jnp.sum((squares_times @ (1.0 / spectrum.eigenvalues)) * squares_pixels, axis=1)
    prior = model.time.diagonal(points[:, :1]) * model.space.diagonal(points[:, 1:])
    return mean, prior + model.noise_variance - known


@eqx.filter_jit
def _predict_product(
    model: KroneckerGP,
    values: Float[AnyArray, "T P"],
    times: Float[AnyArray, " T"],
    pixels: Float[AnyArray, "P 2"],
    wanted_times: Float[AnyArray, " F"],
    wanted_pixels: Float[AnyArray, "M 2"],
) -> tuple[Float[AnyArray, "F M"], Float[AnyArray, "F M"]]:
    """Mean and variance at all pairs of times and pixels."""
    spectrum, weights = _decomposed(model, values, times, pixels)
    of_times = model.time.gram(wanted_times[:, None], times[:, None])
    of_pixels = model.space.gram(wanted_pixels, pixels)
    mean = model.mean + of_times @ weights @ of_pixels.T
    squares_times, squares_pixels = (of_times @ spectrum.of_times) ** 2, (of_pixels @ spectrum.of_pixels) ** 2
    known = squares_times @ (1.0 / spectrum.eigenvalues) @ squares_pixels.T
    prior = model.time.diagonal(wanted_times[:, None])[:, None] * model.space.diagonal(wanted_pixels)
    return mean, prior + model.noise_variance - known
