"""WKV, the weighted average over the past at the heart of RWKV (version 4).

The usual state is a pair of sums of exponentials and their common exponent. Here it is the average itself
and the logarithm of the weights it was taken with, ``(mean, log_weight)``: a new value moves the mean by
a fraction that is a sigmoid, so that nothing is divided and nothing overflows.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

NOTHING_YET = -1e30
"""Log weight of an empty past."""


class Average(NamedTuple):
    """Weighted mean of the values so far, and the logarithm of the sum of their weights."""

    mean: Array
    log_weight: Array

    def including(self, value: Array, log_weight: Array) -> "Average":
        """Add values (or means of several) of given log weight."""
        fraction = jax.nn.sigmoid(log_weight - self.log_weight)
        total = jnp.logaddexp(self.log_weight, log_weight)
        return Average(self.mean + (value - self.mean) * fraction, total)

    def aged(self, decay: Array) -> "Average":
        """Let the weights fall by ``exp(decay)``."""
        return Average(self.mean, self.log_weight + decay)


def empty(like: Float[Array, "*shape"]) -> Average:
    """Average over nothing."""
    return Average(jnp.zeros_like(like), jnp.full_like(like, NOTHING_YET))


def wkv_step(
    past: Average,
    k: Float[Array, "*batch channels"],
    v: Float[Array, "*batch channels"],
    decay: Float[Array, " channels"],
    first: Float[Array, " channels"],
) -> tuple[Average, Float[Array, "*batch channels"]]:
    """Take one step in time: return the new past and the output.

    Args:
        past: average over the earlier steps.
        k: log weights of this step's values.
        v: values of this step.
        decay: change of all log weights at each step, negative.
        first: added to the log weight of a value in its own step only.
    """
    output = past.including(v, k + first).mean
    return past.aged(decay).including(v, k), output


def wkv(
    k: Float[Array, "time *batch channels"],
    v: Float[Array, "time *batch channels"],
    decay: Float[Array, " channels"],
    first: Float[Array, " channels"],
) -> Float[Array, "time *batch channels"]:
    """Compute the outputs of a whole sequence; arguments as in :func:`wkv_step`."""

    def advance(past: Average, step: tuple[Array, Array]) -> tuple[Average, Array]:
        return wkv_step(past, *step, decay, first)

    return jax.lax.scan(advance, empty(k[0]), (k, v))[1]
