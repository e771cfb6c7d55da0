"""Sums of products of the pixels of a neighbourhood: what least squares are fitted to."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from spatial_prediction import native
from spatial_prediction.padding._sides import transposed, turned
from spatial_prediction.padding.linear_prediction.compiled_sums import compiled_sums


class Rectangle(NamedTuple):
    """The neighbourhood of a row of pixels to predict downwards, with that row: (length + 1) x width pixels.

    Attributes:
        length: rows of known pixels.
        width: columns.
        row_weights: weights of the rows of places that it is summed over, of which the last lies at the
            border; float64.
    """

    length: int
    width: int
    row_weights: np.ndarray

    @property
    def unknowns(self) -> int:
        """Coefficients that predict a pixel."""
        return self.length * self.width

    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Pixels i and j >= i of the rectangle, counted row by row, of which i is known."""
        first, second = np.triu_indices(self.unknowns + self.width)
        return first[first < self.unknowns], second[first < self.unknowns]

    def equations(self) -> tuple[np.ndarray, np.ndarray]:
        """Say which pair stands where in the matrix (unknowns, unknowns) and right-hand side (, width)."""
        place = np.zeros((self.unknowns + self.width,) * 2, int)
        first, second = self.pairs()
        place[first, second] = place[second, first] = np.arange(len(first))
        return place[: self.unknowns, : self.unknowns], place[: self.unknowns, self.unknowns :]


def neighbourhood_products_in_passing(
    x: Array, down: Rectangle, right: Rectangle
) -> tuple[Array, Array, Array, Array]:
    """Hand ``x`` (*batch, height, width, channels) on with means and sums of products of the centred map.

    Args:
        x: float32 or float64.
        down: the rectangle of the lower side; turned by 180 degrees that of the upper one.
        right: that of the right side, as "downwards" on the transposed map; turned for the left one.

    Returns:
        ``x``, whose gradient is added to in place; means (*batch, channels); sums of the pairs of ``down``
        for top and bottom, and of ``right`` for left and right (pairs, *batch, 2, channels).
    """

    def reference(x: Array) -> tuple[Array, Array, Array, Array]:
        mean = jnp.mean(x, axis=(-3, -2))
        z = x - mean[..., None, None, :]
        return x, mean, _opposite_sides(z, down), _opposite_sides(transposed(z), right)

    def weights() -> list[Array]:
        return [jnp.asarray(each.row_weights, x.dtype) for each in (down, right)]

    neighbourhoods = native.as_attribute([down.length, down.width, right.length, right.width])

    def forward(x: Array) -> tuple[Array, ...]:
        batch, channels = x.shape[:-3], x.shape[-1]
        shapes = [(channels,), *((2, len(each.pairs()[0]), channels) for each in (down, right))]
        results = [jax.ShapeDtypeStruct((*batch, *shape), x.dtype) for shape in shapes]
        call = native.kernel("neighbourhood_products", results, neighbourhoods=neighbourhoods)
        return x, *call(x, *weights())

    def backward(arguments: tuple[Array], cotangents: tuple[Array, ...]) -> tuple[Array]:
        (x,), (of_x, *of_results) = arguments, cotangents
        name = "neighbourhood_products_gradient"
        call = native.kernel(name, native.like(x), in_place=True, neighbourhoods=neighbourhoods)
        return (call(of_x, x, *weights(), *of_results)[0],)

    compiled = compiled_sums(reference, forward, backward, batch=x.ndim - 3)
    x, mean, *sums = (compiled if native.available(x) else reference)(x)
    vertical, horizontal = (jnp.moveaxis(each, -2, 0) for each in sums)
    return x, mean, vertical, horizontal


def neighbourhood_products_of_known(
    x: Array, known: Array, down: Rectangle, right: Rectangle
) -> tuple[Array, Array, Array]:
    """Sum products over the places whose pixels are all known, whatever ``x`` is elsewhere.

    Args:
        x: maps (*batch, height, width, channels), float32 or float64; finite.
        known: True for pixels that are known, same shape.
        down: as in ``neighbourhood_products_in_passing``.
        right: likewise.

    Returns:
        Means (*batch, channels) of ``x``, and sums (pairs, *batch, 2, channels) as there.
    """
    mean = jnp.mean(x, axis=(-3, -2))
    z = x - mean[..., None, None, :]
    vertical = _opposite_sides(z, down, known)
    horizontal = _opposite_sides(transposed(z), right, transposed(known))
    return mean, jnp.moveaxis(vertical, -2, 0), jnp.moveaxis(horizontal, -2, 0)


def _opposite_sides(z: Array, rectangle: Rectangle, known: Array | None = None) -> Array:
    """Sums for the upper and the lower side, (*batch, 2, pairs, channels)."""
    upper = _products(turned(z), rectangle, None if known is None else turned(known))
    return jnp.stack([upper, _products(z, rectangle, known)], axis=-3)


def _products(z: Array, rectangle: Rectangle, known: Array | None) -> Array:
    """Sums for the lower side, (*batch, pairs, channels)."""
    length, width, weights = rectangle
    rows, columns = len(weights), z.shape[-2] - width + 1

    def places(z: Array) -> Array:
        z = z[..., z.shape[-3] - len(weights) - length :, :, :]
        return jnp.stack(
            [z[..., y : y + rows, x : x + columns, :] for y in range(length + 1) for x in range(width)]
        )

    stacked = places(z) * jnp.asarray(np.sqrt(weights), z.dtype)[:, None, None]
    if known is not None:
        stacked = jnp.where(jnp.all(places(known), axis=0), stacked, 0)
    flat = stacked.reshape(len(stacked), *z.shape[:-3], rows * columns, z.shape[-1])
    products = jnp.einsum("i...pc,j...pc->...ijc", flat, flat, precision="highest")
    first, second = rectangle.pairs()
    return products[..., first, second, :]
