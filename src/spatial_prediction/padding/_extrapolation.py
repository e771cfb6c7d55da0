"""Padding by Lagrange extrapolation from the nearest pixels."""

from fractions import Fraction

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from spatial_prediction.padding._axis_by_axis import AbstractAxiswisePadding
from spatial_prediction.padding._base import PadWidth, as_pad_width, check_floating


def extrapolation_weights(order: int, steps: int) -> np.ndarray:
    r"""Weights that continue the polynomial through ``order`` equidistant samples.

    Sample ``j`` lies ``j`` pixels inside the border, the value wanted at step ``s`` lies ``s + 1`` pixels
    outside the outermost sample. The Lagrange basis gives
    :math:`w_{sj} = \prod_{m \ne j} (-(s + 1) - m) / (j - m)`, which is always an integer.

    Returns:
        float64 of shape (steps, order), nearest sample first. Order 2: ``[[2, -1], [3, -2], ...]``.
    """

    def weight(step: int, j: int) -> int:
        product = Fraction(1)
        for m in range(order):
            if m != j:
                product *= Fraction(-(step + 1) - m, j - m)
        return int(product)

    return np.array([[weight(s, j) for j in range(order)] for s in range(steps)], dtype=np.float64).reshape(
        steps, order
    )


class LagrangeExtrapolation(AbstractAxiswisePadding):
    """Continue the polynomial of degree ``order - 1`` through the nearest ``order`` pixels.

    Order 1 is replication; order 2 continues the slope, ``1234 -> -10 1234 56``; order 3 the curvature,
    ``1 4 9 16 -> 1 0 1 4 9 16 25 36``. Exact for polynomials up to its degree, but noise is amplified:
    one step of order 3 multiplies the variance of white noise by 1 + 9 + 9 = 19. Rows are padded first
    (left and right), then the columns of the widened map. A map smaller than ``order`` lowers it.

    Source: Lagrange's formula; as padding, equal to "DiffConv2d" of arXiv 2309.06370 for convolutions
    of size ``order``.
    """

    pad_width: PadWidth = eqx.field(static=True, converter=as_pad_width)
    order: int = eqx.field(static=True)

    def __check_init__(self) -> None:
        if self.order < 1:
            raise ValueError(f"order must be at least 1 (replication), got {self.order}")

    def reach(self) -> int:
        """Return the number of samples continued."""
        return self.order

    def beyond(self, x: Array, widths: tuple[int, int], axis: int) -> tuple[Array, Array]:
        """Extrapolate; see :class:`AbstractAxiswisePadding`."""
        check_floating(x)
        order = min(self.order, x.shape[axis])

        def continued(nearest_first: Array, steps: int) -> Array:
            weights = jnp.asarray(extrapolation_weights(order, steps), x.dtype)
            new = jnp.tensordot(weights, jnp.moveaxis(nearest_first, axis, 0), axes=1)
            return jnp.moveaxis(new, 0, axis)

        def samples(start: int | None, stop: int | None, stride: int) -> Array:
            return x[(slice(None),) * axis + (slice(start, stop, stride),)]

        front = jnp.flip(continued(samples(None, order, 1), widths[0]), axis)
        return front, continued(samples(-1, -order - 1, -1), widths[1])
