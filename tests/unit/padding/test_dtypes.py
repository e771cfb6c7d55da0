"""Every padding on every kind of number: right values, or an error that says what to do."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spatial_prediction.convolution import (
    DifferentialConv2d,
    ExplicitBoundaryConv2d,
    PaddedConv2d,
    PartialConv2d,
)
from spatial_prediction.models import RVSR
from spatial_prediction.padding import (
    PADDING_NAMES,
    ReplicatePadding,
    ZeroPadding,
    padding_from_name,
    trained_padding_from_name,
)

NUMPY_MODES = {"zero": "constant", "repl": "edge", "refl": "reflect", "circ": "wrap"}
WHOLE = ["uint8", "int16", "bool", "complex64"]


def maps(dtype):
    values = np.random.default_rng(0).integers(0, 255, (2, 9, 10))
    return jnp.asarray(values % 2 if dtype == "bool" else values).astype(dtype)


@pytest.mark.parametrize("dtype", WHOLE)
@pytest.mark.parametrize("name", PADDING_NAMES)
def test_numbers_that_are_not_floating_are_copied_or_refused(name, dtype):
    padding = padding_from_name(name, ((1, 2), (0, 3)))
    x = maps(dtype)
    if name not in NUMPY_MODES:
        for call in (padding, jax.jit(padding), padding.extend, padding.frame, padding.with_frame):
            with pytest.raises(
                TypeError, match=f"must be of floating numbers, got {dtype}; (convert|pad real)"
            ):
                call(x)
        return
    expected = np.pad(x, ((0, 0), *padding.pad_width), NUMPY_MODES[name])
    for call in (padding, jax.jit(padding)):
        padded = call(x)
        assert padded.dtype == dtype
        np.testing.assert_array_equal(padded, expected)
    beside, frame = padding.with_frame(x)
    np.testing.assert_array_equal(beside, x)
    assert frame.top.dtype == dtype


@pytest.mark.usefixtures("quick_compilation")
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", PADDING_NAMES)
def test_half_precisions_are_kept_and_padded_with_finite_values(name, dtype):
    padded = jax.jit(padding_from_name(name, 1))(maps(dtype))
    assert padded.dtype == dtype
    np.testing.assert_array_equal(padded[:, 1:-1, 1:-1], maps(dtype))
    assert np.isfinite(padded.astype(np.float32)).all()


@pytest.mark.parametrize("dtype", WHOLE)
@pytest.mark.parametrize("name", ["lp2x3_learned", "lp2x3_running"])
def test_trained_paddings_refuse_them_too(name, dtype):
    padding = trained_padding_from_name(name, 1, channels=2)
    with pytest.raises(TypeError, match=f"must be of floating numbers, got {dtype}"):
        padding(maps(dtype))


@pytest.mark.parametrize("dtype", ["uint8", "int16", "bool"])
@pytest.mark.parametrize(
    "layer",
    [
        lambda key: PaddedConv2d(2, 2, 3, padding_mode="lp2x3", key=key),
        lambda key: PaddedConv2d(2, 2, 3, padding_mode="zero", key=key),
        lambda key: PaddedConv2d(2, 2, 3, padding_mode="extr3", key=key),
        lambda key: PartialConv2d(2, 2, 3, padding=1, key=key),
        lambda key: DifferentialConv2d(2, 2, 3, key=key),
        lambda key: ExplicitBoundaryConv2d(2, 2, 3, key=key),
    ],
    ids=["lp2x3", "zero", "extr3", "partial", "differential", "explicit"],
)
def test_layers_refuse_integers_with_the_way(layer, dtype):
    with pytest.raises(TypeError, match=f"floating numbers, got {dtype}; convert them, as by x.astype|Float"):
        layer(jax.random.key(0))(maps(dtype))


def test_a_network_refuses_integers():
    network = RVSR.initialised(
        padding=ZeroPadding(1), upscale_padding=ReplicatePadding(1), key=jax.random.key(0)
    )
    with pytest.raises(TypeError, match=r"scaled to \[-1, 1\], of floating numbers; got uint8|Float"):
        network(jnp.zeros((3, 8, 8), jnp.uint8))
