"""Paddings against numbers of the published implementation, computed in float64."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.helpers import shared_folder

from spatial_prediction import native
from spatial_prediction.padding import AutocorrelationPrediction, CovariancePrediction, LagrangeExtrapolation

GOLDEN = shared_folder("golden/padding")


def cases():
    if not GOLDEN.exists():
        return []
    with open(GOLDEN / "padding_float64.json") as file:
        content = json.load(file)
    return content if isinstance(content, list) else content["cases"]


def padding_of(case):
    pad_width = tuple(map(tuple, case["num_padding"]))
    kwargs = case["kwargs"]
    if case["method"].startswith("extr"):
        return LagrangeExtrapolation(pad_width, kwargs["num_predictors"])
    length, width, method = kwargs["length"], kwargs["width"], kwargs["correlate_method"]
    if method.startswith("cov"):
        return CovariancePrediction(
            pad_width, length, shared_sides="sym" in method, stabilised="stab" in method
        )
    return AutocorrelationPrediction(pad_width, length, width, kwargs["apodization"], method)


def by_method():
    groups = {}
    for case in cases():
        key = (case["method"], str(case["num_padding"]), case["input"].split("_")[1])
        groups.setdefault(key, []).append(case)
    return groups


GROUPS = by_method()


pytestmark = pytest.mark.usefixtures("quick_compilation")


@pytest.fixture(scope="module")
def arrays():
    with np.load(GOLDEN / "padding_float64.npz") as npz:
        yield npz


def value_and_gradient(padding, x):
    def weighted(x):
        y = padding(x[None])[0]
        return jnp.sum(y * jnp.cos(jnp.arange(y.size, dtype=y.dtype)).reshape(y.shape)), y

    (_, y), gradient = jax.value_and_grad(weighted, has_aux=True)(x)
    return y, gradient


def assert_close(actual, expected, relative):
    scale = np.max(np.abs(expected))
    np.testing.assert_allclose(actual, expected, rtol=0, atol=relative * max(scale, 1e-300))


def gradient_is_rounding_noise(case):
    """A constant minus its mean is rounding noise, and r01 / r11 a quotient of squares of that noise."""
    return case["input"].endswith("constant") and case["method"].startswith("lp1x1_cov")


def float32_tolerance(case):
    """A ten-thousandth, but for inputs that linear prediction fits almost perfectly.

    There the absolute ridge of 1e-7 makes condition numbers of 1e7, the inverse of float32's precision:
    the last bits of the sums show in the fourth digit of a prediction, and the more where predictions feed
    on predictions. In float64 all is well.
    """
    one_pixel = case["num_padding"] == [[1, 1], [1, 1]]
    if case["method"] in ("extr4", "extr5") and not one_pixel:
        return 2e-3  # order 5, five pixels out: weights of 1471 in all, twice that way in corners
    nearly_singular = case["input"].endswith(("smooth", "sine")) and not case["method"].startswith("extr")
    if not nearly_singular:
        return 1e-4
    return (1e-4 if native.available() else 3e-4) if one_pixel else 4e-3


@pytest.mark.golden
@pytest.mark.parametrize("key", GROUPS or [None], ids=lambda key: "-".join(key) if key else "absent")
def test_values_and_gradients_match_the_published_implementation(key, arrays):
    tolerance = 1e-6 if key[0].endswith("fft") else 1e-9
    padding = padding_of(GROUPS[key][0])
    with jax.enable_x64(True):
        compute = jax.jit(
            lambda x: (*value_and_gradient(padding, x), padding(x.astype(jnp.float32)[None])[0])
        )
        for case in GROUPS[key]:
            y, gradient, y_float32 = compute(jnp.asarray(arrays[case["input"]]))
            expected = arrays["y|" + case["case"]]
            assert_close(y, expected, tolerance)
            assert_close(y_float32, expected, float32_tolerance(case))
            if case["gradient"] and not gradient_is_rounding_noise(case):
                assert_close(gradient, arrays["g|" + case["case"]], tolerance)
