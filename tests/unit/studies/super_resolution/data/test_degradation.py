"""Low-resolution tiles are the anti-aliased bilinear ones, and their targets fit them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spatial_prediction.studies.super_resolution.config import tile_size
from spatial_prediction.studies.super_resolution.data.degradation import (
    scaled_reflectance,
    super_resolution_pair,
)


def noise(*shape):
    return jnp.asarray(np.random.default_rng(0).uniform(-1, 1, shape), jnp.float32)


@pytest.mark.parametrize("factor", [1, 2, 3, 4, 5])
@pytest.mark.parametrize(("rows", "columns"), [(3, 3), (5, 8), (14, 9)])
def test_the_input_is_the_inside_of_jax_image_resize(rows, columns, factor):
    tiles = noise(2, rows * factor, columns * factor, 3)
    low_res, _ = super_resolution_pair(tiles, factor)
    resized = jax.image.resize(tiles, (2, rows, columns, 3), "bilinear", antialias=True)
    assert low_res.dtype == jnp.float32
    np.testing.assert_allclose(low_res, resized[:, 1:-1, 1:-1], rtol=0, atol=1e-6)


def test_the_target_is_the_tile_less_one_coarse_pixel_on_each_side():
    tiles = noise(2, 20, 28, 3)
    low_res, high_res = super_resolution_pair(tiles, 4)
    np.testing.assert_array_equal(high_res, tiles[:, 4:16, 4:24])
    assert (low_res.shape, high_res.shape) == ((2, 3, 5, 3), (2, 12, 20, 3))


@pytest.mark.parametrize("batch", [(), (1,), (2, 3)])
def test_batch_axes_are_kept_and_independent(batch):
    tiles = noise(*batch, 16, 24, 3)
    low_res, high_res = super_resolution_pair(tiles, 4)
    assert low_res.shape == (*batch, 2, 4, 3)
    assert high_res.shape == (*batch, 8, 16, 3)
    last = (-1,) * len(batch)
    np.testing.assert_allclose(low_res[last], super_resolution_pair(tiles[last], 4)[0], atol=1e-7)


@pytest.mark.parametrize(("rows", "columns"), [(1, 0), (0, 2), (3, 1)])
def test_shifting_by_whole_coarse_pixels_shifts_the_input(rows, columns):
    scene = noise(48, 48, 3)
    low_res, _ = super_resolution_pair(scene, 4)
    shifted, target = super_resolution_pair(scene[4 * rows :, 4 * columns :], 4)
    np.testing.assert_allclose(shifted, low_res[rows:, columns:], rtol=0, atol=1e-6)
    np.testing.assert_array_equal(target, scene[4 * rows + 4 : -4, 4 * columns + 4 : -4])


def test_a_shift_by_less_changes_the_input():
    scene = noise(48, 48, 3)
    low_res, _ = super_resolution_pair(scene[:40], 4)
    shifted, _ = super_resolution_pair(scene[1:41], 4)
    assert jnp.abs(low_res - shifted).max() > 0.01


def test_what_lies_beyond_the_cut_margin_has_no_influence_on_the_inside():
    tile = noise(32, 32, 3)
    changed = tile.at[:2].set(5.0)
    inner = super_resolution_pair(tile, 4)[0]
    # a triangle two coarse pixels wide about the first kept pixel reaches half of the cut one
    np.testing.assert_array_equal(super_resolution_pair(changed, 4)[0], inner)
    assert jnp.any(super_resolution_pair(tile.at[2].set(5.0), 4)[0] != inner)


@pytest.mark.parametrize("value", [-1.0, 0.3, 2.0])
def test_a_constant_stays(value):
    low_res, _ = super_resolution_pair(jnp.full((20, 12, 3), value, jnp.float32), 4)
    np.testing.assert_allclose(low_res, np.full((3, 1, 3), value), rtol=1e-6)


def test_a_ramp_stays_a_ramp():
    ramp = jnp.broadcast_to(jnp.arange(32, dtype=jnp.float32)[:, None, None], (32, 12, 3))
    low_res, _ = super_resolution_pair(ramp, 4)
    np.testing.assert_allclose(low_res[:, 0, 0], np.arange(5.5, 27, 4), rtol=1e-6)


def test_the_published_sizes_follow_from_a_tile_of_200():
    assert tile_size(48, 4) == 200
    low_res, high_res = super_resolution_pair(noise(200, 200, 3), 4)
    assert (low_res.shape, high_res.shape) == ((48, 48, 3), (192, 192, 3))


@pytest.mark.parametrize("dtype", [jnp.int16, jnp.float32])
def test_reflectance_0_to_1_becomes_minus_1_to_1(dtype):
    dn = jnp.array([0, 2500, 5000, 10_000, 15_000], dtype).reshape(1, 5, 1)
    scaled = scaled_reflectance(dn)
    assert scaled.dtype == jnp.float32
    np.testing.assert_allclose(scaled.ravel(), [-1, -0.5, 0, 1, 2], rtol=0, atol=1e-6)
