"""A predicted frame line by line, in few operations, of which derivatives of any order are soon compiled.

One row above and below a map, or one column left and right of it, is bilinear in map and coefficients.
"""

import functools
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from spatial_prediction import native
from spatial_prediction.differentiation import bilinear
from spatial_prediction.padding._base import PadWidth
from spatial_prediction.padding._sides import Sides, transposed, turned

Pair: TypeAlias = tuple[Array, Array]
Axis: TypeAlias = Literal[-3, -2]

_LARGEST_PRODUCT = 512
"""Columns up to which XLA takes matrices of their square to choose pixels."""


def frame_by_lines(pad_width: PadWidth, x: Array, mean: Array, coefficients: Sides) -> tuple[Array, Sides]:
    """Return ``x`` with its predicted frame.

    Args:
        pad_width: of the frame.
        x: maps (*batch, height, width, channels).
        mean: subtracted before, and added after, (*batch, channels).
        coefficients: of each side, (*batch, positions, length, width, channels).
    """
    mean = mean[..., None, None, :]
    z = x - mean
    z, left, right = _widened(z, coefficients[2:], -2, pad_width[1])
    _, top, bottom = _widened(z, coefficients[:2], -3, pad_width[0])
    return x, Sides(*(strip + mean for strip in (top, bottom, left, right)))


def _widened(
    z: Array, pair: Sequence[Array], axis: Axis, steps: tuple[int, int]
) -> tuple[Array, Array, Array]:
    """Add ``steps`` lines before and behind ``z``; return it with the two strips of these."""
    before = behind = jax.lax.slice_in_dim(z, 0, 0, axis=axis)
    for step in range(max(steps)):
        wanted = (int(step < steps[0]), int(step < steps[1]))
        first, last = _next_lines(z, (pair[0], pair[1]), axis, wanted)
        z = jnp.concatenate([first, z, last], axis=axis)
        before = jnp.concatenate([first, before], axis=axis)
        behind = jnp.concatenate([behind, last], axis=axis)
    return z, before, behind


def _next_lines(
    z: Float[Array, "*batch height width channels"], pair: Pair, axis: Axis, steps: tuple[int, int]
) -> Pair:
    """Predict a line before and one behind, or none of them, where a step is 0."""
    by_xla = functools.partial(_lines_by_xla, axis, steps)

    def gradients_by_xla(z: Array, pair: Pair, weights: Pair) -> tuple[Array, Pair]:
        of_z, of_pair = jax.vjp(by_xla, z, pair)[1](weights)
        return of_z, of_pair

    if not native.available(z):
        return by_xla(z, pair)
    by_kernel = functools.partial(_lines_by_kernel, axis, steps)
    gradients_by_kernel = functools.partial(_gradients_by_kernel, axis, steps)
    batch = z.ndim - 3
    both = (batch, batch)

    def lines(*given: Any) -> Any:
        return native.placed(by_kernel, by_xla, given, axes=((batch, both), both))

    def gradients(*given: Any) -> Any:
        axes = ((batch, both, both), (batch, both))
        return native.placed(gradients_by_kernel, gradients_by_xla, given, axes=axes)

    predicted: Pair = bilinear(lines, gradients)(z, pair)
    return predicted


def _lines_by_xla(axis: Axis, steps: tuple[int, int], z: Array, pair: Pair) -> Pair:
    if axis == -2:
        first, last = _lines_by_xla(-3, steps, transposed(z), pair)
        return transposed(first), transposed(last)
    length = pair[0].shape[-3]
    known = jnp.stack([turned(z[..., :length, :, :]), z[..., z.shape[-3] - length :, :, :]])
    next_lines = _next_row_by_products if z.shape[-2] <= _LARGEST_PRODUCT else next_row
    lines = next_lines(known, jnp.stack(pair))[..., None, :, :]
    return turned(lines[0, ..., : steps[0], :, :]), lines[1, ..., : steps[1], :, :]


def next_row(rows: Array, coefficients: Array) -> Array:
    """Predict the row below ``rows`` (*batch, length, columns, channels); runs fast."""
    positions, length, width = coefficients.shape[-4:-1]
    columns = rows.shape[-2]
    centre = positions // 2

    def off_centre(of_positions: slice, rectangle: Array) -> Array:
        """Predict the pixels of one end, all of them from one rectangle."""
        weights = coefficients[..., of_positions, :, :, :]
        return jnp.sum(weights * rectangle[..., None, :, :, :], axis=(-3, -2))

    # A sum of products written out, one pass over the row in XLA; a reduction would not be vectorised.
    middle = sum(
        (
            coefficients[..., centre, row, column, :][..., None, :]
            * rows[..., row, column : column + columns - width + 1, :]
            for row in range(length)
            for column in range(width)
        ),
        jnp.zeros((), rows.dtype),
    )
    ends = (
        off_centre(slice(None, centre), rows[..., :width, :]),
        off_centre(slice(centre + 1, None), rows[..., columns - width :, :]),
    )
    return jnp.concatenate([ends[0], middle, ends[1]], axis=-2)


def _next_row_by_products(rows: Array, coefficients: Array) -> Array:
    """The same in few operations: matrices of 0 and 1 choose pixels and coefficients."""
    positions, _, width = coefficients.shape[-4:-1]
    columns = rows.shape[-2]
    first_seen = np.clip(np.arange(columns) - positions // 2, 0, columns - width)
    position = np.arange(columns) - first_seen
    of_position = jnp.asarray(position[:, None] == np.arange(positions), rows.dtype)
    seen = first_seen[:, None, None] + np.arange(width)[:, None] == np.arange(columns)
    einsum = functools.partial(jnp.einsum, precision="highest")
    weights = einsum("jp,...plwc->...jlwc", of_position, coefficients)
    known = einsum("jwi,...lic->...jlwc", jnp.asarray(seen, rows.dtype), rows)
    return jnp.sum(weights * known, axis=(-3, -2))


def _lines_by_kernel(axis: Axis, steps: tuple[int, int], z: Array, pair: Pair) -> Pair:
    """By the kernel that predicts frames, with nothing along the other axis."""
    strips = native.kernel("predicted_frame", _strips(axis, steps, z))(*_operands(axis, z, pair))
    return _own(axis, strips)


def _gradients_by_kernel(
    axis: Axis, steps: tuple[int, int], z: Array, pair: Pair, weights: Pair
) -> tuple[Array, Pair]:
    operands = _operands(axis, z, pair)
    no_others = [jnp.zeros(strip.shape, z.dtype) for strip in _strips(axis, steps, z)]
    of_strips = _of_all_sides(axis, weights, no_others)
    kernel = native.kernel("predicted_frame_gradient", native.like(*operands))
    of_z, _, *of_sides = kernel(jnp.zeros_like(z), *operands, *of_strips)
    return of_z, _own(axis, of_sides)


def _operands(axis: Axis, z: Array, pair: Pair) -> list[Array]:
    """What the kernels take: maps, means of 0, and coefficients of 0 for the other axis."""
    *batch, _, _, channels = z.shape
    no_others = [jnp.zeros((*batch, 1, 1, 1, channels), z.dtype)] * 4
    return [z, jnp.zeros((*batch, channels), z.dtype), *_of_all_sides(axis, pair, no_others)]


def _strips(axis: Axis, steps: tuple[int, int], z: Array) -> list[jax.ShapeDtypeStruct]:
    """What the kernels give: the lines, and strips without pixels on the other axis."""
    *batch, height, width, channels = z.shape
    (top, bottom), (left, right) = (steps, (0, 0)) if axis == -3 else ((0, 0), steps)
    breadth = left + width + right
    shapes = [(top, breadth), (bottom, breadth), (height, left), (height, right)]
    return [jax.ShapeDtypeStruct((*batch, *shape, channels), z.dtype) for shape in shapes]


def _of_all_sides(axis: Axis, pair: Pair, others: Sequence[Array]) -> list[Array]:
    """Put a pair where the kernels expect it among ``others``, one for each side."""
    return [*pair, *others[2:]] if axis == -3 else [*others[:2], *pair]


def _own(axis: Axis, sides: Sequence[Array]) -> Pair:
    first, last = sides[:2] if axis == -3 else sides[2:]
    return first, last
