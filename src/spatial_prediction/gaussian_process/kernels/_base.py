"""What covariance functions share, and how they are combined."""

import abc

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from spatial_prediction.gaussian_process._precision import AnyArray, in_double_precision, real


def positive(raw: Float[AnyArray, "..."]) -> Float[AnyArray, "..."]:
    """Softplus, log(1 + exp(raw)): the positive value of an unconstrained parameter."""
    return jax.nn.softplus(raw)


def unconstrained(value: object) -> np.ndarray:
    """Inverse of the softplus: the raw parameter of a positive value, float64 of the value's shape."""
    values = np.asarray(value, np.float64)
    return np.asarray(values + np.log(-np.expm1(-values)))


class AbstractKernel(eqx.Module):
    """Covariance function of points. Its array leaves, named ``raw_…``, are what a fit changes."""

    @abc.abstractmethod
    def gram(self, x: Float[AnyArray, "n D"], y: Float[AnyArray, "m D"]) -> Float[AnyArray, "n m"]:
        """Covariances of two sets of points, within float64; what other modules of this room call."""

    def diagonal(self, x: Float[AnyArray, "n D"]) -> Float[AnyArray, " n"]:
        """Variance at each point."""
        return jax.vmap(lambda point: self.gram(point[None], point[None])[0, 0])(jnp.asarray(x))

    @in_double_precision
    def __call__(self, x: Float[AnyArray, "n D"], y: Float[AnyArray, "m D"]) -> Float[AnyArray, "n m"]:
        """Gram matrix.

        Args:
            x: coordinates, shape (n, D), of any real dtype.
            y: coordinates, shape (m, D).

        Returns:
            float64 of shape (n, m).
        """
        return self.gram(real(x), real(y))

    def __add__(self, other: "AbstractKernel") -> "Sum":
        return Sum(self, other)

    def __mul__(self, other: "AbstractKernel") -> "Product":
        return Product(self, other)


class Sum(AbstractKernel):
    """Covariance of the sum of two independent fields."""

    first: AbstractKernel
    second: AbstractKernel

    def gram(self, x: Float[AnyArray, "n D"], y: Float[AnyArray, "m D"]) -> Float[AnyArray, "n m"]:
        """Covariances of two sets of points."""
        return self.first.gram(x, y) + self.second.gram(x, y)


class Product(AbstractKernel):
    """Product of two covariance functions, itself one."""

    first: AbstractKernel
    second: AbstractKernel

    def gram(self, x: Float[AnyArray, "n D"], y: Float[AnyArray, "m D"]) -> Float[AnyArray, "n m"]:
        """Covariances of two sets of points."""
        return self.first.gram(x, y) * self.second.gram(x, y)


class Scaled(AbstractKernel):
    """A kernel times a variance, softplus of ``raw_outputscale`` (shape ())."""

    kernel: AbstractKernel
    raw_outputscale: Float[AnyArray, ""] = eqx.field(converter=real, default=0.0)

    @property
    @in_double_precision
    def outputscale(self) -> Float[AnyArray, ""]:
        """The variance."""
        return positive(self.raw_outputscale)

    def gram(self, x: Float[AnyArray, "n D"], y: Float[AnyArray, "m D"]) -> Float[AnyArray, "n m"]:
        """Covariances of two sets of points."""
        return self.outputscale * self.kernel.gram(x, y)


class OnAxes(AbstractKernel):
    """A kernel of some coordinates of the points, such as rows and columns of (frame, row, column)."""

    kernel: AbstractKernel
    axes: tuple[int, ...] = eqx.field(static=True)

    def gram(self, x: Float[AnyArray, "n D"], y: Float[AnyArray, "m D"]) -> Float[AnyArray, "n m"]:
        """Covariances of two sets of points."""
        chosen = np.array(self.axes)
        return self.kernel.gram(x[:, chosen], y[:, chosen])


class Disabled(AbstractKernel):
    """Zero everywhere: no such field."""

    def gram(self, x: Float[AnyArray, "n D"], y: Float[AnyArray, "m D"]) -> Float[AnyArray, "n m"]:
        """Zeros."""
        return jnp.zeros((x.shape[0], y.shape[0]), jnp.float64)
