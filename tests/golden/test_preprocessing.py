"""Pre-processing and colours against numbers of the published implementation, computed in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.helpers import shared_folder

from spatial_prediction.plotting.colour import linear_to_srgb8
from spatial_prediction.studies.super_resolution.config import tile_size
from spatial_prediction.studies.super_resolution.data.degradation import super_resolution_pair

FACTOR = 4


@pytest.fixture(scope="module")
def golden():
    with np.load(shared_folder("golden/rvsr") / "rvsr_float64.npz") as npz:
        return {name: npz[name] for name in npz.files if name.startswith(("prep", "srgb"))}


def centre(images, height, width):
    top, left = (images.shape[1] - height) // 2, (images.shape[2] - width) // 2
    return images[:, top : top + height, left : left + width]


@pytest.mark.golden
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-9), (np.float32, 1e-6)])
def test_input_and_target_match(golden, dtype, tolerance):
    expected_low, expected_high = (np.moveaxis(golden[f"prep_{end}"], 1, -1) for end in ("low", "high"))
    images = np.moveaxis(golden["prep_image"], 1, -1).astype(dtype)
    sizes = [tile_size(side, FACTOR) for side in expected_low.shape[1:3]]
    assert expected_high.shape[1:3] == (48, 56)
    with jax.enable_x64(dtype is np.float64):
        low_res, high_res = super_resolution_pair(jnp.asarray(centre(images, *sizes)), FACTOR)
    assert low_res.dtype == dtype
    np.testing.assert_allclose(low_res, expected_low, rtol=0, atol=tolerance)
    np.testing.assert_array_equal(high_res, expected_high.astype(dtype))


@pytest.mark.golden
def test_srgb_codes_match_exactly(golden):
    codes = linear_to_srgb8(golden["srgb_in"])
    assert codes.dtype == golden["srgb_out"].dtype
    np.testing.assert_array_equal(codes, golden["srgb_out"])
