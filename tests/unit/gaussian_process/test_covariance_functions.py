"""Kernels against formulas, combinations, names, and errors."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests import dense_gaussian

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.gaussian_process.kernels import (
    RBF,
    SPACE_KERNELS,
    TIME_KERNELS,
    Disabled,
    Matern,
    OnAxes,
    OnSphere,
    Periodic,
    Scaled,
    SoftDisabled,
    SpectralMixture,
    kernel_from_name,
    raw_parameters,
    unconstrained,
    with_raw_parameters,
)

X = np.array([[0.0, 0.0], [1.0, 1.0], [3.0, -2.0]])
Y = np.array([[0.0, 0.0], [0.5, 4.0]])


def check(kernel, wanted):
    found = kernel(X, Y)
    assert isinstance(found, np.ndarray)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, wanted, rtol=1e-13, atol=1e-15)


def test_rbf_and_matern_are_functions_of_euclidean_distance():
    d = dense_gaussian.distances(X, Y) / 2.0
    check(RBF(unconstrained(2.0)), np.exp(-(d**2) / 2))
    check(Matern(unconstrained(2.0), nu=0.5), np.exp(-d))
    check(Matern(unconstrained(2.0), nu=1.5), (1 + np.sqrt(3) * d) * np.exp(-np.sqrt(3) * d))
    check(Matern(unconstrained(2.0)), dense_gaussian.matern(X, Y, 2.0))


def test_a_lengthscale_of_each_coordinate_scales_it():
    lengths = np.array([2.0, 5.0])
    check(Matern(unconstrained(lengths)), dense_gaussian.matern(X / lengths, Y / lengths, 1.0))


@pytest.mark.parametrize("placed", ["plane", "sphere"])
def test_a_point_correlates_with_itself_in_a_program_for_value_and_gradient(placed):
    points = np.pi * np.random.default_rng(0).uniform(0, 28, (60, 2))
    kernel = Matern(unconstrained(np.full(2, 3.7)))
    if placed == "sphere":
        kernel = OnSphere(Matern(unconstrained(np.full(3, 700.0))))

    def trace(kernel, points):
        return jnp.sum(kernel.gram(points, points) * jnp.eye(60))

    with jax.enable_x64(True):
        value, _ = jax.jit(jax.value_and_grad(trace))(kernel, points)
    assert float(value) == pytest.approx(60.0, rel=1e-12)  # was 31.4: 0.524 for each point


def test_periodic_has_the_lengthscale_itself_not_its_square():
    lag = X[:, None] - Y[None]
    wanted = np.exp(-2.0 / 0.5 * np.sum(np.sin(np.pi * lag / 3.0) ** 2, axis=-1))
    check(Periodic(unconstrained(0.5), unconstrained(3.0)), wanted)


def test_spectral_mixture_is_a_product_over_coordinates_of_sums():
    weights = np.array([0.3, 0.9])
    frequencies, scales = np.array([[0.1, 0.2], [0.4, 0.05]]), np.array([[0.02, 0.1], [0.3, 0.01]])
    wanted = np.ones((3, 2))
    for axis in range(2):
        lag = X[:, None, axis] - Y[None, :, axis]
        wanted *= sum(
            w * np.exp(-2 * np.pi**2 * lag**2 * s[axis] ** 2) * np.cos(2 * np.pi * lag * f[axis])
            for w, f, s in zip(weights, frequencies, scales, strict=True)
        )
    check(SpectralMixture(*map(unconstrained, (weights, frequencies, scales))), wanted)


def test_sums_products_variances_and_axes():
    first, second = RBF(unconstrained(1.0)), Matern(unconstrained(3.0))
    check(first + second, first(X, Y) + second(X, Y))
    check(first * second, first(X, Y) * second(X, Y))
    check(Scaled(first, unconstrained(2.5)), 2.5 * first(X, Y))
    check(OnAxes(first, (1,)), first(X[:, 1:], Y[:, 1:]))
    check(Disabled(), np.zeros((3, 2)))


def test_on_a_sphere_distances_are_chords():
    places = np.array([[0.0, 0.0], [0.0, 180.0], [90.0, 77.0], [0.0, -180.0]])
    found = OnSphere(Matern(unconstrained(1000.0), nu=0.5))(places, places[:1])[:, 0]
    chords = 6371.0 * np.array([0.0, 2.0, np.sqrt(2.0), 2.0])
    np.testing.assert_allclose(found, np.exp(-chords / 1000.0), rtol=1e-9)


def test_soft_disabled_is_an_offset_of_each_frame():
    frames = np.arange(3.0)[:, None]
    np.testing.assert_allclose(SoftDisabled()(frames, frames), 1e-5 * np.eye(3), rtol=1e-15)


@pytest.mark.parametrize("name", TIME_KERNELS)
def test_parameters_by_name_come_back_and_start_at_zero(name):
    kernel = kernel_from_name(name, 1)
    raw = raw_parameters(kernel, "time")
    assert all(not np.any(value) for value in raw.values())
    other = {key: value + 0.5 + number for number, (key, value) in enumerate(raw.items())}
    found = raw_parameters(with_raw_parameters(kernel, "time", other), "time")
    assert found.keys() == other.keys()
    assert all(np.array_equal(found[key], other[key]) for key in other)


def test_the_positive_value_of_an_unconstrained_one_is_where_it_began():
    values = np.array([1e-8, 0.3, 5.0, 300.0])
    np.testing.assert_allclose(np.logaddexp(0.0, unconstrained(values)), values, rtol=1e-9)


def test_odd_names_and_parameters_are_refused():
    assert set(SPACE_KERNELS) < set(TIME_KERNELS)
    with pytest.raises(ConfigurationError, match="'cubic' is not known; choose one of rbf"):
        kernel_from_name("cubic", 1)
    with pytest.raises(ConfigurationError, match="no lengthscale for each coordinate"):
        kernel_from_name("periodic", 2, ard=True)
    with pytest.raises(ConfigurationError, match="raw_space_ls is missing"):
        with_raw_parameters(kernel_from_name("rbf", 2), "space", {"raw_space_os": 0.0})
    with pytest.raises(ConfigurationError, match=r"shape \(2,\); it must be \(\)"):
        with_raw_parameters(kernel_from_name("rbf", 2), "space", {"raw_space_os": np.zeros(2)})
    with pytest.raises(ValueError, match=r"nu must be 0\.5, 1\.5 or 2\.5"):
        Matern(nu=2.0)
