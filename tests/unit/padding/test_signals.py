"""A signal is a map of one row: the methods then are those of one dimension."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import lstsq, solve_toeplitz

from spatial_prediction.padding import PADDING_NAMES, padding_from_name


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


def oscillation(count):
    rng = np.random.default_rng(0)
    z = np.zeros(count)
    for n in range(2, count):
        z[n] = 1.2 * z[n - 1] - 0.6 * z[n - 2] + rng.normal()
    return z + 5


def continued(z, coefficients, steps):
    """Continue with ``coefficients``, the nearest pixel's first."""
    z = list(z)
    for _ in range(steps):
        z.append(np.dot(coefficients, z[: -len(coefficients) - 1 : -1]))
    return z


def padded(name, signal, steps):
    return padding_from_name(name, ((0, 0), (0, steps))).extend(jnp.asarray(signal)[None, :, None])[0, :, 0]


@pytest.mark.parametrize("length", [1, 2])  # longer ones take sums as published, by a bent transform
def test_the_autocorrelation_method_solves_the_equations_of_yule_and_walker(length):
    signal = oscillation(100)
    z = signal - signal.mean()
    position = np.arange(1, 101) / 101
    taper = np.sin(np.pi * np.minimum(0.5, 2 * np.minimum(position, 1 - position))) ** 2
    seen = z * taper
    r = np.array([seen[: 100 - lag] @ seen[lag:] for lag in range(length + 1)]) / 100
    ridge = np.eye(1, length)[0] * 1e-7
    expected = continued(z, solve_toeplitz(r[:-1] + ridge, r[1:]), 4)
    found = padded(f"lp{length}x3", signal, 4)
    np.testing.assert_allclose(found, np.array(expected) + signal.mean(), rtol=1e-9)


@pytest.mark.parametrize("length", [1, 2, 3])
def test_the_covariance_method_is_the_regression_on_the_pixels_before(length):
    signal = oscillation(60)
    z = signal - signal.mean()
    before = np.stack([z[length - 1 - k : 59 - k] for k in range(length)], axis=1)
    expected = continued(z, lstsq(before, z[length:])[0], 2)
    found = padded(f"lp{length}x1c", signal, 2)
    np.testing.assert_allclose(found, np.array(expected) + signal.mean(), rtol=1e-5)  # a ridge


@pytest.mark.parametrize("name", [name for name in PADDING_NAMES if name not in ("zero", "rand")])
def test_a_constant_signal_stays_constant(name):
    np.testing.assert_allclose(padded(name, np.full(30, 7.0), 3), 7.0, rtol=1e-6)
