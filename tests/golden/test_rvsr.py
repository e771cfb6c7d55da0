"""RVSR against numbers of the published implementation, computed in float64."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.helpers import shared_folder

from spatial_prediction.models import RVSR, merge_branches

GOLDEN = shared_folder("golden/rvsr")

PADDINGS = {"zero-repl": ("zero", "repl")}
CASES = (
    *((preset, 0) for preset in ("zero-repl", "repl", "lp1x1cs", "lp2x3", "lp6x7", "extr3")),
    ("zero-repl", 1), ("lp2x3", 1), ("repl", 5), ("lp2x3", 5), ("zero-repl", 9), ("zero-repl", 10),
)  # fmt: skip


@pytest.fixture(scope="module")
def golden():
    with np.load(GOLDEN / "rvsr_float64.npz") as npz:
        yield dict(npz)


@pytest.fixture(scope="module")
def weights(golden):
    return {name[2:]: array for name, array in golden.items() if name.startswith("w|")}


def network(weights, preset, output_crop, dtype):
    padding, upscale_padding = PADDINGS.get(preset, (preset, preset))
    arrays = {name: array.astype(dtype) for name, array in weights.items()}
    return RVSR.from_named_arrays(
        arrays, padding=padding, upscale_padding=upscale_padding, output_crop=output_crop
    )


@pytest.mark.golden
@pytest.mark.parametrize(("preset", "output_crop"), CASES)
@pytest.mark.parametrize("form", [lambda model: model, merge_branches], ids=["branches", "merged"])
def test_outputs_match_in_float64(golden, weights, preset, output_crop, form):
    tolerance = 1e-6 if preset == "lp6x7" else 1e-9  # lp6x7 sums by transforms
    with jax.enable_x64(True):
        y = eqx.filter_jit(form(network(weights, preset, output_crop, np.float64)))(jnp.asarray(golden["x"]))
    np.testing.assert_allclose(y, golden[f"y|{preset}|oc{output_crop}"], rtol=tolerance, atol=tolerance)


@pytest.mark.golden
@pytest.mark.parametrize(("preset", "output_crop"), CASES)
def test_outputs_match_in_float32(golden, weights, preset, output_crop):
    model = merge_branches(network(weights, preset, output_crop, np.float32))
    y = eqx.filter_jit(model)(jnp.asarray(golden["x"], jnp.float32))
    expected = golden[f"y|{preset}|oc{output_crop}"]
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-4 * np.abs(expected).max())


@pytest.mark.golden
def test_feature_maps_match(golden, weights):
    with jax.enable_x64(True):
        model = network(weights, "zero-repl", 10, np.float64)
        _, features = model.with_features(jnp.asarray(np.moveaxis(golden["x"], 0, -1))[None])
    assert len(features) == 9
    for index, feature in enumerate(features):
        expected = golden[f"feature|zero-repl|oc10|{index}"]
        np.testing.assert_allclose(np.moveaxis(feature[0], -1, 0), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.golden
def test_named_arrays_survive_a_round_trip(weights):
    model = network(weights, "repl", 0, np.float32)
    returned = model.to_named_arrays()
    assert returned.keys() == weights.keys()
    for name, array in weights.items():
        np.testing.assert_array_equal(returned[name], array.astype(np.float32))
        assert returned[name].shape == array.shape
