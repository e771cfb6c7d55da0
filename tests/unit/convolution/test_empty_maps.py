"""Maps without rows, columns or channels are refused in words; a batch without maps is not."""

import jax
import jax.numpy as jnp
import pytest

from spatial_prediction.convolution import (
    DifferentialConv2d,
    ExplicitBoundaryConv2d,
    PaddedConv2d,
    PartialConv2d,
    convolve,
    differential_convolution,
    explicit_boundary_convolution,
    partial_convolution,
)
from spatial_prediction.padding import padding_from_name

pytestmark = pytest.mark.usefixtures("quick_compilation")

FUNCTIONS = {
    "convolve": lambda x, kernel: convolve(x, kernel, padding=((1, 1), (1, 1))),
    "convolve with a stride": lambda x, kernel: convolve(x, kernel, padding=((1, 1), (1, 1)), stride=(2, 1)),
    **{
        f"convolve padded by {name}": lambda x, kernel, name=name: convolve(
            x, kernel, padding=padding_from_name(name, 1)
        )
        for name in ("zero", "repl", "extr2", "lp2x3", "auto")
    },
    **{
        f"{name} by itself": lambda x, kernel, name=name: padding_from_name(name, 1).extend(x)
        for name in ("zero", "repl", "lp2x3")
    },
    "partial_convolution": partial_convolution,
    "differential_convolution": differential_convolution,
    "explicit_boundary_convolution": lambda x, kernel: explicit_boundary_convolution(
        x, jnp.ones((3, 3, *kernel.shape))
    ),
}
LAYERS = [PaddedConv2d, PartialConv2d, DifferentialConv2d, ExplicitBoundaryConv2d]


def called(function, shape):
    return FUNCTIONS[function](jnp.ones(shape), jnp.ones((3, 3, shape[-1], 4)))


@pytest.mark.parametrize("shape", [(0, 5, 2), (5, 0, 2), (5, 5, 0), (2, 0, 5, 2)], ids=str)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_functions_name_the_shape_of_an_empty_map(function, shape):
    with pytest.raises(ValueError, match=r"^x must have rows, columns and channels.*give maps of") as refusal:
        called(function, shape)
    assert f"got {shape};" in str(refusal.value)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_functions_take_a_batch_without_maps(function):
    assert called(function, (0, 5, 5, 2)).size == 0


@pytest.mark.parametrize("shape", [(2, 0, 5), (2, 5, 0)], ids=str)
@pytest.mark.parametrize("layer", LAYERS)
def test_layers_name_the_shape_of_an_empty_map(layer, shape):
    convolution = layer(2, 4, 3, key=jax.random.key(0))
    with pytest.raises(ValueError, match=r"^x must have rows and columns.*give a map of") as refusal:
        convolution(jnp.ones(shape))
    assert f"got {shape};" in str(refusal.value)


@pytest.mark.parametrize("layer", LAYERS)
def test_layers_take_a_batch_without_maps(layer):
    convolution = layer(2, 4, 3, key=jax.random.key(0))
    assert jax.vmap(convolution)(jnp.ones((0, 2, 5, 5))).size == 0
