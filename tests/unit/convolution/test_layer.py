"""Our layers have the arguments, fields and first weights of Equinox's convolution, and are none."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spatial_prediction.convolution import (
    AbstractConv2d,
    DifferentialConv2d,
    ExplicitBoundaryConv2d,
    PaddedConv2d,
    PartialConv2d,
)

KEY = jax.random.key(0)
LAYERS = {
    PaddedConv2d: {"padding_mode": "zero"},
    PartialConv2d: {"padding": "SAME"},
    DifferentialConv2d: {},
    ExplicitBoundaryConv2d: {},
}


@pytest.mark.parametrize("kind", LAYERS)
def test_fields_and_weights_are_those_of_equinox(kind):
    layer = kind(4, 6, (3, 5), groups=2, use_bias=False, dtype=jnp.float16, **LAYERS[kind], key=KEY)
    usual = eqx.nn.Conv2d(4, 6, (3, 5), padding="SAME", groups=2, use_bias=False, dtype=jnp.float16, key=KEY)
    assert isinstance(layer, AbstractConv2d)
    assert not isinstance(layer, eqx.nn.Conv2d)
    names = [field.name for field in dataclasses.fields(usual)]
    assert [field.name for field in dataclasses.fields(layer)][: len(names)] == names
    for name in set(names) - {"weight", "padding_mode"}:
        assert getattr(layer, name) == getattr(usual, name)
    np.testing.assert_array_equal(layer.weight, usual.weight)


@pytest.mark.parametrize("kind", [PaddedConv2d, PartialConv2d])
def test_pad_widths_given_as_lists_leave_a_layer_fit_to_be_compiled(kind):
    layer = kind(2, 3, 3, padding=[[1, 0], [2, 1]], key=KEY)
    assert layer.padding == ((1, 0), (2, 1))
    assert eqx.filter_jit(layer)(jnp.ones((2, 5, 6))).shape == (3, 4, 7)
