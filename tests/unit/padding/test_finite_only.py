"""Linear prediction fitted to finite pixels only: what is not finite counts for nothing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.arrays import assert_close

from spatial_prediction.convolution import convolve
from spatial_prediction.padding import pad, padding_from_name
from spatial_prediction.padding.linear_prediction.lagged_products import tukey_window

pytestmark = pytest.mark.usefixtures("quick_compilation")

FITTED = [
    "lp1x1",
    "lp2x1",
    "lp2x3",
    "lp1x1cs",
    "lp2x1cs",
    "lp1x1c",
    "lp2x1c",
    "lp1x3c",
    "lp2x3_band6",
    "lp2x3_decay4",
]
GAPS = [(0, 0), (3, 4), (3, 5), (7, 2), (8, 9), (5, 0)]


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


def image(seed=0, shape=(9, 10)):
    rng = np.random.default_rng(seed)
    return rng.normal(size=shape).cumsum(0).cumsum(1) + 5


def padded(name, pad_width, x, *, finite_only=True):
    """Maps (channels, height, width) padded in one program, which compiles sooner than one for each step."""
    padding = padding_from_name(name, pad_width, finite_only=finite_only)
    return jax.jit(padding.__call__)(jnp.asarray(x))


def with_gaps(values, gap=np.nan):
    values = values.copy()
    for place in GAPS:
        values[place] = gap
    return values


def known_mean(x):
    return x[np.isfinite(x)].mean()


def by_autocorrelation(x, length, width, ridge=1e-7):
    """Coefficients (positions, length width) for prediction downwards, by sums over finite pairs."""
    taper = tukey_window(x.shape[0])[:, None] * tukey_window(x.shape[1])
    z = np.where(np.isfinite(x), (x - known_mean(x)) * taper, np.nan)

    def sum_at(dy, dx):
        total = 0.0
        for y, row in enumerate(z):
            for column, value in enumerate(row):
                if 0 <= y + dy < z.shape[0] and 0 <= column + dx < z.shape[1]:
                    product = value * z[y + dy, column + dx]
                    total += product if np.isfinite(product) else 0
        return total / x.size

    known = [(y, c) for y in range(length) for c in range(width)]
    gram = np.array([[sum_at(b[0] - a[0], b[1] - a[1]) for b in known] for a in known])
    coefficients = []
    for position in range(width):
        side = np.array([sum_at(length - y, position - c) for y, c in known])
        coefficients.append(np.linalg.solve(gram + ridge * np.eye(len(known)), side))
    return np.array(coefficients)


def by_least_squares(x, length, width, *, band=None, decay=None, ridge=0.0):
    """The same by least squares over the complete rectangles that are finite throughout."""
    z = x - known_mean(x)
    first = 0 if band is None else max(0, len(z) - band)
    rows, targets, weights = [], [], []
    for y in range(first, len(z) - length):
        for c in range(z.shape[1] - width + 1):
            rectangle = z[y : y + length + 1, c : c + width]
            if np.isfinite(rectangle).all():
                rows.append(rectangle[:-1].ravel())
                targets.append(rectangle[-1])
                weights.append(1 if decay is None else np.exp(-(len(z) - 1 - length - y) / decay))
    rows, targets, weights = np.array(rows), np.array(targets), np.array(weights)
    gram = rows.T @ (weights[:, None] * rows)
    gram += ridge * np.trace(gram) / len(gram) * np.eye(len(gram))
    return np.linalg.solve(gram, rows.T @ (weights[:, None] * targets)).T


def stable(coefficients):
    """Reflect growing poles of a first or second order recursion, by its roots."""
    (values,) = coefficients
    poles = np.roots([1, *-values[::-1]]).astype(complex)
    poles = np.array([1 / p.conjugate() if abs(p) > 1 else p for p in poles])
    return -np.poly(poles)[:0:-1].real[None]


def coefficients_of(name, x):
    size, _, option = name.removeprefix("lp").partition("_")
    length, width = int(size[0]), int(size[2])
    if option:
        value = int(option.removeprefix("band").removeprefix("decay"))
        return by_least_squares(x, length, width, ridge=1e-6, **{option.rstrip("0123456789"): value})
    if size.endswith("cs"):
        return stable(by_least_squares(x, length, width))
    if size.endswith("c"):
        return by_least_squares(x, length, width, ridge=0 if width == 1 else 1e-6)
    return by_autocorrelation(x, length, width)


def row_below(name, x):
    """The row predicted below ``x``, pixel by pixel."""
    coefficients = coefficients_of(name, x)
    width = len(coefficients)
    length = coefficients.shape[1] // width
    z = np.where(np.isfinite(x), x - known_mean(x), 0)
    row = []
    for place in range(x.shape[1]):
        first = min(max(place - width // 2, 0), x.shape[1] - width)
        seen = z[-length:, first : first + width].ravel()
        row.append(coefficients[place - first] @ seen + known_mean(x))
    return np.array(row)


@pytest.mark.parametrize("name", FITTED)
def test_it_predicts_what_sums_over_finite_pixels_give(name):
    x = with_gaps(image())
    vertical = padded(name, ((1, 1), (0, 0)), x[None])[0]
    horizontal = padded(name, ((0, 0), (1, 1)), x[None])[0]
    found = [vertical[-1], vertical[0], horizontal[:, -1], horizontal[:, 0]]
    views = [x, x[::-1, ::-1], x.T, x.T[::-1, ::-1]]
    for side, (strip, view) in enumerate(zip(found, views, strict=True)):
        expected = row_below(name, view)
        np.testing.assert_allclose(
            strip, expected[::-1] if side % 2 else expected, rtol=1e-6, err_msg=str(side)
        )


@pytest.mark.parametrize("name", FITTED)
def test_without_gaps_it_is_the_same_padding(name):
    x = np.stack([image(seed) for seed in range(3)])
    assert_close(padded(name, 2, x), padded(name, 2, x, finite_only=False), 1e-6)


@pytest.mark.parametrize("name", [*FITTED, "lp2x3_batch", "lp4x5"])
def test_what_stands_in_the_gaps_does_not_matter_and_the_interior_is_untouched(name):
    extended = np.asarray(
        padded(name, 2, np.stack([with_gaps(image(), gap) for gap in (np.nan, np.inf, -np.inf)]))
    )
    frames = [np.where(np.pad(np.zeros((9, 10)), 2, constant_values=1), each, 0) for each in extended]
    assert np.isfinite(frames[0]).all()
    np.testing.assert_array_equal(frames[0], frames[1])
    np.testing.assert_array_equal(frames[0], frames[2])
    np.testing.assert_array_equal(extended[0][2:-2, 2:-2], with_gaps(image()))


@pytest.mark.parametrize("name", FITTED)
def test_the_gradient_is_finite_and_none_reaches_the_gaps(name):
    padding = padding_from_name(name, 1, finite_only=True)
    x = jnp.asarray(with_gaps(image())[..., None])
    weights = jnp.asarray(image(1, (9 * 4, 10 * 4)))

    def loss(x):
        return sum(
            jnp.sum(strip * weights[: strip.shape[0], : strip.shape[1], None]) for strip in padding.frame(x)
        )

    loss = jax.jit(loss)
    gradient = jax.jit(jax.grad(loss))(x)
    assert np.isfinite(gradient).all()
    assert all(gradient[place] == 0 for place in GAPS)
    direction = jnp.where(jnp.isfinite(x), jnp.asarray(image(2))[..., None], 0)
    step = 1e-6
    difference = (loss(x + step * direction) - loss(x - step * direction)) / (2 * step)
    np.testing.assert_allclose(jnp.vdot(gradient, direction), difference, rtol=1e-5)


def test_one_nan_makes_the_frame_of_its_channel_nan_unless_finite_only():
    x = np.stack([image(0), image(1)])
    x[0, 4, 4] = np.nan
    frame = np.asarray(padded("lp2x3", 1, x, finite_only=False))
    assert np.isnan(frame[0]).sum() == 1 + 4 + 2 * (9 + 10)
    assert np.isfinite(frame[1]).all()
    kept = np.asarray(padded("lp2x3", 1, x))
    assert np.isnan(kept[0]).sum() == 1
    np.testing.assert_allclose(kept[1], frame[1], rtol=1e-7)


@pytest.mark.parametrize("name", ["lp2x3", "lp1x1cs", "lp2x3_band6"])
def test_a_channel_without_a_finite_pixel_is_framed_by_nan_alone(name):
    x = jnp.asarray(np.stack([image(), np.full((9, 10), np.nan)]))
    found = padded(name, 1, x)
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1]).all()
    gradient = jax.jit(jax.grad(lambda x: jnp.sum(padded(name, 1, x)[0])))(x)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("name", ["zero", "repl", "extr2", "rand", "auto", "lp2x3_across"])
def test_other_paddings_say_that_they_cannot(name):
    with pytest.raises(ValueError, match=f"{name!r} cannot be fitted to finite pixels only"):
        padding_from_name(name, 1, finite_only=True)


@pytest.mark.parametrize(("finite_only", "lost"), [(False, 340), (True, 36)])
def test_what_one_nan_costs_a_layer(finite_only, lost):
    x = jnp.asarray(image(shape=(20, 20))[..., None]).at[9, 7, 0].set(jnp.nan)
    padding = padding_from_name("lp2x3", 1, finite_only=finite_only)
    y = jax.jit(lambda x: convolve(x, jnp.ones((3, 3, 1, 4)), padding=padding))(x)
    assert np.isnan(y).sum() == lost


def test_numpy_images_with_gaps():
    x = with_gaps(image())
    assert np.isnan(pad(x, 1, "lp2x3", finite_only=True)).sum() == len(GAPS)
    assert np.isnan(pad(x, 1, "lp2x3")).sum() == len(GAPS) + 4 + 2 * (9 + 10)
