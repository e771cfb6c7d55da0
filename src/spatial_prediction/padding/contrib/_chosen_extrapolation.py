"""Padding by the extrapolation that suits each feature map, by its autocorrelation."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from spatial_prediction.padding._base import (
    AbstractPadding,
    PadWidth,
    as_pad_width,
    at_least_float32,
    check_floating,
)
from spatial_prediction.padding._extrapolation import extrapolation_weights
from spatial_prediction.padding._sides import Sides
from spatial_prediction.padding.linear_prediction.frame import with_predicted_frame

_HIGHEST_ORDER = 3


class ChosenExtrapolation(AbstractPadding):
    """Continue each channel by its mean, or by Lagrange extrapolation of order 1, 2 or 3.

    Extrapolation of order k errs by the k-th difference of the map, so the mean squares of the map less its
    mean, and of its first, second and third differences, are what each would have erred on the map itself;
    all four follow from its autocorrelation at lags 0 to 3. The least is taken, for the rows and the columns
    of each channel of each map separately: white noise is continued by its mean, a rough map by
    replication, a smooth one by its slope or curvature, ``1 2 3 4 5 6 7 8 -> 0 1 2 3 4 5 6 7 8 9``. No
    equations are solved and there is no ridge.

    The choice itself has no gradient. One step ahead counts, so wide pads may be continued too boldly.

    Attributes:
        pad_width: ``((top, bottom), (left, right))`` in pixels.

    Source: among the further work that arXiv 2502.12300 suggests; this form of it is ours.
    """

    pad_width: PadWidth = eqx.field(static=True, converter=as_pad_width)

    def frame(self, x: Array) -> Sides:
        """Predict the frame; see :class:`AbstractPadding`. Statistics are at least float32."""
        check_floating(x)
        values = x.astype(at_least_float32(x.dtype))
        mean = jnp.mean(values, axis=(-3, -2))
        z = jax.lax.stop_gradient(values - mean[..., None, None, :])
        vertical, horizontal = _best_weights(z, -3), _best_weights(z, -2)
        weights = Sides(vertical, vertical, horizontal, horizontal)
        _, frame = with_predicted_frame(values, mean, weights, self.pad_width)
        return Sides(*(strip.astype(x.dtype) for strip in frame))


def _best_weights(z: Array, axis: int) -> Array:
    """Choose among the weights along ``axis``; shape (1, length, 1, *batch, channels), farthest first."""
    highest = min(_HIGHEST_ORDER, z.shape[axis] - 1)
    candidates = np.zeros((highest + 1, max(1, highest)))  # the mean, then orders 1, 2, ...
    errors = [jnp.mean(z**2, axis=(-3, -2))]
    for order in range(1, highest + 1):
        candidates[order, -order:] = extrapolation_weights(order, 1)[0, ::-1]
        errors.append(jnp.mean(jnp.diff(z, order, axis=axis) ** 2, axis=(-3, -2)))
    chosen = jnp.asarray(candidates, z.dtype)[jnp.argmin(jnp.stack(errors), axis=0)]
    return jnp.moveaxis(chosen, -1, 0)[None, :, None]
