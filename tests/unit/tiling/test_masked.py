import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from tests.tiled_networks import blur, recorded, smooth_image

from spatial_prediction.tiling import Strategy, fill_masked, upscale_array, upscale_strips

IMAGE = smooth_image((12, 14), channels=2)
MASKS = arrays.arrays(bool, (12, 14))
RUBBISH = st.sampled_from([np.nan, np.inf, 0.0, 1e30, -7.0])


@settings(deadline=None)
@given(MASKS, RUBBISH, RUBBISH)
def test_filling_never_looks_under_the_mask(mask, first, second):
    filled = [fill_masked(np.where(mask, np.float32(value), IMAGE), mask) for value in (first, second)]
    np.testing.assert_array_equal(filled[0][:, ~mask], IMAGE[:, ~mask])
    if mask.any():
        np.testing.assert_array_equal(*filled)
        assert np.isfinite(filled[0]).all()


@settings(deadline=None)
@given(MASKS)
def test_each_masked_pixel_becomes_a_nearest_valid_one(mask):
    if mask.all():
        assert not fill_masked(IMAGE, mask).any()
        return
    filled = fill_masked(IMAGE, mask)
    places = np.argwhere(~mask)
    for row, column in np.argwhere(mask):
        distances = np.hypot(*(places - (row, column)).T)
        nearest = places[np.isclose(distances, distances.min())]
        assert any((IMAGE[:, r, c] == filled[:, row, column]).all() for r, c in nearest)


@settings(max_examples=30, deadline=None)
@given(MASKS, RUBBISH, st.sampled_from([Strategy.abutting(), Strategy.exact(1), Strategy.blended(2)]))
def test_masked_values_never_reach_the_output(mask, value, strategy):
    clean = upscale_array(IMAGE, blur, strategy=strategy, tile=5, factor=2, mask=mask)
    soiled = np.where(mask, np.float32(value), IMAGE)
    tiled = upscale_array(soiled, blur, strategy=strategy, tile=5, factor=2, mask=mask)
    np.testing.assert_array_equal(tiled, clean)
    np.testing.assert_array_equal(np.isnan(tiled).all(axis=0), mask.repeat(2, 0).repeat(2, 1))


@settings(max_examples=30, deadline=None)
@given(MASKS)
def test_exact_tiles_equal_the_whole_filled_image(mask):
    tiled = upscale_array(IMAGE, blur, strategy=Strategy.exact(1), tile=5, factor=2, mask=mask)
    whole = blur(fill_masked(IMAGE, mask)[None])[0]
    valid = ~mask.repeat(2, 0).repeat(2, 1)
    np.testing.assert_allclose(tiled[:, valid], whole[:, valid], atol=1e-6)


def test_mask_arrays_and_nan_are_one_mask():
    mask = np.zeros((12, 14), bool)
    mask[3, 4], mask[0, 7] = True, True
    image = IMAGE.copy()
    image[0, 3, 4] = np.nan
    masked = np.ma.masked_array(image, np.zeros(image.shape, bool))
    masked.mask[1, 0, 7] = True
    strategy = Strategy.exact(1)
    np.testing.assert_array_equal(
        upscale_array(masked, blur, strategy=strategy, tile=5, factor=2),
        upscale_array(IMAGE, blur, strategy=strategy, tile=5, factor=2, mask=mask),
    )


def test_tiles_without_a_valid_pixel_are_not_predicted():
    mask = np.ones((12, 14), bool)
    mask[11, 13] = False
    predict, batches = recorded(blur)
    upscale_array(IMAGE, predict, strategy=Strategy.exact(1), tile=4, factor=2, mask=mask)
    assert sum(len(batch) for batch in batches) == 2  # one that shows how many outputs there are


def test_an_image_without_a_valid_pixel_is_nan_of_the_right_shape():
    tiled = upscale_array(np.full_like(IMAGE, np.nan), blur, strategy=Strategy.exact(1), tile=4, factor=2)
    assert tiled.shape == (2, 24, 28)
    assert np.isnan(tiled).all()


def test_strips_bring_their_mask():
    mask = np.random.default_rng(0).random((12, 14)) < 0.3
    image = np.where(mask, np.nan, IMAGE).astype(np.float32)
    strips = list(
        upscale_strips(
            lambda rows: image[:, rows], (12, 14), blur, strategy=Strategy.blended(2), tile=5, factor=2
        )
    )
    together = np.concatenate([strip.mask for strip in strips])
    np.testing.assert_array_equal(together, mask.repeat(2, 0).repeat(2, 1))
    values = np.concatenate([strip.values for strip in strips], axis=1)
    np.testing.assert_array_equal(np.isnan(values).any(axis=0), together)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_one_missing_pixel_costs_no_other(value):
    image = IMAGE.copy()
    image[0, 5, 5] = value
    tiled = upscale_array(image, blur, strategy=Strategy.exact(1), tile=5, factor=2)
    assert np.isnan(tiled).any(axis=0).sum() == 4
