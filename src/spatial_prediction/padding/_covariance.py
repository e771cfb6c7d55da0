"""Linear prediction padding by the covariance method."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from spatial_prediction import native
from spatial_prediction.padding._base import PadWidth, as_pad_width
from spatial_prediction.padding._sides import Sides, transposed, with_outer_strips
from spatial_prediction.padding.linear_prediction.frame import (
    AbstractLinearPrediction,
    check_neighbourhood,
    fitting_width,
)
from spatial_prediction.padding.linear_prediction.lagged_products import lagged_products_in_passing
from spatial_prediction.padding.linear_prediction.neighbourhood_products import (
    Rectangle,
    neighbourhood_products_in_passing,
    neighbourhood_products_of_known,
)
from spatial_prediction.padding.linear_prediction.normal_equations import (
    guarded_quotient,
    placed_sums,
    solve_normal_equations,
    solve_two_by_two,
)


class CovariancePrediction(AbstractLinearPrediction):
    """Linear prediction fitted by least squares over all complete neighbourhoods in the map.

    Nothing is assumed outside the map and no window is needed: for the right side of a row the
    coefficients minimise ``sum_x (z[x] - a1 z[x-1] - a2 z[x-2])^2`` over every x with all its pixels
    known. Each side gets its own coefficients. What obeys such a law is continued exactly, as a row that
    swings about its mean with 1x1: ``3131 -> 31 3131 31``.

    Attributes:
        pad_width: ``((top, bottom), (left, right))`` in pixels.
        length: pixels of the neighbourhood along the padding direction.
        width: pixels across it, odd.
        shared_sides: pool the sums of opposite sides and give them the same coefficients.
        stabilised: reflect poles outside the unit circle into it, which keeps the shape of the power
            spectrum and keeps a recursion from growing. For 1x1 and 2x1, whose poles are known.
        ridge: added to the diagonal of the normal equations, as a share of its mean; neighbourhoods of
            1x1 and 2x1 over the whole map need none and take none.
        band: fit to so many pixels along each side alone.
        decay: weigh squared errors by ``exp(-distance / decay)`` from that side, in pixels.
        finite_only: fit to the neighbourhoods that are finite throughout; see
            :class:`AbstractLinearPrediction`.

    A map too small for the neighbourhood lowers it; the mean is predicted where nothing can be fitted.
    Source: arXiv 2502.12300, sec. 2 and App. B, with the signs of its code (the appendix prints
    a2' = 1/a1 where 1/a2 is meant); the covariance method for wider neighbourhoods is not in it.
    """

    pad_width: PadWidth = eqx.field(static=True, converter=as_pad_width)
    length: int = eqx.field(static=True)
    width: int = eqx.field(static=True, default=1)
    shared_sides: bool = eqx.field(static=True, default=False)
    stabilised: bool = eqx.field(static=True, default=True)
    ridge: float = eqx.field(static=True, default=1e-6)
    band: int | None = eqx.field(static=True, default=None)
    decay: float | None = eqx.field(static=True, default=None)
    finite_only: bool = eqx.field(static=True, default=False)

    def __check_init__(self) -> None:
        check_neighbourhood(self.length, self.width)
        if self.band is not None and self.band <= self.length:
            raise ValueError(
                f"a band of {self.band} pixels holds no complete neighbourhood of length {self.length} and "
                "the pixel it predicts; widen it"
            )
        if self.decay is not None and self.decay <= 0:
            raise ValueError(f"decay must be positive, in pixels, got {self.decay}")
        if self.stabilised and not self._has_closed_form:
            raise ValueError(
                f"only 1x1 and 2x1 neighbourhoods fitted to the whole map can be stabilised, not "
                f"{self.length}x{self.width}; set stabilised=False or use the autocorrelation method"
            )

    @property
    def _has_closed_form(self) -> bool:
        return self.width == 1 and self.length <= 2 and self.band is None and self.decay is None

    def fit(self, x: Array) -> tuple[Array, Array, Sides]:
        """Fit the coefficients to the map; see :class:`AbstractLinearPrediction`."""
        if not self._has_closed_form:
            return self._fit_in_general(x)
        if self.length == 1 and self.stabilised and not self.shared_sides:
            return self._fitted_to_nearest(x)
        return self._fit_in_closed_form(x)

    def fit_to_known(self, x: Array, known: Array) -> tuple[Array, Sides]:
        """Fit to the places whose pixels are all known; see :class:`AbstractLinearPrediction`."""
        height, breadth = x.shape[-3:-1]
        down, right = self._rectangle(height, breadth), self._rectangle(breadth, height)
        mean, vertical, horizontal = neighbourhood_products_of_known(x, known, down, right)
        return mean, self._of_all(vertical, down, horizontal, right)

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
            height, breadth = x.shape[-3:-1]
            down, right = self._rectangle(height, breadth), self._rectangle(breadth, height)
            x, mean, *sums = neighbourhood_products_in_passing(x, down, right)
            known, with_next = jnp.concatenate(sums, axis=-2)  # (*batch, 4, channels)
            return x, mean, stabilised_first_order(guarded_quotient(with_next, known))

        batch = x.ndim - 3
        axes = native.BatchAxes((batch,), (batch,) * 3)
        compiled = native.differentiable(reference, forward, backward, compact=compact, batch=axes)
        x, mean, sides = (compiled if native.available(x) else reference)(x)
        return x, mean, Sides(*(sides[None, None, None, ..., side, :] for side in range(4)))

    def _fit_in_general(self, x: Array) -> tuple[Array, Array, Sides]:
        """Fit a neighbourhood of any size, by a sum for every pair of its pixels."""
        height, breadth = x.shape[-3:-1]
        down, right = self._rectangle(height, breadth), self._rectangle(breadth, height)
        x, mean, vertical, horizontal = neighbourhood_products_in_passing(x, down, right)
        return x, mean, self._of_all(vertical, down, horizontal, right)

    def _fit_in_closed_form(self, x: Array) -> tuple[Array, Array, Sides]:
        down, across = (max(1, min(self.length, size - 1)) for size in x.shape[-3:-1])
        x, known = with_outer_strips(x, (down, across))
        lags = [(0, 0)] + [(k, 0) for k in range(1, down + 1)] + [(0, k) for k in range(1, across + 1)]
        x, mean, sums = lagged_products_in_passing(x, lags)

        def sides(totals: Array, first: Array, last: Array) -> tuple[Array, Array]:
            first, last = first - mean[..., None, None, :], last - mean[..., None, None, :]
            first, last = _row_products(first), _row_products(last)
            downwards = _complete_products(totals, first, last)
            upwards = _complete_products(totals, last[::-1, ::-1], first[::-1, ::-1])
            if self.shared_sides:
                upwards = downwards = upwards + downwards
            return self._solved(upwards), self._solved(downwards)

        top, bottom = sides(sums[: down + 1], known.top, known.bottom)
        of_columns = jnp.concatenate([sums[:1], sums[down + 1 :]])
        left, right = sides(of_columns, transposed(known.left), transposed(known.right))
        return x, mean, Sides(top, bottom, left, right)

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

    def _rectangle(self, height: int, breadth: int) -> Rectangle:
        """What the coefficients of the lower side are fitted to; without places in a map of one row."""
        length, width = max(1, min(self.length, height - 1)), fitting_width(self.width, breadth)
        rows = (height if self.band is None else min(self.band, height)) - length
        distance = np.arange(rows)[::-1]
        return Rectangle(length, width, np.exp(-distance / (self.decay or np.inf)))

    def _of_all(self, vertical: Array, down: Rectangle, horizontal: Array, right: Rectangle) -> Sides:
        """Solve for all sides, given the sums of opposite ones (pairs, *batch, 2, channels)."""
        if self.shared_sides:
            vertical, horizontal = (
                jnp.broadcast_to(jnp.sum(sums, axis=-2, keepdims=True), sums.shape)
                for sums in (vertical, horizontal)
            )
        if down[:2] == right[:2]:  # once for all is sooner compiled
            return Sides(*self._of_sides(jnp.concatenate([vertical, horizontal], axis=-2), down))
        return Sides(*self._of_sides(vertical, down), *self._of_sides(horizontal, right))

    def _of_sides(self, products: Array, rectangle: Rectangle) -> list[Array]:
        """Solve for sides with rectangles of one size, given sums (pairs, *batch, sides, channels)."""
        matrix, right_hand_side = (placed_sums(products, place) for place in rectangle.equations())
        if self._has_closed_form:  # which counts from the predicted pixel on, and needs no square of that one
            others = jnp.concatenate([right_hand_side[::-1], matrix[::-1, ::-1]], axis=1)
            solution = self._solved(jnp.concatenate([jnp.zeros_like(others[:1]), others]))
            return list(jnp.moveaxis(solution, -2, 0))
        size = jnp.trace(matrix) / rectangle.unknowns
        matrix, right_hand_side = guarded_quotient(matrix, size), guarded_quotient(right_hand_side, size)
        solution = solve_normal_equations(matrix, right_hand_side, ridge=self.ridge)
        length, width, _ = rectangle
        solution = jnp.moveaxis(solution, 1, 0).reshape(width, length, width, *solution.shape[2:])
        return list(jnp.moveaxis(solution, -2, 0))


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
