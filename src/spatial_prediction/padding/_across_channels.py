"""Linear prediction of every channel from the neighbourhood in all channels."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array

from spatial_prediction.padding._base import (
    AbstractPadding,
    PadWidth,
    as_pad_width,
    at_least_float32,
    check_floating,
)
from spatial_prediction.padding._sides import Sides, transposed, turned
from spatial_prediction.padding.linear_prediction.frame import check_neighbourhood, fitting_width
from spatial_prediction.padding.linear_prediction.normal_equations import (
    guarded_quotient,
    solve_normal_equations,
)


class AcrossChannelsPrediction(AbstractPadding):
    """Predict a pixel of each channel from a ``length x width`` neighbourhood in all channels at once.

    What one band shows at the border says something about the others. The coefficients,
    ``length width channels`` for each channel, minimise the squared error over the map plus their squared
    distance from replication, ``sum |y - X a|^2 + s |a - a0|^2``: many coefficients on few pixels need a
    prior, and a row that says nothing is replicated. Each side has its own coefficients; near a corner the
    neighbourhood is shifted inwards and fitted for that place. The equations are the same for all channels,
    so one factorisation does. For one channel and 1x1, ``3131 -> 31 3131 31`` but for the shrinkage.

    Attributes:
        pad_width: ``((top, bottom), (left, right))`` in pixels.
        length: pixels of the neighbourhood along the padding direction.
        width: pixels across it, odd.
        shrinkage: weight ``s`` of replication, as a share of the summed squares of one predicting pixel.

    A map too small for the neighbourhood lowers it; one pixel is replicated.
    Source: among the further work that arXiv 2502.12300 suggests; the prior is ours.
    """

    pad_width: PadWidth = eqx.field(static=True, converter=as_pad_width)
    length: int = eqx.field(static=True)
    width: int = eqx.field(static=True)
    shrinkage: float = eqx.field(static=True, default=0.02)

    def __check_init__(self) -> None:
        check_neighbourhood(self.length, self.width)

    def frame(self, x: Array) -> Sides:
        """Predict the frame; see :class:`AbstractPadding`. Statistics are at least float32."""
        check_floating(x)
        values = x.astype(at_least_float32(x.dtype))
        mean = jnp.mean(values, axis=(-3, -2), keepdims=True)
        z = values - mean
        (top, bottom), (left, right) = self.pad_width

        def before(z: Array, fitted_to: Array, steps: int) -> Array:
            return turned(_continued(turned(z), self._fitted(turned(fitted_to)), steps))

        def behind(z: Array, fitted_to: Array, steps: int) -> Array:
            return _continued(z, self._fitted(fitted_to), steps)

        rows = transposed(z)
        sides = [transposed(before(rows, rows, left)), transposed(behind(rows, rows, right))]
        wide = jnp.concatenate([sides[0], z, sides[1]], axis=-2)
        # fitted to the map itself: the widened one would count its own predictions
        frame = Sides(before(wide, z, top), behind(wide, z, bottom), *sides)
        return Sides(*((strip + mean).astype(x.dtype) for strip in frame))

    def _fitted(self, z: Array) -> Array:
        """Fit downwards; (positions, length, width, *batch, channels, predicted channels)."""
        height, breadth, channels = z.shape[-3:]
        length, width = max(1, min(self.length, height - 1)), fitting_width(self.width, breadth)
        unknowns = length * width * channels
        replication = jnp.eye(unknowns, dtype=z.dtype)[(length - 1) * width * channels :]
        start = jnp.moveaxis(replication.reshape(width, channels, unknowns), -1, 0).reshape(unknowns, -1)
        if height == 1:
            change = jnp.zeros((unknowns, width * channels, *z.shape[:-3]), z.dtype)
        else:
            known = _windows(z[..., :-1, :, :], length, width)
            targets = _windows(z[..., length:, :, :], 1, width)
            errors = targets - known @ start
            gram = jnp.einsum("...pi,...pj->ij...", known, known, precision="highest")
            right_hand_side = jnp.einsum("...pi,...pk->ik...", known, errors, precision="highest")
            size = jnp.trace(gram) / unknowns
            change = solve_normal_equations(
                guarded_quotient(gram, size), guarded_quotient(right_hand_side, size), ridge=self.shrinkage
            )
        coefficients = start.reshape(*start.shape, *[1] * (z.ndim - 3)) + change
        shaped = coefficients.reshape(length, width, channels, width, channels, *z.shape[:-3])
        return jnp.moveaxis(shaped, (3, 0, 1, 2, 4), (0, 1, 2, -2, -1))


def _windows(z: Array, length: int, width: int) -> Array:
    """Every ``length x width`` window; (*batch, places, length width channels)."""
    rows, columns = z.shape[-3] - length + 1, z.shape[-2] - width + 1
    places = [z[..., y : y + rows, x : x + columns, :] for y in range(length) for x in range(width)]
    return jnp.concatenate(places, axis=-1).reshape(*z.shape[:-3], rows * columns, -1)


def _continued(rows: Array, coefficients: Array, steps: int) -> Array:
    """Predict ``steps`` rows below ``rows`` (*batch, rows, columns, channels)."""
    positions, length, width = coefficients.shape[:3]
    columns, centre = rows.shape[-2], positions // 2
    by_position = coefficients.reshape(positions, length * width, *coefficients.shape[3:])
    by_position = jnp.moveaxis(by_position, 1, -3)
    by_position = by_position.reshape(*by_position.shape[:-3], -1, by_position.shape[-1])
    predicted = rows[..., :0, :, :]
    for _ in range(steps):
        windows = _windows(rows[..., -length:, :, :], length, width)

        def at(position: int, first: int, last: int, windows: Array = windows) -> Array:
            return jnp.matmul(windows[..., first:last, :], by_position[position], precision="highest")

        left = [at(position, 0, 1) for position in range(centre)]
        right = [
            at(position, columns - width, columns - width + 1) for position in range(centre + 1, positions)
        ]
        row = jnp.concatenate([*left, at(centre, 0, columns - width + 1), *right], axis=-2)
        row = row[..., None, :, :]
        rows = jnp.concatenate([rows, row], axis=-3)
        predicted = jnp.concatenate([predicted, row], axis=-3)
    return predicted
