"""Compiled kernels compute what XLA computes, and their absence changes nothing but the time."""

import ctypes
import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.arrays import assert_close

from spatial_prediction import native
from spatial_prediction.padding import AutocorrelationPrediction, CovariancePrediction, padding_from_name
from spatial_prediction.padding.linear_prediction.lagged_products import lagged_products
from spatial_prediction.padding.linear_prediction.normal_equations import solve_normal_equations

pytestmark = [
    pytest.mark.usefixtures("quick_compilation"),
    pytest.mark.skipif(
        not native.available(), reason="kernels are not compiled (python -m spatial_prediction.native)"
    ),
]

LAGS = [(0, 0), (0, 2), (1, -3), (1, 0), (2, 1), (4, -4)]
SHAPES = [(1, 1, 1), (3, 2, 5), (7, 9, 3), (2, 3, 6, 5, 24), (48, 48, 17)]


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


def by_xla(monkeypatch, compute):
    monkeypatch.setenv(native.DISABLING_VARIABLE, "0")
    assert not native.available()
    result = compute()
    monkeypatch.delenv(native.DISABLING_VARIABLE)
    assert native.available()
    return result


def example(shape, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    return jnp.asarray(rng.normal(size=shape).cumsum(-2) + 10, dtype)


def weighted(function):
    """A scalar that all results of a function of one array contribute to unequally."""

    def total(x):
        leaves = jax.tree.leaves(function(x))
        return sum(
            jnp.sum(leaf * jnp.cos(jnp.arange(leaf.size, dtype=leaf.dtype)).reshape(leaf.shape))
            for leaf in leaves
        )

    return total


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("window", ["tukey", None])
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 2e-5)])
def test_lagged_products_and_their_gradient(shape, window, dtype, tolerance, monkeypatch):
    x = example(shape, dtype)

    def compute():
        products = lambda x: lagged_products(x, LAGS, window)  # noqa: E731
        return jax.jit(lambda x: (products(x), jax.grad(weighted(products))(x)))(x)

    assert_close(compute(), by_xla(monkeypatch, compute), tolerance)


PADDINGS = [
    AutocorrelationPrediction(((1, 1), (1, 1)), 2, 3),
    AutocorrelationPrediction(((2, 0), (1, 3)), 3, 5, window=None),
    AutocorrelationPrediction(((1, 1), (1, 1)), 1, 1),
    AutocorrelationPrediction(((1, 1), (1, 1)), 3, 3, ridge=1e-2),
    CovariancePrediction(((1, 1), (1, 1)), 1),
    CovariancePrediction(((2, 1), (0, 1)), 2, shared_sides=True),
]


@pytest.mark.parametrize("padding", PADDINGS, ids=lambda p: f"{type(p).__name__}-{p.length}x{p.width}")
@pytest.mark.parametrize("shape", [(2, 9, 8, 3), (1, 6, 7, 16), (3, 4, 20), (2, 1, 6, 5)], ids=str)
def test_frames_and_their_gradients(padding, shape, monkeypatch):
    x = example(shape)

    def compute():
        return jax.jit(lambda x: (padding.frame(x), jax.grad(weighted(padding.frame))(x)))(x)

    assert_close(compute(), by_xla(monkeypatch, compute), 1e-8)


@pytest.mark.parametrize("name", ["lp2x3", "lp1x1cs"])
def test_second_derivatives(name, monkeypatch):
    padding = padding_from_name(name, 1)
    x, direction = example((6, 5, 2)), example((6, 5, 2), seed=1)

    def compute():
        cotangent = lambda x: jnp.vdot(jax.grad(weighted(padding.frame))(x), direction)  # noqa: E731
        return jax.jit(jax.grad(cotangent))(x)

    assert_close(compute(), by_xla(monkeypatch, compute), 1e-7)


@pytest.mark.parametrize("name", ["lp2x3", "lp1x1cs"])
def test_a_mapped_axis_is_one_more_batch_axis(name):
    padding = padding_from_name(name, 1)
    x = example((3, 2, 7, 6, 4))
    gradient = jax.jit(jax.grad(weighted(padding.frame)))
    mapped = jax.jit(jax.vmap(jax.vmap(gradient)))(x)
    each = jnp.stack([jnp.stack([gradient(one) for one in two]) for two in x])
    assert_close(mapped, each, 1e-12)


def test_a_channel_without_a_solution_is_predicted_by_its_mean_beside_others():
    x = example((1, 8, 8, 3)).at[..., 1].set(4.0)
    frame = AutocorrelationPrediction(1, 2, 3, ridge=0.0).frame(x)
    for strip in frame:
        np.testing.assert_array_equal(strip[..., 1], 4.0)
        assert np.isfinite(strip).all()


@pytest.mark.parametrize("unknowns", [1, 4, 9])
def test_normal_equations_and_their_gradient(unknowns, monkeypatch):
    rng = np.random.default_rng(0)
    factor = rng.normal(size=(unknowns, unknowns, 3, 7))
    matrix = jnp.asarray(np.einsum("ikbc,jkbc->ijbc", factor, factor))
    matrix = matrix.at[..., 1, 2].set(-1.0)  # not positive definite
    right_hand_side = jnp.asarray(rng.normal(size=(unknowns, 2, 3, 7)))

    def compute():
        def solution(system):
            return solve_normal_equations(*system, ridge=0.1)

        return jax.jit(lambda s: (solution(s), jax.grad(weighted(solution))(s)))((matrix, right_hand_side))

    assert_close(compute(), by_xla(monkeypatch, compute), 1e-9)


def test_the_result_does_not_depend_on_the_batch_it_is_in():
    padding = padding_from_name("lp4x5", 1)
    x = example((9, 13, 14, 5), np.float32)
    whole = padding.frame(x)
    for index in range(9):
        assert_close(jax.tree.map(lambda s, i=index: s[i], whole), padding.frame(x[index]), 0)


NETWORK_ON_TILES = """
import hashlib
from concurrent.futures import ThreadPoolExecutor

import jax
from spatial_prediction import native
from spatial_prediction.models import bundled_network

assert native.available()
network, digest = bundled_network(output_crop=0), hashlib.sha256()
for shape in ((1, 48, 48, 3), (3, 30, 21, 3)):
    image, apply = jax.random.normal(jax.random.key(0), shape), jax.jit(lambda x: network.apply(x))
    with ThreadPoolExecutor(4) as callers:
        found = set(callers.map(lambda _: apply(image).tobytes(), range(40)))
    assert len(found) == 1
    digest.update(found.pop())
print(digest.hexdigest())
"""


def test_the_result_does_not_depend_on_the_number_of_threads():
    """Of one tile, whose parts are divided among threads, or of few, even if several threads ask at once."""

    def digest(threads):
        ran = subprocess.run(
            [sys.executable, "-c", NETWORK_ON_TILES],
            env=os.environ | {"NPROC": str(threads)},  # as XLA reads it
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert len(ran.stdout.split()) == 1, ran.stderr[-2000:]
        return ran.stdout

    assert digest(1) == digest(2) == digest(5)


CONVOLUTION_AND_FEED_FORWARD = """
import os
import jax, jax.numpy as jnp, numpy as np
from spatial_prediction import native
from spatial_prediction.convolution import convolve
from spatial_prediction.models._feed_forward import FeedForward
from spatial_prediction.padding import padding_from_name

jax.config.update("jax_enable_x64", True)
for dtype, tolerance in ((jnp.float32, 1e-5), (jnp.float64, 1e-12)):
    block = FeedForward.initialised(5, key=jax.random.key(0))
    kernel = jax.random.normal(jax.random.key(1), (3, 3, 17, 5))
    x = jax.random.normal(jax.random.key(2), (2, 30, 19, 17))
    arguments = jax.tree.map(lambda leaf: leaf.astype(dtype), (block, kernel, x))

    def loss(block, kernel, x):
        return jnp.sum(jnp.sin(block(convolve(x, kernel, padding=padding_from_name("repl", 1)))))

    assert native.available()
    found = jax.jit(jax.value_and_grad(loss, (0, 1, 2)))(*arguments)
    os.environ[native.DISABLING_VARIABLE] = "0"
    expected = jax.jit(jax.value_and_grad(lambda *a: loss(*a), (0, 1, 2)))(*arguments)
    del os.environ[native.DISABLING_VARIABLE]
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(expected)):
        np.testing.assert_allclose(one, other, rtol=0, atol=tolerance * np.abs(other).max())
    print("equal")
"""


@pytest.mark.parametrize("register_bytes", [16, 32, 64])
def test_kernels_for_the_registers_of_other_processors(register_bytes):
    ran = subprocess.run(
        [sys.executable, "-c", CONVOLUTION_AND_FEED_FORWARD],
        env=os.environ | {"SPATIAL_PREDICTION_REGISTER_BYTES": str(register_bytes)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ran.stdout.split() == ["equal", "equal"], ran.stderr[-2000:]


def test_kernels_link_where_there_is_one_version_of_each_function(tmp_path):
    """As other compilers and processors see them; slow machine code will do to tell."""
    library = str(tmp_path / "kernels.so")
    flags = [*native.FLAGS, "-shared", "-O0", "-w", "-DONE_VERSION", "-isystem", jax.ffi.include_dir()]
    subprocess.run(
        [native.compiler(), *flags, *map(str, native.SOURCES), "-o", library], check=True, timeout=300
    )
    ctypes.CDLL(library, mode=os.RTLD_NOW)
