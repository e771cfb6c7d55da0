"""Convolutions against numbers of the published implementations, computed in float64."""

import re

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.helpers import shared_folder

from spatial_prediction.convolution import DifferentialConv2d, PartialConv2d

GOLDEN = shared_folder("golden/convolutions") / "convolutions_float64.npz"


def cases(kind):
    if not GOLDEN.exists():
        return [None]
    with np.load(GOLDEN) as npz:
        return [key.removeprefix("y|") for key in npz if key.startswith(f"y|{kind}|")]


pytestmark = [pytest.mark.golden, pytest.mark.usefixtures("quick_compilation")]


@pytest.fixture(scope="module")
def arrays():
    with np.load(GOLDEN) as npz:
        yield npz


def weighted_sum(y):
    return jnp.sum(y * jnp.cos(jnp.arange(y.size, dtype=y.dtype)).reshape(y.shape))


def assert_close(actual, expected, relative):
    np.testing.assert_allclose(actual, expected, rtol=0, atol=relative * np.max(np.abs(expected)))


def with_weights(layer, **weights):
    names = list(weights)
    return eqx.tree_at(
        lambda layer: [getattr(layer, name) for name in names],
        layer,
        [jnp.asarray(weights[name]) for name in names],
    )


@pytest.mark.parametrize("case", cases("diff"))
def test_differential_values_and_gradients_match_the_published_implementation(case, arrays):
    size, kernel, groups, keep, edge = re.fullmatch(
        r"diff\|(\w+)\|k(\d)\|g(\d)\|keep(\d)\|edge(\d)", case
    ).groups()
    x, weight, edge_weight = (arrays[f"{name}|{size}|k{kernel}|g{groups}"] for name in "xwe")
    with jax.enable_x64(True):
        layer = DifferentialConv2d(
            x.shape[1],
            weight.shape[0],
            int(kernel),
            groups=int(groups),
            use_bias=False,
            keep_border_gradient=keep == "1",
            edge_kernel=edge == "1",
            key=jax.random.key(0),
        )
        weights = {"weight": weight} | ({"edge_weight": edge_weight} if edge == "1" else {})
        layer = with_weights(layer, **weights)

        @eqx.filter_jit
        def compute(layer, x):
            def loss(both):
                y = jax.vmap(both[0])(both[1])
                return weighted_sum(y), y

            (_, y), gradients = eqx.filter_value_and_grad(loss, has_aux=True)((layer, x))
            half = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), eqx.filter(layer, eqx.is_array))
            return y, *gradients, jax.vmap(eqx.combine(half, layer))(x.astype(jnp.float32))

        y, layer_gradient, x_gradient, y_float32 = compute(layer, jnp.asarray(x))
    assert_close(y, arrays[f"y|{case}"], 1e-9)
    assert_close(y_float32, arrays[f"y|{case}"], 1e-5)
    assert_close(x_gradient, arrays[f"gx|{case}"], 1e-9)
    assert_close(layer_gradient.weight, arrays[f"gw|{case}"], 1e-9)
    if edge == "1":
        assert_close(layer_gradient.edge_weight, arrays[f"ge|{case}"], 1e-9)


@pytest.mark.parametrize("case", cases("partial"))
def test_partial_values_masks_and_gradients_match_the_published_implementation(case, arrays):
    _, kernel, stride, dilation, padding, multi_channel, masked = map(int, re.findall(r"\d+", case))
    x, weight = arrays[f"x|{case}"], arrays[f"w|{case}"]
    bias = arrays.get(f"b|{case}")
    with jax.enable_x64(True):
        layer = PartialConv2d(
            x.shape[1],
            weight.shape[0],
            kernel,
            stride,
            padding,
            dilation,
            use_bias=bias is not None,
            multi_channel=bool(multi_channel),
            key=jax.random.key(0),
        )
        weights = {"weight": weight} | ({} if bias is None else {"bias": bias[:, None, None]})
        layer = with_weights(layer, **weights)
        mask = None
        if masked:
            mask = arrays[f"mask|{case}"]
            mask = jnp.asarray(np.broadcast_to(mask, (len(x), *mask.shape[1:])))

        @jax.jit
        def compute(x):
            def loss(x):
                y, updated = jax.vmap(layer.with_mask)(x, mask)
                return weighted_sum(y), (y, updated)

            (_, results), gradient = jax.value_and_grad(loss, has_aux=True)(x)
            return *results, gradient

        y, updated, gradient = compute(jnp.asarray(x))
    assert_close(y, arrays[f"y|{case}"], 1e-9)
    assert_close(gradient, arrays[f"gx|{case}"], 1e-9)
    if f"updated_mask|{case}" in arrays:
        expected = arrays[f"updated_mask|{case}"]
        np.testing.assert_array_equal(updated, np.broadcast_to(expected, updated.shape))
