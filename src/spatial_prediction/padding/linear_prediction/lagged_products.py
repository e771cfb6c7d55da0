"""Sums of products of a map with its shifted self: what all linear prediction is fitted to."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from spatial_prediction import native
from spatial_prediction.differentiation import with_compact_derivatives
from spatial_prediction.padding.linear_prediction.compiled_sums import compiled_sums

Lag: TypeAlias = tuple[int, int]
Window: TypeAlias = Literal["tukey"] | None

_LARGEST_UNROLLED_LAGS = 32
"""Above this many lags, sums come from matrix products instead of a pass over the map each."""

_WIDEST_PRODUCT = 256
"""Up to this many columns, higher derivatives go by matrix products; their memory goes with its square."""


def lagged_products(
    x: Float[Array, "*batch height width channels"], lags: Sequence[Lag], window: Window = None
) -> tuple[Float[Array, "*batch channels"], Float[Array, "lags *batch channels"]]:
    """Take the means of the channels, and sum products of each centred channel with its shifted self.

    ``sums[k] = sum_p z[p] z[p + lags[k]]`` over all pixels ``p`` for which both lie in the map, where ``z``
    is the map less its mean, tapered by ``window``.

    Args:
        x: channels-last maps, float32 or float64.
        lags: differences (down, right), ``down >= 0``, and ``right >= 0`` where ``down`` is 0.
        window: ``"tukey"`` fades the border out.

    Returns:
        Means and sums.
    """
    return lagged_products_in_passing(x, lags, window)[1:]


def lagged_products_in_passing(
    x: Array, lags: Sequence[Lag], window: Window = None
) -> tuple[Array, Array, Array]:
    """Hand ``x`` on with what ``lagged_products`` returns; their gradient is added to its in place."""

    def reference(x: Array) -> tuple[Array, Array, Array]:
        mean = jnp.mean(x, axis=(-3, -2))
        z = centred(x, mean, window)
        sums = _sums_over_slices if len(lags) <= _LARGEST_UNROLLED_LAGS else _sums_over_products
        return x, mean, jnp.moveaxis(sums(z, lags), 0, -2)

    def compact(x: Array) -> tuple[Array, Array, Array]:
        mean = jnp.mean(x, axis=(-3, -2))
        sums = _sums_over_products if x.shape[-2] <= _WIDEST_PRODUCT else _sums_over_slices
        return x, mean, jnp.moveaxis(sums(centred(x, mean, window), lags), 0, -2)

    if native.available(x):
        products = _compiled(reference, compact, lags, window, x.ndim - 3)
    else:
        products = with_compact_derivatives(reference, compact)
    x, mean, sums = products(x)
    return x, mean, jnp.moveaxis(sums, -2, 0)


def _compiled(
    reference: Callable[[Array], Any],
    compact: Callable[[Array], Any],
    lags: Sequence[Lag],
    window: Window,
    batch: int,
) -> Callable[[Array], Any]:
    attributes: dict[str, Any] = {"lags": native.as_attribute(lags)}

    def forward(x: Array) -> tuple[Array, ...]:
        batch, channels = x.shape[:-3], x.shape[-1]
        shapes = [(*batch, channels), (*batch, len(lags), channels)]
        results = [jax.ShapeDtypeStruct(shape, x.dtype) for shape in shapes]
        return x, *native.kernel("lagged_products", results, **attributes)(x, *tapers(x, window))

    def backward(arguments: tuple[Array], cotangents: tuple[Array, ...]) -> tuple[Array]:
        (x,), (of_x, *of_results) = arguments, cotangents
        call = native.kernel("lagged_products_gradient", native.like(x), in_place=True, **attributes)
        return (call(of_x, x, *tapers(x, window), *of_results)[0],)

    return compiled_sums(reference, forward, backward, compact=compact, batch=batch)


def centred(x: Array, mean: Array, window: Window) -> Array:
    """Take the means (*batch, channels) off and fade the border out."""
    z = x - mean[..., None, None, :]
    if window is None:
        return z
    down, across = tapers(x, window)
    return z * (down[:, None] * across)[..., None]


def tapers(x: Array, window: Window) -> tuple[Array, Array]:
    """Weights of the rows and of the columns of ``x``, whose product is the window."""
    taper = tukey_window if window == "tukey" else jnp.ones
    return jnp.asarray(taper(x.shape[-3]), x.dtype), jnp.asarray(taper(x.shape[-2]), x.dtype)


def tukey_window(size: int) -> np.ndarray | Array:
    """Tukey (tapered cosine) window with a taper over half of its length; float64, shape (size,).

    Its zeros lie one pixel outside the map on either side, so every pixel counts for something. Where the
    size is symbolic, in a program for maps of any size, it is a JAX array.
    """
    numbers: Any = np if isinstance(size, int) else jnp
    position = numbers.arange(1, size + 1) / (size + 1)
    distance = numbers.minimum(position, 1 - position)
    return numbers.where(distance < 0.25, 0.5 - 0.5 * numbers.cos(4 * np.pi * distance), 1.0)


def canonical(lag: Lag) -> Lag:
    """Return the one of ``lag`` and ``-lag`` that points down, or right: their sums are equal."""
    return max(lag, (-lag[0], -lag[1]))


def _sums_over_slices(z: Array, lags: Sequence[Lag]) -> Array:
    """Sum ``z`` times its shifted self for each lag: one pass over the map a lag."""
    height, width = z.shape[-3:-1]

    def lagged_sum(dy: int, dx: int) -> Array:
        if dy >= height or abs(dx) >= width:
            return jnp.zeros(z.shape[:-3] + z.shape[-1:], z.dtype)
        here = z[..., : height - dy, max(0, -dx) : width - max(0, dx), :]
        there = z[..., dy:, max(0, dx) : width - max(0, -dx), :]
        return _folded_sum(here * there)

    return jnp.stack([lagged_sum(*lag) for lag in lags])


def _folded_sum(x: Array) -> Array:
    """Sum over rows and columns, halving the rows first: a running sum of thousands rounds too much."""
    if not isinstance(x.shape[-3], int):  # symbolic: halved how often is not known; row by row rounds little
        return jnp.sum(jnp.sum(x, axis=-2), axis=-2)
    while (rows := x.shape[-3]) > 3:
        even = rows - rows % 2
        halves = x[..., : even // 2, :, :] + x[..., even // 2 : even, :, :]
        x = jnp.concatenate([halves, x[..., even:, :, :]], axis=-3) if rows % 2 else halves
    return jnp.sum(x, axis=(-3, -2))


def _sums_over_products(z: Array, lags: Sequence[Lag]) -> Array:
    """The same sums by matrix products, for many lags.

    For a vertical lag ``dy`` the products of every pair of columns, ``Z[:-dy]' Z[dy:]``, are one matrix
    product; the sum along its ``dx``-th diagonal is the sum at lag (dy, dx).
    """
    height, width = z.shape[-3:-1]
    down = max(dy for dy, _ in lags)
    across = max(abs(dx) for _, dx in lags)
    rows = jnp.moveaxis(z, -1, -3)  # (*batch, channels, height, width)
    below = jnp.pad(rows, [(0, 0)] * (rows.ndim - 2) + [(0, down), (0, 0)])
    shifted = jnp.concatenate([below[..., dy : dy + height, :] for dy in range(down + 1)], axis=-1)
    products = jnp.einsum("...ya,...yb->...ab", rows, shifted, precision="highest")
    products = products.reshape(*products.shape[:-1], down + 1, width)
    distance = np.arange(width) - np.arange(width)[:, None]
    diagonals = jnp.asarray(distance[..., None] == np.arange(-across, across + 1), z.dtype)
    sums = jnp.einsum("...adb,abk->dk...", products, diagonals, precision="highest")
    dy, dx = np.array(lags).T
    return sums[dy, dx + across]
