"""Linear prediction padding by the autocorrelation method."""

from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from spatial_prediction import native
from spatial_prediction.padding._base import PadWidth, as_pad_width
from spatial_prediction.padding._sides import Sides
from spatial_prediction.padding.linear_prediction.frame import (
    AbstractLinearPrediction,
    check_neighbourhood,
    fitting_width,
)
from spatial_prediction.padding.linear_prediction.lagged_products import (
    Lag,
    Window,
    canonical,
    centred,
    lagged_products_with_map,
    tapers,
)
from spatial_prediction.padding.linear_prediction.normal_equations import (
    guarded_quotient,
    placed_sums,
    solve_normal_equations,
)


class AutocorrelationPrediction(AbstractLinearPrediction):
    """Linear prediction whose coefficients follow from the map's autocorrelation.

    The map is taken as a sample of a stationary process of mean zero: ``r(lag)`` is estimated from the
    windowed map, zero outside, and the coefficients solve the normal equations
    ``R a = r``. By the symmetry ``r(lag) = r(-lag)`` opposite sides share their coefficients. The window
    fades the border out (a Tukey window with 50 % taper on both axes), without it the sudden end of the
    map counts as signal. On a ramp, ``1 2 3 4 5 6 7 8 -> 1.9 1 2 3 4 5 6 7 8 7.1`` for 1x1: values
    are drawn towards the mean, the more so the less the map resembles itself one pixel on.

    Attributes:
        pad_width: ``((top, bottom), (left, right))`` in pixels.
        length: pixels of the neighbourhood along the padding direction.
        width: pixels across it, odd.
        window: ``"tukey"`` or None.
        sums: ``"direct"``, or ``"fft"``: as published for larger neighbourhoods, which takes them by a
            zero-padded Fourier transform. That one divides by the size of the transform instead of the
            map's, which matters against the absolute ridge, and for odd transform widths its estimate is
            distorted; for even ones the direct sums, so divided, are the same and cost less.
        ridge: added to the diagonal, absolute (published: 1e-7).
        ridge_of_variance: take the ridge as a share of the map's variance instead, so that a map's scale
            does not matter.
        over_batch: average the autocorrelations over all leading axes and give all maps the same
            coefficients; each keeps its own mean.
        finite_only: let the window be 0 where a pixel is not finite; see :class:`AbstractLinearPrediction`.

    A map smaller than the neighbourhood shrinks it. Source: arXiv 2502.12300, sec. 2.
    """

    pad_width: PadWidth = eqx.field(static=True, converter=as_pad_width)
    length: int = eqx.field(static=True)
    width: int = eqx.field(static=True)
    window: Window = eqx.field(static=True, default="tukey")
    sums: Literal["direct", "fft"] = eqx.field(static=True, default="direct")
    ridge: float = eqx.field(static=True, default=1e-7)
    ridge_of_variance: bool = eqx.field(static=True, default=False)
    over_batch: bool = eqx.field(static=True, default=False)
    finite_only: bool = eqx.field(static=True, default=False)

    def __check_init__(self) -> None:
        check_neighbourhood(self.length, self.width)
        if self.window not in ("tukey", None):
            raise ValueError(f"window must be 'tukey' or None, got {self.window!r}")
        if self.sums not in ("direct", "fft"):
            raise ValueError(f"sums must be 'direct' or 'fft', got {self.sums!r}")

    @property
    def couples_batch(self) -> bool:
        """Whether a frame depends on which maps form a batch."""
        return self.over_batch

    def fit(self, x: Array) -> tuple[Array, Array, Sides]:
        """Fit the coefficients to the map; see :class:`AbstractLinearPrediction`."""
        height, breadth = x.shape[-3:-1]
        equations = AutocorrelationEquations(self.length, self.width, height, breadth)
        pixels = height * breadth
        corrections = jnp.zeros((*x.shape[:-3], 0, x.shape[-1]), x.dtype)
        if self.sums == "fft":
            reach = max(max(dy, abs(dx)) for dy, dx in equations.lags)
            transform = (transform_size(height + reach), transform_size(breadth + reach))
            pixels = transform[0] * transform[1]
            if transform[1] % 2:
                corrections = _distortion(x, equations.lags, self.window, transform)
        if self.over_batch or self.ridge_of_variance:
            x, mean, sums = lagged_products_with_map(x, equations.lags, self.window)
            return x, mean, self._solved(equations, _corrected(sums, corrections) / pixels)
        x, mean, down, right = _coefficients(x, corrections, equations, self.window, 1 / pixels, self.ridge)
        return x, mean, equations.shaped(down, right)

    def _solved(self, equations: "AutocorrelationEquations", r: Array) -> Sides:
        shape = r.shape
        if self.over_batch:
            r = jnp.mean(r, axis=tuple(range(1, r.ndim - 1)), keepdims=True)
        if self.ridge_of_variance:
            r = guarded_quotient(r, r[equations.lags.index((0, 0))])
        coefficients = equations.shaped(*equations.solutions(r, ridge=self.ridge))
        return Sides(*(jnp.broadcast_to(side, (*side.shape[:3], *shape[1:])) for side in coefficients))


class AutocorrelationEquations:
    """The normal equations of all four sides, for maps of one size."""

    def __init__(self, length: int, width: int, height: int, breadth: int) -> None:
        self._vertical = _Neighbourhood(min(length, height), fitting_width(width, breadth))
        self._horizontal = _Neighbourhood(min(length, breadth), fitting_width(width, height))
        across = [canonical((x, y)) for y, x in self._horizontal.lags]  # lags of the transposed map
        down = [canonical(lag) for lag in self._vertical.lags]
        self.lags: list[Lag] = sorted({*down, *across})
        """The lags whose sums are needed."""
        self.entries = (
            self._vertical.equations([self.lags.index(lag) for lag in down]),
            self._horizontal.equations([self.lags.index(lag) for lag in across]),
        )
        """Which lag stands where in [matrix, right-hand side], for prediction downwards and to the right."""

    def solutions(self, r: Array, *, ridge: float) -> tuple[Array, Array]:
        """Solve for the autocorrelations ``r`` (lags, *batch, channels), downwards and to the right.

        Returns:
            Shape (*batch, positions, unknowns, channels).
        """
        if self.entries[0].shape == self.entries[1].shape:
            down, right = self._solution(np.stack(self.entries, axis=-1), r, ridge)
            return down, right
        down, right = (self._solution(each[..., None], r, ridge)[0] for each in self.entries)
        return down, right

    def _solution(self, entries: np.ndarray, r: Array, ridge: float) -> Array:
        """Solve systems at once, given ``entries`` (unknowns, unknowns + positions, systems) of them."""
        gram, right_hand_side = jnp.split(placed_sums(r, entries), [len(entries)], axis=1)
        return jnp.moveaxis(
            solve_normal_equations(gram, right_hand_side, ridge=ridge), (2, 1, 0), (0, -3, -2)
        )

    def shaped(self, down: Array, right: Array) -> Sides:
        """Shape solutions as coefficients of the four sides, (positions, length, width, *batch, channels)."""
        down, right = self._vertical.shaped(down), self._horizontal.shaped(right)
        return Sides(top=down, bottom=down, left=right, right=right)


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
    corrections: Array,
    equations: AutocorrelationEquations,
    window: Window,
    scale: float,
    ridge: float,
) -> tuple[Array, Array, Array, Array]:
    """Return ``x`` with means (*batch, channels) and solutions (*batch, positions, unknowns, channels).

    ``corrections``, (*batch, lags, channels) or for none (*batch, 0, channels), are added to the sums.
    Kernels add and solve in double precision.
    """

    def reference(x: Array, corrections: Array) -> tuple[Array, Array, Array, Array]:
        x, mean, sums = lagged_products_with_map(x, equations.lags, window)
        return (x, mean, *equations.solutions(_corrected(sums, corrections) * scale, ridge=ridge))

    if not native.available(x):
        return reference(x, corrections)  # its parts have compact derivatives of their own

    attributes: dict[str, Any] = {
        "lags": native.as_attribute(equations.lags),
        "down_lag": native.as_attribute(equations.entries[0]),
        "right_lag": native.as_attribute(equations.entries[1]),
        "scale": np.float64(scale),
        "ridge": np.float64(ridge),
    }

    def forward(x: Array, corrections: Array) -> tuple[Array, ...]:
        batch, channels = x.shape[:-3], x.shape[-1]
        shapes: list[tuple[int, ...]] = [(*batch, channels)]
        shapes += [(*batch, each.shape[1] - len(each), len(each), channels) for each in equations.entries]
        results = [jax.ShapeDtypeStruct(shape, x.dtype) for shape in shapes]
        kernel = native.kernel("prediction_coefficients", results, **attributes)
        return x, *kernel(x, corrections, *tapers(x, window))

    def backward(arguments: tuple[Array, Array], cotangents: tuple[Array, ...]) -> tuple[Array, ...]:
        of_x, *of_results = cotangents
        name = "prediction_coefficients_gradient"
        kernel = native.kernel(name, native.like(*arguments), in_place=True, **attributes)
        return tuple(kernel(of_x, *arguments, *tapers(x, window), *of_results))

    batch = x.ndim - 3
    axes = native.BatchAxes((batch, batch), (batch,) * 4)
    return native.differentiable(reference, forward, backward, batch=axes)(x, corrections)


def _corrected(sums: Array, corrections: Array) -> Array:
    """Add ``corrections`` (*batch, lags or 0, channels) to ``sums`` (lags, *batch, channels)."""
    return sums + jnp.moveaxis(corrections, -2, 0) if corrections.shape[-2] else sums


def _distortion(x: Array, lags: list[Lag], window: Window, transform: tuple[int, int]) -> Array:
    """What the published sums for an odd transform width have over the direct ones: (*batch, lags, channels).

    The published code inverts without naming the size. An odd width then comes back one sample shorter,
    which distorts the estimate a little; kept, because the method's published numbers depend on it. Only
    the difference is taken of the spectrum: on a smooth map the lowest frequencies have nearly all the
    power and hardly differ, and where the equations are nearly singular the last bits of a sum matter.
    """
    height, breadth = transform
    z = centred(x, jnp.mean(x, axis=(-3, -2)), window)
    rows = jnp.moveaxis(z, -1, -3)  # in the order that transforms work in
    spectrum = jnp.fft.rfft2(rows, transform)
    power = jnp.real(spectrum * jnp.conj(spectrum))

    def waves(size: int, frequencies: int, lags: np.ndarray) -> np.ndarray:
        return np.exp(2j * np.pi / size * np.outer(np.arange(frequencies), lags))

    (dy, of_row), (dx, of_column) = (np.unique(each, return_inverse=True) for each in zip(*lags, strict=True))
    frequencies = breadth // 2 + 1
    twice = np.full((frequencies, 1), 2.0)
    twice[0] = 1
    twice_but_last = twice.copy()
    twice_but_last[-1] = 1
    down = waves(height, height, dy) / height
    across = (
        twice_but_last * waves(breadth - 1, frequencies, dx) - twice * waves(breadth, frequencies, dx)
    ) / breadth

    def back(down: np.ndarray, across: np.ndarray) -> Array:
        weights = (jnp.asarray(each, x.dtype) for each in (down, across))
        return jnp.einsum("...cyk,yl,km->...lmc", power, *weights, precision="highest")

    distortion = back(down.real, across.real) - back(down.imag, across.imag)
    return distortion[..., of_row, of_column, :]


def transform_size(size: int) -> int:
    """Return the smallest number not below ``size`` whose prime factors are 2, 3, 5 and 7.

    Raises:
        ValueError: ``size`` is symbolic.
    """
    if not isinstance(size, int):  # the search would never end
        raise ValueError(f"a Fourier transform of {size} pixels: for maps of any size none is known")

    def remainder(n: int) -> int:
        for prime in (2, 3, 5, 7):
            while n % prime == 0:
                n //= prime
        return n

    while remainder(size) != 1:
        size += 1
    return size
