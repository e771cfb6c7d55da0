"""Where a fit begins: values scaled by their own spread, and parameters that suit them."""

from typing import Any

import equinox as eqx
import numpy as np
from jaxtyping import Float

from spatial_prediction.gaussian_process._precision import AnyArray, real
from spatial_prediction.gaussian_process.kernels import (
    RBF,
    AbstractKernel,
    Matern,
    OnAxes,
    Periodic,
    Product,
    Scaled,
    SpectralMixture,
    Sum,
    unconstrained,
)


class Standardisation(eqx.Module):
    """Values minus their mean, divided by their standard deviation.

    Attributes:
        centre: mean of the values, in their units.
        scale: standard deviation, in the same; 1 where the values are constant.
    """

    centre: float
    scale: float

    @classmethod
    def of(cls, values: Any) -> "Standardisation":
        """Take mean and standard deviation of observed values, (N,)."""
        values = np.asarray(values, np.float64)
        scale = float(values.std())
        # Rounding gives a constant a standard deviation of some 1e-16 of itself.
        return cls(float(values.mean()), scale if scale > 1e-12 * np.abs(values).max() else 1.0)

    def apply(self, values: Any) -> Float[np.ndarray, "..."]:
        """Values of the field to those of the model."""
        return np.asarray((np.asarray(values, np.float64) - self.centre) / self.scale)

    def undo(self, mean: Any, variance: Any) -> tuple[Float[np.ndarray, "..."], Float[np.ndarray, "..."]]:
        """Mean and variance of the model to those of the field, in its units and their square."""
        return np.asarray(self.centre + self.scale * mean), np.asarray(self.scale**2 * variance)


def with_sensible_start(kernel: AbstractKernel, coordinates: Any, *, variance: float = 0.5) -> AbstractKernel:
    """Replace a kernel's parameters by ones from which a fit of standardised values finds its way.

    Lengthscales start at a sixth of the extent of the coordinates, periods at half of it, frequencies of a
    mixture at different whole numbers of cycles per extent: components that start equal stay equal, and
    periods below two steps of a grid are aliases of longer ones.

    Args:
        kernel: any of this room; others are returned as they are.
        coordinates: (n, D), where the values are.
        variance: at which a scaled kernel starts.
    """
    points = np.asarray(coordinates, np.float64)
    extents = np.maximum(np.ptp(points, axis=0), 1.0)
    match kernel:
        case Scaled():
            inner = with_sensible_start(kernel.kernel, points)
            return Scaled(inner, unconstrained(variance))
        case OnAxes():
            inner = with_sensible_start(kernel.kernel, points[:, kernel.axes], variance=variance)
            return OnAxes(inner, kernel.axes)
        case Sum():
            return Sum(*(with_sensible_start(part, points, variance=variance) for part in _parts(kernel)))
        case Product():
            first, second = _parts(kernel)
            return Product(
                with_sensible_start(first, points, variance=variance),
                with_sensible_start(second, points, variance=1.0),
            )
        case RBF() | Matern():
            lengths = extents / 6.0
            start = lengths if np.ndim(kernel.raw_lengthscale) else lengths.mean()
            return eqx.tree_at(lambda kernel: kernel.raw_lengthscale, kernel, real(unconstrained(start)))
        case Periodic():
            return Periodic(unconstrained(1.0), unconstrained(extents.mean() / 2.0))
        case SpectralMixture():
            return _mixture_start(extents, len(kernel.raw_weights))
    return kernel


def _parts(kernel: Sum | Product) -> tuple[AbstractKernel, AbstractKernel]:
    return kernel.first, kernel.second


def _mixture_start(extents: Float[AnyArray, " D"], mixtures: int) -> SpectralMixture:
    """Components of half a cycle, two cycles, ... in the extent, each a quarter of a cycle wide or more."""
    cycles = np.array([0.5 * 4.0**component for component in range(mixtures)])
    return SpectralMixture(
        unconstrained(np.full(mixtures, 1.0 / mixtures)),
        unconstrained(cycles[:, None] / extents),
        unconstrained((0.25 + 0.25 * cycles[:, None]) / extents),
    )
