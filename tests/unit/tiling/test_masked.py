import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from tests.tiled_networks import blur, recorded, smooth_image

from spatial_prediction.padding import padding_from_name
from spatial_prediction.tiling import Strategy, fill_masked, upscale_array, upscale_strips

IMAGE = smooth_image((12, 14), channels=2)
MASKS = arrays.arrays(bool, (12, 14))
RUBBISH = st.sampled_from([np.nan, np.inf, 0.0, 1e30, -7.0])


@given(MASKS, RUBBISH, RUBBISH)
def test_filling_never_looks_under_the_mask(mask, first, second):
    filled = [fill_masked(np.where(mask, np.float32(value), IMAGE), mask) for value in (first, second)]
    np.testing.assert_array_equal(filled[0][:, ~mask], IMAGE[:, ~mask])
    if mask.any():
        np.testing.assert_array_equal(*filled)
        assert np.isfinite(filled[0]).all()


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


@settings(max_examples=30)
@given(MASKS, RUBBISH, st.sampled_from([Strategy.abutting(), Strategy.exact(1), Strategy.blended(2)]))
def test_masked_values_never_reach_the_output(mask, value, strategy):
    clean = upscale_array(IMAGE, blur, strategy=strategy, tile=5, factor=2, mask=mask)
    soiled = np.where(mask, np.float32(value), IMAGE)
    tiled = upscale_array(soiled, blur, strategy=strategy, tile=5, factor=2, mask=mask)
    np.testing.assert_array_equal(tiled, clean)
    np.testing.assert_array_equal(np.isnan(tiled).all(axis=0), mask.repeat(2, 0).repeat(2, 1))


@settings(max_examples=30)
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


SIDES = {
    "below": ((slice(0, 12), slice(None)), ((0, 4), (0, 0))),
    "above": ((slice(4, 16), slice(None)), ((4, 0), (0, 0))),
    "right": ((slice(None), slice(0, 12)), ((0, 0), (0, 4))),
    "left": ((slice(None), slice(4, 16)), ((0, 0), (4, 0))),
}
CONTINUING = ("lp2x3", "lp1x1cs", "lp2x1cs", "lp3x3", "extr2", "extr3")


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("name", CONTINUING)
def test_beyond_a_straight_border_lies_what_the_padding_predicts(name, side):
    valid, widths = SIDES[side]
    image = smooth_image((16, 16), channels=2)
    mask = np.ones((16, 16), bool)
    mask[valid] = False
    known = image[:, *valid]
    padded = np.asarray(padding_from_name(name, widths)(jnp.asarray(known)))
    ends = known.min(axis=(1, 2), keepdims=True), known.max(axis=(1, 2), keepdims=True)
    filled = fill_masked(np.where(mask, np.float32(7e4), image), mask, padding=padding_from_name(name, 1))
    np.testing.assert_allclose(filled, np.clip(padded, *ends), atol=2e-5)


@settings(max_examples=20)
@given(MASKS, RUBBISH, st.sampled_from(["lp2x3", "lp1x1cs", "extr2"]))
def test_continuing_never_looks_under_the_mask(mask, value, name):
    padding = padding_from_name(name, 1)
    filled = fill_masked(np.where(mask, np.float32(value), IMAGE), mask, padding=padding)
    np.testing.assert_array_equal(filled, fill_masked(IMAGE, mask, padding=padding))
    np.testing.assert_array_equal(filled[:, ~mask], IMAGE[:, ~mask])
    if not mask.all():
        valid = IMAGE[:, ~mask]
        assert (filled.min(axis=(1, 2)) >= valid.min(axis=1)).all()
        assert (filled.max(axis=(1, 2)) <= valid.max(axis=1)).all()


@settings(max_examples=15)
@given(MASKS, RUBBISH)
def test_masked_values_never_reach_the_output_through_what_continues_them(mask, value):
    options = {
        "strategy": Strategy.exact(1), "tile": 5, "factor": 2, "mask": mask,
        "padding": padding_from_name("lp2x3", 1),
    }  # fmt: skip
    soiled = np.where(mask, np.float32(value), IMAGE)
    clean = upscale_array(IMAGE, blur, **options)
    np.testing.assert_array_equal(upscale_array(soiled, blur, **options), clean)
    np.testing.assert_array_equal(np.isnan(clean).all(axis=0), mask.repeat(2, 0).repeat(2, 1))


@pytest.mark.parametrize(("name", "share"), [("extr2", 0.5), ("lp2x3", 0.5), ("lp1x1cs", 0.9)])
def test_a_wedge_is_continued_better_than_by_the_nearest_pixel(name, share):
    """Right up to a diagonal border: there the first ring beyond matters most."""
    y, x = np.mgrid[:40, :40]
    image = np.stack([np.sin((x + 2 * y) / 9), np.cos((2 * x - y) / 8)]).astype(np.float32)
    mask = y > x + 3
    ring = mask & (y <= x + 5)

    def error(**options):
        filled = fill_masked(np.where(mask, np.float32(99), image), mask, **options)
        return np.mean((filled - image)[:, ring] ** 2)

    assert error(padding=padding_from_name(name, 1)) < share * error()


def test_a_plane_is_continued_exactly_whatever_the_border():
    """Extrapolation of order 2 is exact for planes, but where it leaves the range of the valid pixels."""
    y, x = np.mgrid[:20, :24]
    image = (x + 0.5 * y)[None].astype(np.float32)
    mask = (y - 9) ** 2 + (x - 11) ** 2 < 20
    filled = fill_masked(np.where(mask, np.nan, image), mask, padding=padding_from_name("extr2", 1))
    np.testing.assert_allclose(filled, image, atol=1e-4)


def test_pixels_further_than_the_depth_are_the_nearest_ones():
    mask = np.zeros((12, 14), bool)
    mask[:, 4:] = True
    filled = fill_masked(IMAGE, mask, padding=padding_from_name("extr2", 1), depth=3)
    np.testing.assert_array_equal(filled[:, :, 7:], fill_masked(IMAGE, mask)[:, :, 7:])
    assert (filled[:, :, 4:7] != fill_masked(IMAGE, mask)[:, :, 4:7]).any()


@pytest.mark.parametrize("name", ["zero", "repl", "refl", "circ"])
def test_paddings_that_copy_leave_it_at_the_nearest_pixel(name):
    mask = IMAGE[0] > 0.3
    filled = fill_masked(IMAGE, mask, padding=padding_from_name(name, 1))
    np.testing.assert_array_equal(filled, fill_masked(IMAGE, mask))
