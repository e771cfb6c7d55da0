"""Laws of the convolutions that treat incomplete windows themselves."""

from functools import cache

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spatial_prediction.convolution import DifferentialConv2d, ExplicitBoundaryConv2d, PartialConv2d


def partial_layer(inputs, outputs, size, dilation, groups, **options):
    padding = [(k // 2 * dilation,) * 2 for k in size]
    return PartialConv2d(inputs, outputs, size, 1, padding, dilation, groups, **options)


def differential_layer(inputs, outputs, size, dilation, groups, **options):
    return DifferentialConv2d(inputs, outputs, size, 1, dilation, groups, **options)


def stopped_layer(*sizes, **options):
    return differential_layer(*sizes, keep_border_gradient=False, **options)


def edge_layer(*sizes, **options):
    layer = differential_layer(*sizes, edge_kernel=True, **options)
    return eqx.tree_at(lambda layer: layer.edge_weight, layer, layer.weight[..., ::-1, :])


def explicit_layer(inputs, outputs, size, dilation, groups, **options):
    layer = ExplicitBoundaryConv2d(inputs, outputs, size, groups, **options)
    scales = jnp.arange(len(layer.border_weight), dtype=layer.weight.dtype)[:, None, None, None, None] / 8
    return eqx.tree_at(lambda layer: layer.border_weight, layer, scales * layer.border_weight)


LAYERS = {
    "partial": partial_layer,
    "differential": differential_layer,
    "differential, edge kernel": edge_layer,
    "differential, gradient stopped": stopped_layer,
    "explicit": explicit_layer,
}
KEY = jax.random.key(0)
SHAPE = (2, 5, 6)

every_layer = pytest.mark.parametrize("name", LAYERS)
seeds = st.integers(0, 2**32 - 1)
odd = st.sampled_from([1, 3, 5])
few = settings(max_examples=4)  # each traces anew
law = settings(max_examples=15)

pytestmark = pytest.mark.usefixtures("quick_compilation")


def noise(seed, shape=SHAPE, dtype=np.float32):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape).astype(dtype))


def dilations_of(name):
    return st.just(1) if name == "explicit" else st.integers(1, 3)


@every_layer
@few
@given(data=st.data())
def test_the_map_keeps_its_size_and_dtype(name, data):
    size, height, width = data.draw(st.tuples(st.tuples(odd, odd), st.integers(1, 9), st.integers(1, 9)))
    dilation, groups = data.draw(st.tuples(dilations_of(name), st.sampled_from([1, 2])))
    dtype = data.draw(st.sampled_from(["float16", "bfloat16", "float32", "float64"]))
    with jax.enable_x64(dtype == "float64"):
        layer = LAYERS[name](4, 6, size, dilation, groups, dtype=jnp.dtype(dtype), key=KEY)
        y = jax.eval_shape(layer, jax.ShapeDtypeStruct((4, height, width), jnp.dtype(dtype)))
    assert y.shape == (6, height, width)
    assert y.dtype == dtype


@every_layer
@few
@given(data=st.data())
def test_complete_windows_see_an_ordinary_convolution(name, data):
    size, groups = data.draw(st.tuples(st.tuples(odd, odd), st.sampled_from([1, 2])))
    dilation, seed = data.draw(st.tuples(dilations_of(name), seeds))
    layer = LAYERS[name](4, 2, size, dilation, groups, key=KEY)
    plain = eqx.nn.Conv2d(4, 2, size, dilation=dilation, groups=groups, key=KEY)
    reach = [k // 2 * dilation for k in size]
    x = noise(seed, (4, 2 * reach[0] + 2, 2 * reach[1] + 3))
    y = eqx.filter_jit(layer)(x)[:, reach[0] : reach[0] + 2, reach[1] : reach[1] + 3]
    np.testing.assert_allclose(y, plain(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["partial", "differential", "differential, gradient stopped"])
@few
@given(st.tuples(odd, odd), st.integers(1, 2), st.integers(1, 7), st.integers(1, 7), st.floats(-100, 100))
def test_a_constant_gives_a_constant(name, size, dilation, height, width, constant):
    with jax.enable_x64(True):
        layer = LAYERS[name](2, 3, size, dilation, 1, use_bias=False, key=KEY)
        if name == "partial":
            # The known pixels' share is counted, not weighed: only a flat kernel keeps constants.
            layer = eqx.tree_at(lambda layer: layer.weight, layer, jnp.ones_like(layer.weight))
        y = eqx.filter_jit(layer)(jnp.full((2, height, width), constant))
        expected = constant * layer.weight.sum((1, 2, 3))
    np.testing.assert_allclose(y, np.broadcast_to(expected[:, None, None], y.shape), rtol=1e-7, atol=1e-7)


@pytest.fixture(scope="module", params=LAYERS)
def layer(request):
    return LAYERS[request.param](2, 3, (3, 5), 1, 1, key=KEY)


def test_compiled_and_eager_results_agree(layer):
    x = noise(0)
    np.testing.assert_allclose(eqx.filter_jit(layer)(x), layer(x), rtol=1e-4, atol=1e-4)


def test_vmap_and_a_loop_agree(layer):
    x = noise(1, (3, *SHAPE))
    compiled = eqx.filter_jit(layer)
    mapped = eqx.filter_jit(eqx.filter_vmap(layer))(x)
    np.testing.assert_allclose(mapped, [compiled(example) for example in x], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16])
@every_layer
def test_low_precision_gives_the_result_of_float32_to_its_rounding(name, dtype):
    layer = LAYERS[name](2, 3, (3, 3), 1, 1, key=KEY)
    floats, static = eqx.partition(layer, eqx.is_inexact_array)
    rounded = jax.tree.map(lambda leaf: leaf.astype(dtype), floats)
    x = noise(2).astype(dtype)
    y = eqx.filter_jit(eqx.combine(rounded, static))(x)
    exact = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), rounded)
    expected = eqx.filter_jit(eqx.combine(exact, static))(x.astype(jnp.float32))
    # Four roundings: of extrapolated pixels by rows and by columns, of the sum, and of the sum with bias.
    tolerance = 4 * float(jnp.finfo(dtype).eps) * float(jnp.abs(expected).max())
    np.testing.assert_allclose(y.astype(jnp.float32), expected, rtol=0, atol=tolerance)


@cache
def program_with_gradients(name):
    """The layer, and a program for a weighted sum of its results with gradients by layer and map."""
    layer = LAYERS[name](2, 3, (3, 5), 1, 1, key=KEY)

    def loss(layer_and_map):
        layer, x = layer_and_map
        y = layer(x)
        return jnp.sum(y * jnp.cos(jnp.arange(y.size, dtype=y.dtype)).reshape(y.shape))

    return layer, eqx.filter_jit(eqx.filter_value_and_grad(loss))


@pytest.mark.parametrize("name", [name for name in LAYERS if "stopped" not in name])
@law
@given(seed=seeds)
def test_gradients_equal_central_differences(name, seed):
    with jax.enable_x64(True):
        layer, compute = program_with_gradients(name)
        point = (layer, noise(seed, dtype=np.float64))
        floats, static = eqx.partition(point, eqx.is_inexact_array)
        rng = np.random.default_rng(seed + 1)
        floats = jax.tree.map(lambda leaf: leaf.astype(jnp.float64), floats)
        direction = jax.tree.map(lambda leaf: jnp.asarray(rng.normal(size=leaf.shape)), floats)

        def at(step):
            return eqx.combine(jax.tree.map(lambda a, b: a + step * b, floats, direction), static)

        _, gradient = compute(at(0.0))
        slope = sum(jax.tree.leaves(jax.tree.map(jnp.vdot, gradient, direction)))
        # Bilinear in layer and map: a central difference of any step is exact but for rounding.
        difference = (compute(at(0.5))[0] - compute(at(-0.5))[0]).item()
    assert slope.item() == pytest.approx(difference, rel=1e-9, abs=1e-8)
