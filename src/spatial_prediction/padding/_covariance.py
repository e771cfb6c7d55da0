"""Linear prediction padding by the covariance method."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array

from spatial_prediction import native
from spatial_prediction.padding._base import PadWidth, as_pad_width
from spatial_prediction.padding._sides import Sides, transposed, with_outer_strips
from spatial_prediction.padding.linear_prediction.frame import AbstractLinearPrediction
from spatial_prediction.padding.linear_prediction.lagged_products import lagged_products_with_map
from spatial_prediction.padding.linear_prediction.normal_equations import guarded_quotient, solve_two_by_two


class CovariancePrediction(AbstractLinearPrediction):
    """Linear prediction from one or two pixels, fitted by least squares over the map.

    Nothing is assumed outside the map and no window is needed: for the right side of a row the
    coefficients minimise ``sum_x (z[x] - a1 z[x-1] - a2 z[x-2])^2`` over every x with all its pixels
    known. Each side gets its own coefficients. What obeys such a law is continued exactly, as a row that
    swings about its mean with 1x1: ``3131 -> 31 3131 31``.

    Attributes:
        pad_width: ``((top, bottom), (left, right))`` in pixels.
        length: pixels of the neighbourhood along the padding direction, 1 or 2.
        width: pixels across it, always 1.
        shared_sides: pool the sums of opposite sides and give them the same coefficients.
        stabilised: reflect poles outside the unit circle into it, which keeps the shape of the power
            spectrum and keeps a recursion from growing.
        finite_only: fit to the neighbourhoods that are finite throughout; see
            :class:`AbstractLinearPrediction`.

    A map too small for the neighbourhood lowers it; the mean is predicted where nothing can be fitted.
    Source: arXiv 2502.12300, sec. 2 and App. B, with the signs of its code (the appendix prints
    a2' = 1/a1 where 1/a2 is meant). Larger neighbourhoods, which are not in it:
    :class:`spatial_prediction.padding.contrib.LeastSquaresPrediction`.
    """

    pad_width: PadWidth = eqx.field(static=True, converter=as_pad_width)
    length: int = eqx.field(static=True)
    width: int = eqx.field(static=True, default=1, init=False)
    shared_sides: bool = eqx.field(static=True, default=False)
    stabilised: bool = eqx.field(static=True, default=True)
    finite_only: bool = eqx.field(static=True, default=False)

    def __check_init__(self) -> None:
        if self.length not in (1, 2):
            raise ValueError(
                f"length must be 1 or 2 (pixels along the padding direction), got {self.length}; larger "
                "neighbourhoods are fitted by spatial_prediction.padding.contrib.LeastSquaresPrediction"
            )

    def fit(self, x: Array) -> tuple[Array, Array, Sides]:
        """Fit the coefficients to the map; see :class:`AbstractLinearPrediction`."""
        if self.length == 1 and self.stabilised and not self.shared_sides:
            return self._fitted_to_nearest(x)
        return self._fit_in_closed_form(x)

    def fit_to_known(self, x: Array, known: Array) -> tuple[Array, Sides]:
        """Fit to the places whose pixels are all known; see :class:`AbstractLinearPrediction`."""
        mean = jnp.mean(x, axis=(-3, -2))
        z = x - mean[..., None, None, :]
        top, bottom = self._opposite_sides(*self._direct_products(z, known))
        left, right = self._opposite_sides(*self._direct_products(transposed(z), transposed(known)))
        return mean, Sides(top, bottom, left, right)

    def _fitted_to_nearest(self, x: Array) -> tuple[Array, Array, Sides]:
        """Fit the one coefficient of each side in a single pass, where there is a kernel for it."""

        def reference(x: Array) -> tuple[Array, Array, Array]:
            x, mean, sides = self._fit_in_closed_form(x)
            return x, mean, jnp.stack([side[0, 0, 0] for side in sides], axis=-2)

        def forward(x: Array) -> tuple[Array, ...]:
            batch, channels = x.shape[:-3], x.shape[-1]
            results = [
                jax.ShapeDtypeStruct((*batch, *rest), x.dtype) for rest in ((channels,), (4, channels))
            ]
            return x, *native.kernel("first_order", results)(x)

        def backward(arguments: tuple[Array], cotangents: tuple[Array, ...]) -> tuple[Array]:
            (x,), (of_x, *of_results) = arguments, cotangents
            kernel = native.kernel("first_order_gradient", native.like(x), in_place=True)
            return (kernel(of_x, x, *of_results)[0],)

        def compact(x: Array) -> tuple[Array, Array, Array]:
            mean = jnp.mean(x, axis=(-3, -2))
            z = x - mean[..., None, None, :]
            products = [*self._direct_products(z), *self._direct_products(transposed(z))]
            coefficients = [self._solved(each)[0, 0, 0] for each in products]
            return x, mean, jnp.stack(coefficients, axis=-2)

        batch = x.ndim - 3
        axes = native.BatchAxes((batch,), (batch,) * 3)
        compiled = native.differentiable(reference, forward, backward, compact=compact, batch=axes)
        x, mean, sides = (compiled if native.available(x) else reference)(x)
        return x, mean, Sides(*(sides[None, None, None, ..., side, :] for side in range(4)))

    def _fit_in_closed_form(self, x: Array) -> tuple[Array, Array, Sides]:
        down, across = (max(1, min(self.length, size - 1)) for size in x.shape[-3:-1])
        x, known = with_outer_strips(x, (down, across))
        lags = [(0, 0)] + [(k, 0) for k in range(1, down + 1)] + [(0, k) for k in range(1, across + 1)]
        x, mean, sums = lagged_products_with_map(x, lags)

        def sides(totals: Array, first: Array, last: Array) -> tuple[Array, Array]:
            first, last = first - mean[..., None, None, :], last - mean[..., None, None, :]
            first, last = _row_products(first), _row_products(last)
            downwards = _complete_products(totals, first, last)
            upwards = _complete_products(totals, last[::-1, ::-1], first[::-1, ::-1])
            return self._opposite_sides(upwards, downwards)

        top, bottom = sides(sums[: down + 1], known.top, known.bottom)
        of_columns = jnp.concatenate([sums[:1], sums[down + 1 :]])
        left, right = sides(of_columns, transposed(known.left), transposed(known.right))
        return x, mean, Sides(top, bottom, left, right)

    def _direct_products(self, z: Array, known: Array | None = None) -> tuple[Array, Array]:
        """Sums ``products[i, j]`` as of ``_complete_products``, upwards and downwards, in few operations.

        Args:
            z: maps without their means, (*batch, height, width, channels).
            known: True for pixels that are known; a place counts where all its pixels are.
        """
        height = z.shape[-3]
        length = max(1, min(self.length, height - 1))

        def nearest_first(x: Array) -> Array:
            return jnp.stack([x[..., length - i : height - i, :, :] for i in range(length + 1)])

        pixels = nearest_first(z)
        if known is not None:
            pixels = jnp.where(jnp.all(nearest_first(known), axis=0), pixels, 0)
        downwards = jnp.sum(pixels[:, None] * pixels, axis=(-3, -2))
        return downwards[::-1, ::-1], downwards

    def _opposite_sides(self, upwards: Array, downwards: Array) -> tuple[Array, Array]:
        if self.shared_sides:
            upwards = downwards = upwards + downwards
        return self._solved(upwards), self._solved(downwards)

    def _solved(self, products: Array) -> Array:
        if products.shape[0] == 2:
            a1 = guarded_quotient(products[1, 0], products[1, 1])
            coefficients = [stabilised_first_order(a1) if self.stabilised else a1]
        else:
            # the determinant squares the products, which may leave the range of their type
            products = guarded_quotient(products, products[1, 1] + products[2, 2])
            a1, a2 = solve_two_by_two(products[1:, 1:], products[1:, :1])[:, 0]
            coefficients = list(stabilised_second_order(a1, a2)) if self.stabilised else [a1, a2]
        farthest_first = jnp.stack(coefficients[::-1])
        return farthest_first[None, :, None]


def _row_products(rows: Array) -> Array:
    """Products of a strip's rows summed along them: (rows, rows, *batch, channels)."""
    return jnp.moveaxis(
        jnp.sum(rows[..., :, None, :, :] * rows[..., None, :, :, :], axis=-2), (-3, -2), (0, 1)
    )


def _complete_products(totals: Array, first: Array, last: Array) -> Array:
    """Sums ``products[i, j] = sum_y z[y - i] z[y - j]`` over all y whose ``length`` predecessors are known.

    They are the sums over all y, of which the first ``length - j`` and the last ``i`` terms (for i <= j)
    go too far; these are products of rows near the border.

    Args:
        totals: sums over all rows at lags 0..length, (length + 1, *batch, channels).
        first: products of the first ``length`` rows among themselves, (length, length, *batch, channels).
        last: of the last ones.

    Returns:
        (length + 1, length + 1, *batch, channels), symmetric; the energy of the predicted pixel, [0, 0],
        is not needed and 0.
    """
    length = totals.shape[0] - 1

    def product(i: int, j: int) -> Array:
        lag = j - i
        early = [first[row, row + lag] for row in range(length - j)]
        late = [last[length - i + row - lag, length - i + row] for row in range(i)]
        return totals[lag] - sum(early + late, jnp.zeros_like(totals[0]))

    orders = range(length + 1)
    upper = {(i, j): product(i, j) for i in orders for j in orders if i <= j and (i, j) != (0, 0)}
    upper[0, 0] = jnp.zeros_like(totals[0])
    return jnp.stack([jnp.stack([upper[min(i, j), max(i, j)] for j in orders]) for i in orders])


def stabilised_first_order(a1: Array) -> Array:
    """Reflect the pole of ``z[n] = a1 z[n-1]`` into the unit circle where it lies outside."""
    unstable = jnp.abs(a1) > 1
    return jnp.where(unstable, 1 / jnp.where(unstable, a1, 1), a1)


def stabilised_second_order(a1: Array, a2: Array) -> tuple[Array, Array]:
    """Reflect the poles of ``z[n] = a1 z[n-1] + a2 z[n-2]`` into the unit circle where they lie outside.

    The poles are the roots of ``p^2 - a1 p - a2``. A complex pair has modulus squared ``-a2``; reflected
    it gives ``(-a1/a2, 1/a2)``. Real poles are reflected one by one, with ``a1 = p0 + p1`` and
    ``a2 = -p0 p1``. Every branch guards its *inputs*: a square root or quotient guarded only at its
    output would turn the gradient of the branch not taken into NaN.
    """
    discriminant = a1 * a1 + 4 * a2
    growing_pair = (discriminant < 0) & (a2 < -1)
    pair_a2 = jnp.where(growing_pair, a2, -1)

    real = discriminant > 0
    half_distance = jnp.where(real, jnp.sqrt(jnp.where(real, discriminant, 1)) / 2, 0)
    poles = [stabilised_first_order(a1 / 2 + sign * half_distance) for sign in (1, -1)]
    growing_real = (discriminant >= 0) & (jnp.abs(a1) / 2 + half_distance > 1)

    stable_a1 = jnp.where(growing_pair, -a1 / pair_a2, jnp.where(growing_real, poles[0] + poles[1], a1))
    stable_a2 = jnp.where(growing_pair, 1 / pair_a2, jnp.where(growing_real, -poles[0] * poles[1], a2))
    return stable_a1, stable_a2
