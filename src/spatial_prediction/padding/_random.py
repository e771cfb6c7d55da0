"""Padding by random values with the statistics of the border."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array

from spatial_prediction.padding._base import (
    AbstractPadding,
    PadWidth,
    as_pad_width,
    at_least_float32,
    check_floating,
)
from spatial_prediction.padding._sides import Sides


class RandomPadding(AbstractPadding):
    """Draw each value from a normal distribution with mean and variance of its side's outermost pixels.

    A constant is continued by itself, ``3333 -> 33 3333 33``; anything else by noise that resembles the
    border in nothing but its statistics. A baseline: what predicts worse uses its neighbourhood to no avail.

    The noise follows from ``seed`` and the channel itself, so the padding is a function like any other:
    equal channels get equal frames, jitted or not, alone or in a batch. Gradients flow through mean and
    deviation.

    Attributes:
        pad_width: ``((top, bottom), (left, right))`` in pixels.
        seed: of the noise.

    Source: "Rand" among the methods compared in arXiv 2309.06370, there with the statistics of the whole map.
    """

    pad_width: PadWidth = eqx.field(static=True, converter=as_pad_width)
    seed: int = eqx.field(static=True)

    def frame(self, x: Array) -> Sides:
        """Predict the frame; see :class:`AbstractPadding`."""
        check_floating(x)
        maps = x.reshape(math.prod(x.shape[:-3]), *x.shape[-3:])
        frames = jax.vmap(jax.vmap(self._frame_of_channel, in_axes=-1, out_axes=-1))(maps)
        return jax.tree.map(lambda strip: strip.reshape(*x.shape[:-3], *strip.shape[1:]), frames)

    def _frame_of_channel(self, x: Array) -> Sides:
        """Draw the frame of a map (height, width)."""
        (top, bottom), (left, right) = self.pad_width
        height, width = x.shape
        keys = jax.random.split(jax.random.fold_in(jax.random.key(self.seed), _fingerprint(x)), 4)

        def drawn(key: Array, border: Array, rows: int, columns: int) -> Array:
            values = border.astype(at_least_float32(x.dtype))
            mean, variance = values.mean(), values.var()
            # a square root has no slope at 0: there the deviation is held at 0
            deviation = jnp.where(variance > 0, jnp.sqrt(jnp.where(variance > 0, variance, 1)), 0)
            noise = jax.random.normal(key, (rows, columns), values.dtype)
            return (mean + deviation * noise).astype(x.dtype)

        breadth = left + width + right
        return Sides(
            drawn(keys[0], x[0], top, breadth),
            drawn(keys[1], x[-1], bottom, breadth),
            drawn(keys[2], x[:, 0], height, left),
            drawn(keys[3], x[:, -1], height, right),
        )


def _fingerprint(x: Array) -> Array:
    """A number that follows from the bits of ``x``; in integers, whose sum is the same in any order."""
    bits = jax.lax.bitcast_convert_type(jax.lax.stop_gradient(x.astype(jnp.float32)), jnp.uint32)
    place = jnp.arange(1, bits.size + 1, dtype=jnp.uint32).reshape(bits.shape)
    return jnp.sum(bits * place, dtype=jnp.uint32)
