"""How lively the weather is at each pixel: oceans are calm, continents are not."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from scipy.interpolate import NearestNDInterpolator
from scipy.ndimage import gaussian_filter

from spatial_prediction.gaussian_process.kernels import AbstractKernel

AnyArray = jax.Array | np.ndarray

BANDWIDTH = 1.5
"""Pixels: standard deviation of the Gaussian that smooths variances."""


def log_amplitude(known: Float[np.ndarray, "frames rows columns"]) -> Float[np.ndarray, "rows columns"]:
    """Estimate the logarithm of each pixel's standard deviation over time, relative to the typical one.

    The variance of a pixel's few known values about their mean is averaged with its neighbours', each
    weighted by its number of values.

    Args:
        known: values, NaN where nothing is known.

    Returns:
        Mean 0; 0 everywhere where no pixel is known twice, or nothing varies.
    """
    there = ~np.isnan(known)
    count = there.sum(axis=0)
    mean = np.where(there, known, 0.0).sum(axis=0) / np.maximum(count, 1)
    squares = np.where(there, known - mean, 0.0) ** 2
    weight = np.where(count > 1, count, 0).astype(np.float64)
    unbiased = squares.sum(axis=0) * weight / np.maximum(count - 1, 1)
    total, weights = (gaussian_filter(image, BANDWIDTH, mode="nearest") for image in (unbiased, weight))
    usable = (weights > 1e-9) & (total > 0)
    if not usable.any():
        return np.zeros(weight.shape)
    logarithm = 0.5 * np.log(total[usable] / weights[usable])
    image = NearestNDInterpolator(np.argwhere(usable), logarithm)(*np.indices(weight.shape))
    return image - image.mean()


class Modulated(AbstractKernel):
    """A kernel of (time, row, column, ...) whose standard deviation varies from pixel to pixel of a grid.

    Attributes:
        kernel: of the weather, were it everywhere as lively.
        power: of the amplitudes, shape (): 0 leaves the kernel as it is, 1 takes them as they were estimated.
        amplitudes: natural logarithms for each row and column, which a fit leaves as they are.
    """

    kernel: AbstractKernel
    power: Float[AnyArray, ""] = eqx.field(converter=np.asarray)
    amplitudes: tuple[tuple[float, ...], ...] = eqx.field(static=True)

    def gram(self, x: Float[AnyArray, "n D"], y: Float[AnyArray, "m D"]) -> Float[AnyArray, "n m"]:
        """Covariances of two sets of points."""
        return self._factors(x)[:, None] * self.kernel.gram(x, y) * self._factors(y)

    def diagonal(self, x: Float[AnyArray, "n D"]) -> Float[AnyArray, " n"]:
        """Variance at each point."""
        return self._factors(x) ** 2 * self.kernel.diagonal(x)

    def _factors(self, points: Float[AnyArray, "n D"]) -> Float[AnyArray, " n"]:
        """Amplitude of the pixel nearest to each point."""
        return jnp.exp(self.power * _nearest(self.amplitudes, points))


class WithAmplitude(AbstractKernel):
    """A kernel of (time, row, column, log amplitude), at points (time, row, column) of a grid.

    Land and sea differ in how lively their weather is, so distance in it is distance across a coast.

    Attributes:
        kernel: of the four.
        amplitudes: natural logarithms for each row and column, which a fit leaves as they are.
    """

    kernel: AbstractKernel
    amplitudes: tuple[tuple[float, ...], ...] = eqx.field(static=True)

    def gram(self, x: Float[AnyArray, "n 3"], y: Float[AnyArray, "m 3"]) -> Float[AnyArray, "n m"]:
        """Covariances of two sets of points."""
        return self.kernel.gram(self._with_amplitude(x), self._with_amplitude(y))

    def diagonal(self, x: Float[AnyArray, "n 3"]) -> Float[AnyArray, " n"]:
        """Variance at each point."""
        return self.kernel.diagonal(self._with_amplitude(x))

    def _with_amplitude(self, points: Float[AnyArray, "n 3"]) -> Float[AnyArray, "n 4"]:
        return jnp.column_stack([jnp.asarray(points), _nearest(self.amplitudes, points)])


def _nearest(
    amplitudes: tuple[tuple[float, ...], ...], points: Float[AnyArray, "n D"]
) -> Float[AnyArray, " n"]:
    """Log amplitude of the pixel nearest to each point."""
    rows, columns = jnp.round(jnp.asarray(points)[:, 1:3]).astype(int).T
    return jnp.asarray(amplitudes)[rows, columns]
