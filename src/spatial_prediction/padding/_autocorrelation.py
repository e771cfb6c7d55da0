"""Linear prediction padding by the autocorrelation method."""

from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from spatial_prediction import native
from spatial_prediction.padding._base import PadWidth, as_pad_width
from spatial_prediction.padding._borders import Borders
from spatial_prediction.padding._lagged_products import (
    Lag,
    Window,
    canonical,
    centred,
    lagged_products_in_passing,
    tapers,
)
from spatial_prediction.padding._linear_prediction import (
    AbstractLinearPrediction,
    check_neighbourhood,
    fitting_width,
)
from spatial_prediction.padding._normal_equations import solve_normal_equations


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
        sums: ``"direct"``, or ``"fft"``: as published for larger neighbourhoods, which takes them by a
            zero-padded Fourier transform. That one divides by the size of the transform instead of the
            map's, which matters against the absolute ridge, and for odd transform widths its estimate is
            bent; for even ones the direct sums, so divided, are the same and cost less.
        ridge: added to the diagonal, absolute (published: 1e-7).

    A map smaller than the neighbourhood shrinks it. Source: arXiv 2502.12300, sec. 2.
    """

    pad_width: PadWidth = eqx.field(static=True, converter=as_pad_width)
    length: int = eqx.field(static=True)
    width: int = eqx.field(static=True)
    window: Window = eqx.field(static=True, default="tukey")
    sums: Literal["direct", "fft"] = eqx.field(static=True, default="direct")
    ridge: float = eqx.field(static=True, default=1e-7)

    def __check_init__(self) -> None:
        check_neighbourhood(self.length, self.width)
        if self.window not in ("tukey", None):
            raise ValueError(f"window must be 'tukey' or None, got {self.window!r}")
        if self.sums not in ("direct", "fft"):
            raise ValueError(f"sums must be 'direct' or 'fft', got {self.sums!r}")

    def fit(self, x: Array, known: Borders) -> tuple[Array, Borders]:
        """Fit the coefficients to the map; see :class:`AbstractLinearPrediction`."""
        return self.fit_in_passing(x)[1:]

    def fit_in_passing(self, x: Array) -> tuple[Array, Array, Borders]:
        """Hand ``x`` on with what ``fit`` returns; see :class:`AbstractLinearPrediction`."""
        height, breadth = x.shape[-3:-1]
        vertical = _Neighbourhood(min(self.length, height), fitting_width(self.width, breadth))
        horizontal = _Neighbourhood(min(self.length, breadth), fitting_width(self.width, height))
        across = [canonical((x, y)) for y, x in horizontal.lags]  # lags of the transposed map
        lags = sorted({canonical(lag) for lag in vertical.lags} | set(across))
        equations = (
            vertical.equations([lags.index(canonical(lag)) for lag in vertical.lags]),
            horizontal.equations([lags.index(lag) for lag in across]),
        )

        pixels = height * breadth
        if self.sums == "fft":
            reach = max(max(dy, abs(dx)) for dy, dx in lags)
            transform = (transform_size(height + reach), transform_size(breadth + reach))
            if transform[1] % 2:
                mean, sums = _products_by_fft(x, lags, self.window, transform)
                down, right = _solutions(sums / transform[1] / transform[0], equations, self.ridge)
                return x, mean, self._shared(vertical.shaped(down), horizontal.shaped(right))
            pixels = transform[0] * transform[1]
        x, mean, down, right = _coefficients(x, lags, equations, self.window, 1 / pixels, self.ridge)
        return x, mean, self._shared(vertical.shaped(down), horizontal.shaped(right))

    def _shared(self, down: Array, right: Array) -> Borders:
        return Borders(top=down, bottom=down, left=right, right=right)


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

    def equations(self, lag_positions: list[int]) -> np.ndarray:
        """Say which sum stands where in [matrix, right-hand side], given where each of ``lags`` stands."""
        return np.array(lag_positions)[self._lag_of_entry]

    def shaped(self, solution: Array) -> Array:
        """Turn (*batch, positions, unknowns, channels) into (positions, length, width, *batch, channels)."""
        *batch, _, _, channels = solution.shape
        by_place = solution.reshape(*batch, self.width, self.length, self.width, channels)
        return jnp.moveaxis(by_place, (-4, -3, -2), (0, 1, 2))


def _coefficients(
    x: Array,
    lags: list[Lag],
    equations: tuple[np.ndarray, np.ndarray],
    window: Window,
    scale: float,
    ridge: float,
) -> tuple[Array, Array, Array, Array]:
    """Hand ``x`` on with means (*batch, channels) and solutions (*batch, positions, unknowns, channels)."""

    def reference(x: Array) -> tuple[Array, Array, Array, Array]:
        x, mean, sums = lagged_products_in_passing(x, lags, window)
        return (x, mean, *_solutions(sums * scale, equations, ridge))

    if not native.available(x):
        return reference(x)

    attributes: dict[str, Any] = {
        "lags": native.as_attribute(lags),
        "down_lag": native.as_attribute(equations[0]),
        "right_lag": native.as_attribute(equations[1]),
        "scale": np.float64(scale),
        "ridge": np.float64(ridge),
    }

    def forward(x: Array) -> tuple[Array, ...]:
        batch, channels = x.shape[:-3], x.shape[-1]
        shapes: list[tuple[int, ...]] = [(*batch, channels)]
        shapes += [(*batch, each.shape[1] - len(each), len(each), channels) for each in equations]
        results = [jax.ShapeDtypeStruct(shape, x.dtype) for shape in shapes]
        kernel = native.kernel("prediction_coefficients", results, **attributes)
        return x, *kernel(x, *tapers(x, window))

    def backward(arguments: tuple[Array], slopes: tuple[Array, ...]) -> tuple[Array]:
        (x,), (of_x, *of_results) = arguments, slopes
        name = "prediction_coefficients_gradient"
        kernel = native.kernel(name, native.like(x), in_place=True, **attributes)
        return (kernel(of_x, x, *tapers(x, window), *of_results)[0],)

    return native.differentiable(reference, forward, backward)(x)


def _solutions(r: Array, equations: tuple[np.ndarray, np.ndarray], ridge: float) -> tuple[Array, Array]:
    """Solve both normal equations of the autocorrelations ``r`` (lags, *batch, channels)."""

    def solution(entries: np.ndarray) -> Array:
        gram, right_hand_side = jnp.split(r[entries], [len(entries)], axis=1)
        solved = solve_normal_equations(gram, right_hand_side, ridge=ridge)
        return jnp.moveaxis(solved, (1, 0), (-3, -2))

    return solution(equations[0]), solution(equations[1])


def _products_by_fft(
    x: Array, lags: list[Lag], window: Window, transform: tuple[int, int]
) -> tuple[Array, Array]:
    """The published estimate for an odd transform width."""
    mean = jnp.mean(x, axis=(-3, -2))
    spectrum = jnp.fft.rfft2(centred(x, mean, window), transform, axes=(-3, -2), norm="backward")
    power = jnp.real(spectrum * jnp.conj(spectrum))
    # The published code inverts without naming the size. An odd width then comes back one sample
    # shorter, which bends the estimate a little; kept, for it defines the method's published numbers.
    products = jnp.fft.irfft2(power, axes=(-3, -2), norm="forward")
    dy, dx = np.array(lags).T
    return mean, jnp.moveaxis(products, (-3, -2), (0, 1))[dy, dx] / (transform[0] * transform[1])


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
