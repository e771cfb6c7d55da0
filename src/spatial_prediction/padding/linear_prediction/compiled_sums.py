"""Kernels that sum products of a centred map with itself, and what follows from these for derivatives."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from spatial_prediction import native
from spatial_prediction.differentiation import quadratic

Sums = tuple[Array, ...]


def compiled_sums(
    reference: Callable[[Array], Sums],
    forward: Callable[[Array], Sums],
    backward: Callable[[tuple[Array], Sums], tuple[Array]],
    *,
    compact: Callable[[Array], Sums],
    batch: int,
) -> Callable[[Float[Array, "*batch height width channels"]], Sums]:
    """Let kernels compute sums of products, and with them derivatives of all orders.

    These are few calls of the same two kernels, because the sums are quadratic in the map.

    Args:
        reference: takes maps and returns them with their means (*batch, channels) and sums
            (*batch, ..., channels) of products of two pixels each, less these means. In JAX operations.
        forward: the same by a kernel.
        backward: ``((maps,), cotangents of the results) -> (gradient,)`` by a kernel.
        compact: the same as ``reference`` in fewer operations.
        batch: how many leading axes are a batch.
    """

    def by_xla(x: Array) -> Sums:
        return compact(x)[2:]

    def gradient_by_xla(x: Array, weights: Sums) -> Array:
        return jax.vjp(by_xla, x)[1](weights)[0]

    def change_by_xla(x: Array, change: Array) -> Sums:
        return tuple(jax.jvp(by_xla, (x,), (change,))[1])

    def by_kernel(x: Array) -> Sums:
        return forward(x)[2:]

    def gradient_by_kernel(x: Array, weights: Sums) -> Array:
        of_mean = jnp.zeros((*x.shape[:-3], x.shape[-1]), x.dtype)
        return backward((x,), (jnp.zeros_like(x), of_mean, *weights))[0]

    def change_by_kernel(x: Array, change: Array) -> Sums:
        return _mixed(by_kernel, x, change)

    def derived(x: Array) -> Sums:
        of_sums = (batch,) * (len(jax.eval_shape(reference, x)) - 2)

        def placed(
            by_kernel: Callable[..., Any], by_xla: Callable[..., Any], *axes: Any
        ) -> Callable[..., Any]:
            return lambda *arguments: native.placed(by_kernel, by_xla, arguments, axes=axes)

        sums = quadratic(
            placed(by_kernel, by_xla, (batch,), of_sums),
            placed(gradient_by_kernel, gradient_by_xla, (batch, of_sums), batch),
            placed(change_by_kernel, change_by_xla, (batch, batch), of_sums),
        )
        return x, jnp.mean(x, axis=(-3, -2)), *sums(x)

    def function(x: Array) -> Sums:
        results = (batch,) * len(jax.eval_shape(reference, x))
        axes = native.BatchAxes((batch,), results)
        return native.differentiable(reference, forward, backward, compact=derived, batch=axes)(x)

    return function


def _mixed(sums: Callable[[Array], Sums], x: Array, change: Array) -> Sums:
    """The change of quadratic sums with the map, from sums: ``(S(x + y) - S(x - y)) / 2``.

    The change is first made as large as the map, lest one of the two be lost in rounding.
    """
    x, change = (each - jnp.mean(each, axis=(-3, -2), keepdims=True) for each in (x, change))
    largest = [jnp.max(jnp.abs(each), axis=(-3, -2), keepdims=True) for each in (x, change)]
    ratio = largest[0] / largest[1]
    ratio = jnp.where((ratio > 0) & jnp.isfinite(ratio), ratio, 1)
    change = ratio * change

    def result(above: Array, below: Array) -> Array:
        scale = 2 * ratio[..., 0, 0, :]
        return (above - below) / jnp.expand_dims(scale, range(scale.ndim - 1, above.ndim - 1))

    return tuple(map(result, sums(x + change), sums(x - change)))
