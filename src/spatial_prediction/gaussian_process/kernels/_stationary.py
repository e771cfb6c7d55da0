"""Kernels of the distance between points, and one that is almost white noise."""

import math

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Float

from spatial_prediction.gaussian_process._precision import AnyArray, in_double_precision, real
from spatial_prediction.gaussian_process.kernels._base import AbstractKernel, positive


def squared_distances(
    x: Float[AnyArray, "n D"], y: Float[AnyArray, "m D"], lengthscale: Float[AnyArray, "..."] | float
) -> Float[AnyArray, "n m"]:
    """Squared Euclidean distances as sums of squares, each coordinate divided by its lengthscale.

    |x|^2 + |y|^2 - 2 x'y would be a matrix product, but cancels for near points. Differences come first, so
    that equal points have distance zero however a program rounds: XLA computes a quotient anew in each loop
    that reads it, fused with a subtraction in one and not in another (jaxlib 0.10.2), and the two tests for
    zero in :func:`_root` then saw different values.
    """
    scales = jnp.broadcast_to(1.0 / jnp.asarray(lengthscale), (x.shape[1],))
    total = jnp.zeros((x.shape[0], y.shape[0]), jnp.float64)
    for axis in range(x.shape[1]):
        total = total + ((x[:, axis, None] - y[None, :, axis]) * scales[axis]) ** 2
    return total


COINCIDENT = 1e-24
"""Squared distance, in lengthscales, below which points coincide. They may lie a rounding error apart where
their coordinates are computed, which costs derivatives all digits; and programs that jaxlib 0.10.2 compiles
for a value with its gradient then give even the value wrong (0.524 for a correlation of 1)."""


def _root(squared: Float[AnyArray, "n m"]) -> Float[AnyArray, "n m"]:
    """Square root whose gradient at zero is zero: that of all kernels here, taken along a line through it."""
    apart = squared > COINCIDENT
    return jnp.where(apart, jnp.sqrt(jnp.where(apart, squared, 1.0)), 0.0)


class RBF(AbstractKernel):
    """exp(-|tau|^2 / (2 l^2)), the squared exponential.

    Attributes:
        raw_lengthscale: shape (), or (D,) for a lengthscale of each coordinate; l is its softplus, in the
            units of the coordinates.
    """

    raw_lengthscale: Float[AnyArray, "..."] = eqx.field(converter=real, default=0.0)

    @property
    @in_double_precision
    def lengthscale(self) -> Float[AnyArray, "..."]:
        """Lengthscale l."""
        return positive(self.raw_lengthscale)

    def gram(self, x: Float[AnyArray, "n D"], y: Float[AnyArray, "m D"]) -> Float[AnyArray, "n m"]:
        """Covariances of two sets of points."""
        return jnp.exp(-0.5 * squared_distances(x, y, self.lengthscale))


class Matern(AbstractKernel):
    """Matérn kernel of Euclidean distance, r = sqrt(2 nu) |tau| / l.

    exp(-r) for nu = 1/2, (1 + r) exp(-r) for 3/2, (1 + r + r^2/3) exp(-r) for 5/2.

    Attributes:
        raw_lengthscale: shape (), or (D,) for a lengthscale of each coordinate; l is its softplus.
        nu: 0.5, 1.5 or 2.5.
    """

    raw_lengthscale: Float[AnyArray, "..."] = eqx.field(converter=real, default=0.0)
    nu: float = eqx.field(static=True, default=2.5)

    def __check_init__(self) -> None:
        if self.nu not in (0.5, 1.5, 2.5):
            raise ValueError(f"nu must be 0.5, 1.5 or 2.5, got {self.nu}")

    @property
    @in_double_precision
    def lengthscale(self) -> Float[AnyArray, "..."]:
        """Lengthscale l."""
        return positive(self.raw_lengthscale)

    def gram(self, x: Float[AnyArray, "n D"], y: Float[AnyArray, "m D"]) -> Float[AnyArray, "n m"]:
        """Covariances of two sets of points."""
        r = math.sqrt(2 * self.nu) * _root(squared_distances(x, y, self.lengthscale))
        polynomial = {0.5: 1.0, 1.5: 1.0 + r, 2.5: 1.0 + r + r**2 / 3.0}[self.nu]
        return polynomial * jnp.exp(-r)


class SoftDisabled(AbstractKernel):
    """An RBF of variance 1e-5 and lengthscale 1e-5, both frozen.

    Not "off": at coordinates that are whole numbers it adds an independent offset of variance 1e-5.
    """

    def gram(self, x: Float[AnyArray, "n D"], y: Float[AnyArray, "m D"]) -> Float[AnyArray, "n m"]:
        """Covariances of two sets of points."""
        return 1e-5 * jnp.exp(-0.5 * squared_distances(x, y, 1e-5))
