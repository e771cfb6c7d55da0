"""Linear prediction padding by the autocorrelation method."""

from typing import Literal

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from spatial_prediction.padding._base import PadWidth, as_pad_width
from spatial_prediction.padding._linear_prediction import (
    AbstractLinearPrediction,
    SideCoefficients,
    check_neighbourhood,
    fitting_width,
)
from spatial_prediction.padding._normal_equations import solve_normal_equations

Lag = tuple[int, int]

_LARGEST_UNROLLED_LAGS = 32
"""Above this many lags, sums come from matrix products instead of a pass over the map each."""


class AutocorrelationPrediction(AbstractLinearPrediction):
    """Linear prediction whose coefficients follow from the map's autocorrelation.

    The map is taken as a sample of a stationary process of mean zero: ``r(lag)`` is estimated from the
    windowed map, zero outside, and the coefficients solve the normal equations
    ``R a = r``. By the symmetry ``r(lag) = r(-lag)`` opposite sides share their coefficients. The window
    fades the border out (a Tukey window with 50 % taper on both axes), without it the sudden end of the
    map counts as signal. On a slope, ``1 2 3 4 5 6 7 8 -> 1.9 1 2 3 4 5 6 7 8 7.1`` for 1x1: values
    are drawn towards the mean, the more so the less the map resembles itself one pixel on.

    Fields:
        pad_width: ``((top, bottom), (left, right))`` in pixels.
        length: pixels of the neighbourhood along the padding direction.
        width: pixels across it, odd.
        window: ``"tukey"`` or None.
        sums: ``"direct"``, or ``"fft"``: by a zero-padded Fourier transform, as published for larger
            neighbourhoods. That one divides by the size of the transform instead of the map's, which
            matters against the absolute ridge, and for odd transform widths its estimate is bent.
        ridge: added to the diagonal, absolute (published: 1e-7).

    A map smaller than the neighbourhood shrinks it. Source: arXiv 2502.12300, sec. 2.
    """

    pad_width: PadWidth = eqx.field(static=True, converter=as_pad_width)
    length: int = eqx.field(static=True)
    width: int = eqx.field(static=True)
    window: Literal["tukey"] | None = eqx.field(static=True, default="tukey")
    sums: Literal["direct", "fft"] = eqx.field(static=True, default="direct")
    ridge: float = eqx.field(static=True, default=1e-7)

    def __check_init__(self) -> None:
        check_neighbourhood(self.length, self.width)
        if self.window not in ("tukey", None):
            raise ValueError(f"window must be 'tukey' or None, got {self.window!r}")
        if self.sums not in ("direct", "fft"):
            raise ValueError(f"sums must be 'direct' or 'fft', got {self.sums!r}")

    def coefficients(self, z: Array) -> SideCoefficients:
        """Fit the coefficients to the map; see :class:`AbstractLinearPrediction`."""
        height, breadth = z.shape[-3:-1]
        vertical = _Neighbourhood(min(self.length, height), fitting_width(self.width, breadth))
        horizontal = _Neighbourhood(min(self.length, breadth), fitting_width(self.width, height))
        across = [_canonical((x, y)) for y, x in horizontal.lags]  # lags of the transposed map
        lags = sorted({_canonical(lag) for lag in vertical.lags} | set(across))

        if self.window == "tukey":
            taper = tukey_window(height)[:, None] * tukey_window(breadth)
            z = z * jnp.asarray(taper, z.dtype)[..., None]
        estimate = _autocorrelation_by_fft if self.sums == "fft" else _autocorrelation_by_sums
        r = estimate(z, lags)

        down = vertical.solve(r, [lags.index(_canonical(lag)) for lag in vertical.lags], self.ridge)
        right = horizontal.solve(r, [lags.index(lag) for lag in across], self.ridge)
        return SideCoefficients(top=down, bottom=down, left=right, right=right)


class _Neighbourhood:
    """The pixels that predict one row downwards, and the normal equations they give."""

    def __init__(self, length: int, width: int) -> None:
        self.length, self.width = length, width
        predictors = np.array([(y, x) for y in range(length) for x in range(width)])
        targets = np.array([(length, x) for x in range(width)])
        differences = np.concatenate([predictors, targets]) - predictors[:, None]
        lags, which = np.unique(differences.reshape(-1, 2), axis=0, return_inverse=True)
        self.lags: list[Lag] = [(int(y), int(x)) for y, x in lags]
        """Every difference of positions that the equations need."""
        self._lag_of_entry = which.reshape(differences.shape[:2])

    def solve(self, r: Array, lag_positions: list[int], ridge: float) -> Array:
        """Solve for the coefficients, given the position in ``r`` of each of ``self.lags``."""
        equations = r[np.array(lag_positions)[self._lag_of_entry]]
        gram, right_hand_side = jnp.split(equations, [self.length * self.width], axis=1)
        solution = solve_normal_equations(gram, right_hand_side, ridge=ridge)
        by_position = jnp.moveaxis(solution, 1, 0)
        return by_position.reshape(self.width, self.length, self.width, *solution.shape[2:])


def tukey_window(size: int) -> np.ndarray:
    """Tukey (tapered cosine) window with a taper over half of its length; float64, shape (size,).

    Its zeros lie one pixel outside the map on either side, so every pixel counts for something.
    """
    position = np.arange(1, size + 1) / (size + 1)
    distance = np.minimum(position, 1 - position)
    return np.where(distance < 0.25, 0.5 - 0.5 * np.cos(4 * np.pi * distance), 1.0)


def _canonical(lag: Lag) -> Lag:
    """Return the one of ``lag`` and ``-lag`` that points down, or right."""
    return max(lag, (-lag[0], -lag[1]))


def _autocorrelation_by_sums(z: Array, lags: list[Lag]) -> Array:
    sums = _sums_over_slices if len(lags) <= _LARGEST_UNROLLED_LAGS else _sums_over_products
    return sums(z, lags) / (z.shape[-3] * z.shape[-2])


def _sums_over_slices(z: Array, lags: list[Lag]) -> Array:
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
    while (rows := x.shape[-3]) > 3:
        even = rows - rows % 2
        halves = x[..., : even // 2, :, :] + x[..., even // 2 : even, :, :]
        x = jnp.concatenate([halves, x[..., even:, :, :]], axis=-3) if rows % 2 else halves
    return jnp.sum(x, axis=(-3, -2))


def _sums_over_products(z: Array, lags: list[Lag]) -> Array:
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


def _autocorrelation_by_fft(z: Array, lags: list[Lag]) -> Array:
    reach = max(max(dy, abs(dx)) for dy, dx in lags)
    shape = tuple(transform_size(size + reach) for size in z.shape[-3:-1])
    spectrum = jnp.fft.rfft2(z, shape, axes=(-3, -2), norm="forward")
    power = jnp.real(spectrum * jnp.conj(spectrum))
    # The published code inverts without naming the size. An odd width then comes back one sample
    # shorter, which bends the estimate a little; kept, for it defines the method's published numbers.
    r = jnp.fft.irfft2(power, axes=(-3, -2), norm="forward")
    dy, dx = np.array(lags).T
    return jnp.moveaxis(r, (-3, -2), (0, 1))[dy, dx]


def transform_size(size: int) -> int:
    """Return the smallest number not below ``size`` whose prime factors are 2, 3, 5 and 7."""

    def remainder(n: int) -> int:
        for prime in (2, 3, 5, 7):
            while n % prime == 0:
                n //= prime
        return n

    while remainder(size) != 1:
        size += 1
    return size
