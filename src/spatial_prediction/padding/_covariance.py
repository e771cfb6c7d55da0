"""Linear prediction padding by the covariance method."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array

from spatial_prediction.padding._base import PadWidth, as_pad_width
from spatial_prediction.padding._linear_prediction import (
    AbstractLinearPrediction,
    SideCoefficients,
    check_neighbourhood,
)
from spatial_prediction.padding._normal_equations import guarded_quotient, solve_two_by_two


class CovariancePrediction(AbstractLinearPrediction):
    """Linear prediction fitted by least squares over all complete neighbourhoods in the map.

    Nothing is assumed outside the map and no window is needed: for the right side of a row the
    coefficients minimise ``sum_x (z[x] - a1 z[x-1] - a2 z[x-2])^2`` over every x with all its pixels
    known. Each side gets its own coefficients. A geometric row is continued exactly up to its mean,
    ``z: 8 4 2 1 -> 16 8 4 2 1 0.5``, before stabilising.

    Fields:
        pad_width: ``((top, bottom), (left, right))`` in pixels.
        length: 1 or 2 pixels along the padding direction.
        width: 1.
        shared_sides: pool the sums of opposite sides and give them the same coefficients.
        stabilised: reflect poles outside the unit circle into it, which keeps the shape of the power
            spectrum and keeps a recursion from growing.

    A map of fewer than ``length + 1`` pixels in a direction lowers the length there; the mean is
    predicted where nothing can be fitted. Source: arXiv 2502.12300, sec. 2 and App. B, with the signs
    of its code (the appendix prints a2' = 1/a1 where 1/a2 is meant).
    """

    pad_width: PadWidth = eqx.field(static=True, converter=as_pad_width)
    length: int = eqx.field(static=True)
    width: int = eqx.field(static=True, default=1)
    shared_sides: bool = eqx.field(static=True, default=False)
    stabilised: bool = eqx.field(static=True, default=True)

    def __check_init__(self) -> None:
        check_neighbourhood(self.length, self.width)
        if (self.length, self.width) not in ((1, 1), (2, 1)):
            raise ValueError(
                f"the covariance method is implemented for 1x1 and 2x1 neighbourhoods, got "
                f"{self.length}x{self.width}; use the autocorrelation method for larger ones"
            )

    def coefficients(self, z: Array) -> SideCoefficients:
        """Fit the coefficients to the map; see :class:`AbstractLinearPrediction`."""
        top, bottom = self._opposite(z)
        left, right = self._opposite(jnp.swapaxes(z, -3, -2))
        return SideCoefficients(top, bottom, left, right)

    def _opposite(self, z: Array) -> tuple[Array, Array]:
        """Fit upwards and downwards."""
        length = max(1, min(self.length, z.shape[-3] - 1))
        up = _lagged_products(jnp.flip(z, axis=-3), length)
        down = _lagged_products(z, length)
        if self.shared_sides:
            up = down = up + down
        return self._fitted(up), self._fitted(down)

    def _fitted(self, products: Array) -> Array:
        if products.shape[0] == 2:
            a1 = guarded_quotient(products[0, 1], products[1, 1])
            coefficients = [stabilised_first_order(a1) if self.stabilised else a1]
        else:
            a1, a2 = solve_two_by_two(products[1:, 1:], products[1:, :1])[:, 0]
            coefficients = list(stabilised_second_order(a1, a2)) if self.stabilised else [a1, a2]
        farthest_first = jnp.stack(coefficients[::-1])
        return farthest_first[None, :, None]


def _lagged_products(z: Array, length: int) -> Array:
    """Sums ``products[i, j] = sum_y z[y - i] z[y - j]`` over all y whose ``length`` predecessors are known.

    Returns:
        Shape (length + 1, length + 1, *batch, channels), symmetric.
    """
    height = z.shape[-3]

    def delayed(i: int) -> Array:
        return z[..., length - i : height - i, :, :]

    def product(i: int, j: int) -> Array:
        return jnp.sum(delayed(i) * delayed(j), axis=(-3, -2))

    orders = range(length + 1)
    upper = {(i, j): product(i, j) for i in orders for j in orders if i <= j and (i, j) != (0, 0)}
    upper[0, 0] = jnp.zeros_like(upper[0, 1])  # the energy of the predicted pixel is not needed
    return jnp.stack([jnp.stack([upper[min(i, j), max(i, j)] for j in orders]) for i in orders])


def stabilised_first_order(a1: Array) -> Array:
    """Reflect the pole of ``z[n] = a1 z[n-1]`` into the unit circle where it lies outside."""
    unstable = jnp.abs(a1) > 1
    return jnp.where(unstable, 1 / jnp.where(unstable, a1, 1), a1)


def stabilised_second_order(a1: Array, a2: Array) -> tuple[Array, Array]:
    """Reflect the poles of ``z[n] = a1 z[n-1] + a2 z[n-2]`` into the unit circle where they lie outside.

    The poles are the roots of ``p^2 - a1 p - a2``. A complex pair has modulus squared ``-a2``; reflected
    it gives ``(-a1/a2, 1/a2)``. Real poles are reflected one by one, with ``a1 = p0 + p1`` and
    ``a2 = -p0 p1``. Every branch guards its *inputs*: a square root or quotient guarded only at its
    output would turn the gradient of the branch not taken into NaN.
    """
    discriminant = a1 * a1 + 4 * a2
    growing_pair = (discriminant < 0) & (a2 < -1)
    pair_a2 = jnp.where(growing_pair, a2, -1)

    real = discriminant > 0
    half_distance = jnp.where(real, jnp.sqrt(jnp.where(real, discriminant, 1)) / 2, 0)
    poles = [stabilised_first_order(a1 / 2 + sign * half_distance) for sign in (1, -1)]
    growing_real = (discriminant >= 0) & (jnp.abs(a1) / 2 + half_distance > 1)

    stable_a1 = jnp.where(growing_pair, -a1 / pair_a2, jnp.where(growing_real, poles[0] + poles[1], a1))
    stable_a2 = jnp.where(growing_pair, 1 / pair_a2, jnp.where(growing_real, -poles[0] * poles[1], a2))
    return stable_a1, stable_a2
