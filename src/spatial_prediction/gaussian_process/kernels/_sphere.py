"""Points on the Earth."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Float

from spatial_prediction.gaussian_process._precision import AnyArray
from spatial_prediction.gaussian_process.kernels._base import AbstractKernel

EARTH_RADIUS = 6371.0
"""Mean radius in kilometres."""


class OnSphere(AbstractKernel):
    """A kernel of points (latitude, longitude) in degrees: of their places in space, in kilometres.

    Their distance is the chord, 2 R sin(d / 2R) of a great-circle distance d: equal to d within 1 % up to
    3,000 km, and growing with it. Matérn kernels of d itself are not positive definite for nu above 1/2
    (Gneiting 2013, arXiv 1111.7077).

    Attributes:
        kernel: of three coordinates.
        radius: of the sphere; lengthscales are in its unit.
    """

    kernel: AbstractKernel
    radius: float = eqx.field(static=True, default=EARTH_RADIUS)

    def gram(self, x: Float[AnyArray, "n 2"], y: Float[AnyArray, "m 2"]) -> Float[AnyArray, "n m"]:
        """Covariances of two sets of points."""
        return self.kernel.gram(self._places(x), self._places(y))

    def _places(self, points: Float[AnyArray, "n 2"]) -> Float[AnyArray, "n 3"]:
        latitude, longitude = jnp.deg2rad(points[:, 0]), jnp.deg2rad(points[:, 1])
        parallel = jnp.cos(latitude)
        return self.radius * jnp.stack(
            [parallel * jnp.cos(longitude), parallel * jnp.sin(longitude), jnp.sin(latitude)], axis=1
        )
