"""Linear prediction against the paper's definition, spelled out pixel by pixel in NumPy."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.signal.windows import tukey

from spatial_prediction.padding import AutocorrelationPrediction, CovariancePrediction, padding_from_name
from spatial_prediction.padding._autocorrelation import transform_size
from spatial_prediction.padding._covariance import stabilised_first_order, stabilised_second_order
from spatial_prediction.padding.contrib import LeastSquaresPrediction
from spatial_prediction.padding.linear_prediction.lagged_products import tukey_window

ONE_PIXEL = ((1, 1), (1, 1))
UNEQUAL = ((2, 0), (1, 3))


pytestmark = pytest.mark.usefixtures("quick_compilation")


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


def smooth_map(seed, shape):
    """Noise, blurred along both axes, on a mean far from zero."""
    x = np.random.default_rng(seed).normal(size=(shape[0] + 2, shape[1] + 2))
    x = x[:-2] + x[1:-1] + 0.5 * x[2:]
    return x[:, :-2] + 0.7 * x[:, 1:-1] + 0.2 * x[:, 2:] + 3


# The definition. Each method is a function fit(z, offsets, target): the weights with which pixels at
# `offsets` predict the one at `target`, all (row, column), for a map `z` without mean that is to be continued
# downwards.


def by_autocorrelation(*, window=True, divisor=None):
    def autocorrelation(z, dy, dx):
        height, width = z.shape
        total = 0.0
        for y in range(height):
            for x in range(width):
                if 0 <= y + dy < height and 0 <= x + dx < width:
                    total += z[y, x] * z[y + dy, x + dx]
        return total / (divisor or height * width)

    def fit(z, offsets, target):
        if window:
            height, width = z.shape
            z = z * tukey(height + 2, 0.5)[1:-1, None] * tukey(width + 2, 0.5)[1:-1]
        gram = [[autocorrelation(z, a - c, b - d) for c, d in offsets] for a, b in offsets]
        right_hand_side = [autocorrelation(z, target[0] - a, target[1] - b) for a, b in offsets]
        return np.linalg.solve(gram + 1e-7 * np.eye(len(offsets)), right_hand_side)

    return fit


def neighbourhoods(z, offsets, target):
    """Every place where the predicted pixel and all its predictors lie in the map: matrix and target."""
    known, wanted = [], []
    for y in range(z.shape[0] - target[0]):
        for x in range(z.shape[1] - max(b for _, b in offsets)):
            known.append([z[y + a, x + b] for a, b in offsets])
            wanted.append(z[y + target[0], x + target[1]])
    return np.array(known), np.array(wanted)


def by_least_squares(z, offsets, target):
    return np.linalg.lstsq(*neighbourhoods(z, offsets, target))[0]


def by_least_squares_of_both_sides(z, offsets, target):
    sides = [neighbourhoods(side, offsets, target) for side in (z, z[::-1])]
    return np.linalg.lstsq(*(np.concatenate(parts) for parts in zip(*sides, strict=True)))[0]


def with_poles_inside(fit):
    def stable_fit(z, offsets, target):
        poles = np.roots([1, *-fit(z, offsets, target)[::-1]])
        poles = [1 / np.conj(pole) if abs(pole) > 1 else pole for pole in poles]
        return -np.poly(poles).real[:0:-1]

    return stable_fit


def continued_downwards(rows, z, steps, length, width, fit):
    rows = rows.copy()
    columns = rows.shape[1]
    for _ in range(steps):
        row = []
        for x in range(columns):
            first = min(max(x - width // 2, 0), columns - width)  # shifted inwards at the corners
            offsets = [(a, b) for a in range(length) for b in range(width)]
            weights = fit(z, offsets, (length, x - first))
            row.append(
                sum(w * rows[a - length, first + b] for w, (a, b) in zip(weights, offsets, strict=True))
            )
        rows = np.concatenate([rows, [row]])
    return rows


def padded_by_definition(x, pad_width, length, width, fit):
    (top, bottom), (left, right) = pad_width
    mean = x.mean()
    y = z = x - mean
    y = continued_downwards(y.T, z.T, right, length, width, fit).T
    y = continued_downwards(y.T[::-1], z.T[::-1], left, length, width, fit)[::-1].T
    y = continued_downwards(y, z, bottom, length, width, fit)
    y = continued_downwards(y[::-1], z[::-1], top, length, width, fit)[::-1]
    return y + mean


CASES = {
    "lp1x1": (1, 1, by_autocorrelation()),
    "lp1x3": (1, 3, by_autocorrelation()),
    "lp2x1": (2, 1, by_autocorrelation()),
    "lp2x3": (2, 3, by_autocorrelation()),
    "lp3x3": (3, 3, by_autocorrelation(divisor=10 * 12)),  # its sums are divided by the transform's size
    "lp1x1cs": (1, 1, with_poles_inside(by_least_squares)),
    "lp2x1cs": (2, 1, with_poles_inside(by_least_squares)),
}
VARIANTS = {
    "3x3 direct": (3, 3, by_autocorrelation(), {}),
    "2x1 without window": (2, 1, by_autocorrelation(window=False), {"window": None}),
    "covariance 1x1": (1, 1, by_least_squares, {"stabilised": False}),
    "covariance 2x1": (2, 1, by_least_squares, {"stabilised": False}),
    "least squares 3x1": (3, 1, by_least_squares, {"ridge": 0.0}),
    "least squares 2x3": (2, 3, by_least_squares, {"ridge": 0.0}),
    "covariance 2x1 shared": (
        2, 1, by_least_squares_of_both_sides, {"stabilised": False, "shared_sides": True}
    ),
}  # fmt: skip


def assert_padded_as_defined(padding, x, fit, length=None, width=None):
    length, width = length or padding.length, width or padding.width
    expected = padded_by_definition(x, padding.pad_width, length, width, fit)
    actual = jax.jit(padding.__call__)(jnp.asarray(x)[None])[0]
    # Normal equations of a condition number below 1e5, in float64.
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-9 * np.abs(expected).max())


@pytest.mark.parametrize("pad_width", [ONE_PIXEL, UNEQUAL], ids=str)
@pytest.mark.parametrize("name", CASES)
def test_named_paddings_follow_the_definition(name, pad_width):
    length, width, fit = CASES[name]
    padding = padding_from_name(name, pad_width)
    assert (padding.length, padding.width) == (length, width)
    assert_padded_as_defined(padding, smooth_map(0, (7, 9)), fit)


@pytest.mark.parametrize("name", VARIANTS)
def test_variants_follow_the_definition(name):
    length, width, fit, options = VARIANTS[name]
    if name.startswith("covariance"):
        padding = CovariancePrediction(UNEQUAL, length, **options)
    else:
        method = LeastSquaresPrediction if name.startswith("least squares") else AutocorrelationPrediction
        padding = method(UNEQUAL, length, width, **options)
    assert_padded_as_defined(padding, smooth_map(1, (5, 6)), fit)


def test_a_map_smaller_than_the_neighbourhood_shrinks_it():
    x = smooth_map(2, (2, 4))
    # Of two rows only one odd number lies across the horizontal direction; a 2x1 fit needs three rows.
    horizontal = AutocorrelationPrediction(((0, 0), (1, 1)), 3, 5)
    assert_padded_as_defined(horizontal, x, by_autocorrelation(), width=1)
    vertical = CovariancePrediction(((2, 1), (0, 0)), 2, stabilised=False)
    assert_padded_as_defined(vertical, x, by_least_squares, length=1)


def test_the_window_is_a_tukey_window_whose_zeros_lie_outside_the_map():
    for size in (1, 2, 5, 12, 33):
        np.testing.assert_allclose(tukey_window(size), tukey(size + 2, 0.5)[1:-1], rtol=1e-12)
        assert (tukey_window(size) > 0).all()


def test_transform_sizes_have_small_prime_factors():
    assert [transform_size(n) for n in (1, 10, 11, 13, 17, 22, 121, 211)] == [1, 10, 12, 14, 18, 24, 125, 216]


# Gradients


def process(pole_1, pole_2, phase):
    """A 8x4 map whose columns satisfy z[n] = (p1 + p2) z[n-1] - p1 p2 z[n-2] exactly and have mean zero."""
    n = np.arange(8)[:, None]
    columns = np.real(np.exp(1j * phase) * pole_1**n + np.exp(-1j * phase) * pole_2**n)
    z = np.concatenate([columns, -columns], axis=1) * [1, 0.7, 1, 0.7]
    return z + np.random.default_rng(0).normal(size=(8, 1)) * 1e-3 * [1, -1, 1, -1]


PHASES = np.array([0.3, 1.4])
PROCESSES = {
    "complex outside": (1.2 * np.exp(1j), 1.2 * np.exp(-1j)),
    "complex inside": (0.8 * np.exp(0.7j), 0.8 * np.exp(-0.7j)),
    "real outside": (-1.3, 0.5),
    "both real outside": (-1.3, 1.1),
}


def coefficients_downwards(z, **settings):
    x = jnp.asarray(z)[..., None]
    _, _, coefficients = CovariancePrediction(ONE_PIXEL, 2, **settings).fit(x)
    return coefficients.bottom


def poles_downwards(z):
    a2, a1 = np.asarray(coefficients_downwards(z, stabilised=False))[0, :, 0, 0]
    return np.roots([1, -a1, -a2])


@functools.cache
def loss_and_gradient(padding):
    def loss(x):
        y = padding(x[None])
        return jnp.sum(y * jnp.cos(jnp.arange(y.size, dtype=y.dtype)).reshape(y.shape))

    return jax.jit(jax.value_and_grad(loss))


def assert_gradient_is_that_of_central_differences(padding, x):
    def loss(x):
        return loss_and_gradient(padding)(jnp.asarray(x))[0]

    gradient = loss_and_gradient(padding)(jnp.asarray(x))[1]
    step = 1e-5
    differences = np.zeros_like(x)
    for pixel in np.ndindex(*x.shape):
        change = np.zeros_like(x)
        change[pixel] = step
        differences[pixel] = (loss(x + change) - loss(x - change)) / (2 * step)
    # Truncation and cancellation both weigh about step^2 = eps / step = 1e-10 here, times the curvature.
    np.testing.assert_allclose(gradient, differences, rtol=0, atol=1e-6 * np.abs(differences).max())


@pytest.mark.parametrize("name", PROCESSES)
def test_gradient_through_the_stabiliser_is_that_of_central_differences(name):
    z = process(*PROCESSES[name], PHASES)
    poles = poles_downwards(z)
    assert np.isreal(poles).all() == ("real" in name)
    outside = {"complex outside": 2, "complex inside": 0, "real outside": 1, "both real outside": 2}[name]
    assert (np.abs(poles) > 1.01).sum() == outside
    assert (np.abs(poles) < 0.99).sum() == 2 - outside
    assert_gradient_is_that_of_central_differences(CovariancePrediction(((2, 2), (0, 0)), 2), z)


def test_coefficients_carry_gradient_when_the_poles_are_complex():
    z = process(*PROCESSES["complex outside"], PHASES)
    side = jax.jit(jax.jacobian(lambda z: coefficients_downwards(z).ravel()))(jnp.asarray(z))
    assert (np.abs(side).max(axis=(1, 2)) > 0.01).all()


@pytest.mark.parametrize("name", ["lp1x3", "lp3x3", "lp1x1cs", "lp2x1cs"])
def test_gradient_is_that_of_central_differences(name):
    assert_gradient_is_that_of_central_differences(padding_from_name(name, UNEQUAL), smooth_map(4, (5, 6)))


# Stabilisers


def grid_of_second_order_predictors():
    a1, a2 = np.meshgrid(np.linspace(-4, 4, 33), np.linspace(-4, 4, 33))  # quarters: double poles, a2 = -1, 0
    return a1.ravel(), a2.ravel()


def roots(a1, a2):
    return np.array([np.roots([1, -b1, -b2]) for b1, b2 in zip(a1, a2, strict=True)])


def prediction_error_spectrum(a1, a2):
    w = 0.1 + np.linspace(0, np.pi, 23)  # a pole on the circle would be a zero here: not at these frequencies
    return np.abs(1 - a1[:, None] * np.exp(-1j * w) - a2[:, None] * np.exp(-2j * w)) ** 2


def test_stabilised_poles_lie_in_the_closed_unit_disc():
    stable = stabilised_second_order(*map(jnp.asarray, grid_of_second_order_predictors()))
    # A double root is only good to the square root of eps.
    assert (np.abs(roots(*map(np.asarray, stable))) <= 1 + 1e-7).all()


def test_stabilising_keeps_the_shape_of_the_power_spectrum():
    before = grid_of_second_order_predictors()
    after = map(np.asarray, stabilised_second_order(*map(jnp.asarray, before)))
    ratio = prediction_error_spectrum(*before) / prediction_error_spectrum(*after)
    np.testing.assert_allclose(ratio, np.repeat(ratio[:, :1], ratio.shape[1], axis=1), rtol=1e-9)


def test_stable_predictors_are_left_alone():
    a1, a2 = grid_of_second_order_predictors()
    stable = (np.abs(roots(a1, a2)) <= 1).all(axis=1)
    assert 30 < stable.sum() < 200  # the triangle |a1| <= 1 - a2, a2 >= -1 has area 4 of 64
    for after, before in zip(
        stabilised_second_order(jnp.asarray(a1), jnp.asarray(a2)), (a1, a2), strict=True
    ):
        np.testing.assert_allclose(after[stable], before[stable], rtol=1e-14, atol=1e-15)


def test_a_single_pole_outside_is_reflected():
    a1 = jnp.array([-4.0, -1.0, -0.5, 0.0, 1.0, 2.0])
    np.testing.assert_array_equal(stabilised_first_order(a1), [-0.25, -1, -0.5, 0, 1, 0.5])


def test_stabilisers_have_finite_gradients_at_their_seams():
    a1, a2 = map(jnp.asarray, grid_of_second_order_predictors())
    gradients = jax.grad(lambda a1, a2: sum(map(jnp.sum, stabilised_second_order(a1, a2))), (0, 1))(a1, a2)
    assert np.isfinite(gradients).all()
    assert np.isfinite(jax.grad(lambda a1: stabilised_first_order(a1).sum())(a1)).all()
