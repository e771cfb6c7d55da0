"""The four sides of a map: strips along them, read and added to in place."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array

from spatial_prediction.differentiation import with_derivatives


class Sides(NamedTuple):
    """An array for each side: a strip, or what belongs to it, such as coefficients.

    How deep strips are, and whether they meet, says who makes them.
    """

    top: Array
    bottom: Array
    left: Array
    right: Array


def turned(x: Array) -> Array:
    """Turn channels-last maps by 180 degrees: what was above is below."""
    return jnp.flip(x, axis=(-3, -2))


def transposed(x: Array) -> Array:
    """Swap rows and columns of channels-last maps."""
    return jnp.swapaxes(x, -3, -2)


def surrounded(x: Array, frame: Sides) -> Array:
    """Put channels-last maps and their frame together; top and bottom strips hold the corners."""
    middle = jnp.concatenate([frame.left, x, frame.right], axis=-2)
    return jnp.concatenate([frame.top, middle, frame.bottom], axis=-3)


def outer_strips(x: Array, depth: tuple[int, int]) -> Sides:
    """Take the outermost ``depth[0]`` rows and ``depth[1]`` columns of each side of channels-last maps."""
    (rows, columns), (height, width) = depth, x.shape[-3:-1]

    def part(axis: int, start: int, stop: int) -> Array:
        return jax.lax.slice_in_dim(x, start, stop, axis=x.ndim + axis)

    return Sides(
        part(-3, 0, rows),
        part(-3, height - rows, height),
        part(-2, 0, columns),
        part(-2, width - columns, width),
    )


def add_strips(x: Array, strips: Sides) -> Array:
    """Add strips to the outermost rows and columns of channels-last maps.

    Written as updates of slices, which XLA does in place, and with a derivative of its own, because that
    of an update copies the map.
    """
    return _add_strips(x, strips)


def _added(x: Array, strips: Sides) -> Array:
    for strip, (axis, at_end) in zip(strips, ((-3, False), (-3, True), (-2, False), (-2, True)), strict=True):
        if strip.shape[axis] == 0:
            continue
        axis += x.ndim
        start = x.shape[axis] - strip.shape[axis] if at_end else 0
        here = jax.lax.slice_in_dim(x, start, start + strip.shape[axis], axis=axis)
        x = jax.lax.dynamic_update_slice_in_dim(x, here + strip, start, axis)
    return x


def _added_backward(arguments: tuple[Array, Sides], cotangent: Array) -> tuple[Array, Sides]:
    _, strips = arguments  # of which only the depths are needed
    before = outer_strips(cotangent, (strips.top.shape[-3], strips.left.shape[-2]))
    after = outer_strips(cotangent, (strips.bottom.shape[-3], strips.right.shape[-2]))
    return cotangent, Sides(before.top, after.bottom, before.left, after.right)


_add_strips = with_derivatives(
    _added, tangents=lambda _, changes: add_strips(*changes), cotangents=_added_backward
)


def with_outer_strips(x: Array, depth: tuple[int, int]) -> tuple[Array, Sides]:
    """Return ``x`` beside its ``outer_strips``, whose gradient is added to that of the map in place."""

    def function(x: Array) -> tuple[Array, Sides]:
        return x, outer_strips(x, depth)

    linear = with_derivatives(
        function,
        tangents=lambda _, changes: function(*changes),
        cotangents=lambda _, weights: (add_strips(*weights),),
    )
    return linear(x)
