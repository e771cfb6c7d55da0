"""Where kernels are used is decided for each program: on several devices, exported, in forward mode."""

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.arrays import assert_close

from spatial_prediction import native
from spatial_prediction.convolution import convolve
from spatial_prediction.models._feed_forward import FeedForward
from spatial_prediction.padding import padding_from_name

pytestmark = [
    pytest.mark.usefixtures("quick_compilation"),
    pytest.mark.skipif(
        not native.available(), reason="kernels are not compiled (python -m spatial_prediction.native)"
    ),
]

ON_FOUR_DEVICES = """
import os
import jax, jax.numpy as jnp, numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec as P
from spatial_prediction import native
from spatial_prediction.convolution import PaddedConv2d
from spatial_prediction.models import RVSR, merge_branches
from spatial_prediction.padding import padding_from_name

jax.config.update("jax_disable_most_optimizations", True)
assert native.available() and len(jax.devices()) == 4
mesh = Mesh(np.array(jax.devices()), ("b",))
shared, divided = NamedSharding(mesh, P()), NamedSharding(mesh, P("b"))


def total(layer, x):
    return jnp.sum(jnp.sin(jax.vmap(layer)(x)))


def check(name, layer, x):
    programs = {
        "values": jax.jit(lambda layer, x: jax.vmap(layer)(x)),
        "gradients": jax.jit(jax.grad(total, (0, 1))),
        "gradients of each": jax.jit(jax.vmap(jax.grad(lambda layer, x: jnp.sum(layer(x) ** 2)), (None, 0))),
    }
    placed = jax.device_put(layer, shared), jax.device_put(x, divided)
    for what, program in programs.items():
        alone = program(layer, x)
        compiled = program.lower(*placed).compile()
        text = compiled.as_text()
        assert "all-gather" not in text, (name, what)
        assert "custom-call" in text and ("_float32" in text), (name, what)
        together = program(*placed)
        for one, other in zip(jax.tree.leaves(together), jax.tree.leaves(alone), strict=True):
            np.testing.assert_allclose(one, other, rtol=0, atol=2e-5 * np.abs(other).max())
            if what != "gradients" or other.shape == x.shape:
                assert one.sharding.is_equivalent_to(divided, one.ndim), (name, what, one.sharding)
                assert one.addressable_shards[0].data.shape[0] == other.shape[0] // 4
    print(name)


x = jax.random.normal(jax.random.key(0), (8, 3, 10, 9))
for padding in ("lp2x3", "lp1x1cs", "lp2x3c"):
    check(padding, PaddedConv2d(3, 4, 3, padding_mode=padding, key=jax.random.key(1)), x)
border = padding_from_name("lp2x3", 1)
network = RVSR.initialised(
    padding=border, upscale_padding=border, hidden_channels=4, blocks=1, key=jax.random.key(2)
)
check("RVSR", merge_branches(network), x)

# without jit, and with the batch over two axes of the mesh
frame = border.extend(jax.device_put(jnp.moveaxis(x, 1, -1), divided))
assert frame.sharding.is_equivalent_to(divided, 4), frame.sharding
two = Mesh(np.array(jax.devices()).reshape(2, 2), ("a", "b"))
for spec in (P(("a", "b")), P("a"), P("a", None, "b")):
    spread = jax.device_put(jnp.moveaxis(x[..., :8], 1, -1), NamedSharding(two, spec))
    found = jax.jit(border.extend)(spread)
    np.testing.assert_allclose(found, border.extend(np.asarray(spread)), atol=2e-5)
print("axes")

# second derivatives, which go by the kernels too
direction = jnp.cos(jnp.moveaxis(x, 1, -1))


def product(x, direction):
    gradient = jax.grad(lambda x: jnp.sum(jnp.sin(border.extend(x))))
    return jax.grad(lambda x: jnp.vdot(gradient(x), direction))(x)


placed = jax.device_put((jnp.moveaxis(x, 1, -1), direction), divided)
found, expected = jax.jit(product)(*placed), jax.jit(product)(jnp.moveaxis(x, 1, -1), direction)
assert found.sharding.is_equivalent_to(divided, 4), found.sharding
np.testing.assert_allclose(found, expected, atol=2e-5 * np.abs(expected).max())
print("second")
"""


def test_batches_stay_divided_among_devices():
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=4"
    ran = subprocess.run(
        [sys.executable, "-c", ON_FOUR_DEVICES],
        env=os.environ | {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert ran.stdout.split() == ["lp2x3", "lp1x1cs", "lp2x3c", "RVSR", "axes", "second"], ran.stderr[-3000:]


def block_and_maps():
    block = FeedForward.initialised(4, key=jax.random.key(0))
    kernel = jax.random.normal(jax.random.key(1), (3, 3, 3, 4))
    x = jax.random.normal(jax.random.key(2), (2, 7, 6, 3))
    return block, kernel, x


@pytest.mark.parametrize("name", ["lp2x3", "lp1x1cs"])
def test_an_exported_program_holds_no_kernel_and_computes_the_same(name):
    padding = padding_from_name(name, 1)

    def function(block, kernel, x):
        return block(convolve(x, kernel, padding=padding))

    arguments = block_and_maps()
    assert "_float32" in jax.jit(function).lower(*arguments).as_text()
    exported = jax.export.export(jax.jit(function))(*arguments)
    assert "_float32" not in exported.mlir_module()
    assert_close(exported.call(*arguments), function(*arguments), 1e-5)
    elsewhere = jax.export.export(jax.jit(function), platforms=["cuda", "cpu"])(*arguments)
    assert_close(elsewhere.call(*arguments), function(*arguments), 1e-5)


@pytest.mark.parametrize("name", ["lp2x3", "lp1x1cs"])
def test_exported_second_derivatives_hold_no_kernel_and_are_the_same(name):
    padding = padding_from_name(name, 1)

    def product(x, direction):
        gradient = jax.grad(lambda x: jnp.sum(jnp.sin(padding.extend(x))))
        return jax.grad(lambda x: jnp.vdot(gradient(x), direction))(x)

    with jax.enable_x64(True):
        x, direction = jnp.asarray(np.random.default_rng(0).normal(size=(2, 2, 6, 7, 3)))
        program = jax.jit(product)
        assert "predicted_frame_gradient_float64" in program.lower(x, direction).as_text()
        exported = jax.export.export(program)(x, direction)
        assert "_float64" not in exported.mlir_module()
        assert_close(exported.call(x, direction), program(x, direction), 1e-9)


@pytest.mark.parametrize("name", ["lp2x3", "lp1x1cs", "lp2x3c", "auto", "repl"])
def test_forward_mode_agrees_with_reverse_mode(name):
    padding = padding_from_name(name, 1)

    def function(arguments):
        block, kernel, x = arguments
        return jnp.sum(jnp.sin(block(convolve(x, kernel, padding=padding))))

    with jax.enable_x64(True):
        arguments = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), block_and_maps())
        direction = jax.tree.map(jnp.cos, arguments)
        value, change = jax.jit(lambda a, d: jax.jvp(function, (a,), (d,)))(arguments, direction)
        expected, gradient = jax.jit(jax.value_and_grad(function))(arguments)
        products = jax.tree.map(jnp.vdot, gradient, direction)
        np.testing.assert_allclose(change, sum(jax.tree.leaves(products)), rtol=1e-9)
    assert_close(value, expected, 1e-12)


def test_a_jacobian_is_the_same_in_both_modes_and_mapped_over_a_batch():
    padding = padding_from_name("lp2x3", ((1, 0), (0, 2)))
    with jax.enable_x64(True):
        x = jnp.asarray(np.random.default_rng(0).normal(size=(2, 2, 4, 5)))
        forward = jax.jit(jax.vmap(jax.jacfwd(padding)))(x)
        reverse = jax.jit(jax.vmap(jax.jacrev(padding)))(x)
    assert_close(forward, reverse, 1e-9)
