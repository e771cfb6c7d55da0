"""A kernel of weather that is carried along by a steady wind."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from spatial_prediction.gaussian_process.kernels import AbstractKernel

AnyArray = jax.Array | np.ndarray


class Drifting(AbstractKernel):
    """Covariance in space times covariance in time, in coordinates that move.

    At velocity 0 it is the product of the two. Otherwise a pattern reappears one frame later where the wind
    has carried it, which no product of a kernel in space and one in time can say.

    Attributes:
        space: kernel of (row, column), and of what follows these in a point, which the wind leaves as it is.
        time: kernel of times.
        raw_velocity: rows and columns per unit of time, shape (2,), unconstrained.
    """

    space: AbstractKernel
    time: AbstractKernel
    raw_velocity: Float[AnyArray, " 2"] = eqx.field(converter=np.asarray)

    def gram(self, x: Float[AnyArray, "n D"], y: Float[AnyArray, "m D"]) -> Float[AnyArray, "n m"]:
        """Covariances of two sets of points (time, row, column)."""
        return self.space.gram(self._carried(x), self._carried(y)) * self.time.gram(x[:, :1], y[:, :1])

    def diagonal(self, x: Float[AnyArray, "n D"]) -> Float[AnyArray, " n"]:
        """Variance at each point."""
        return self.space.diagonal(jnp.asarray(x)[:, 1:]) * self.time.diagonal(jnp.asarray(x)[:, :1])

    def _carried(self, points: Float[AnyArray, "n D"]) -> Float[AnyArray, "n D-1"]:
        """Where the pattern at each point came from at time 0."""
        places = points[:, 1:3] - points[:, :1] * self.raw_velocity
        return jnp.concatenate([places, points[:, 3:]], axis=1)
