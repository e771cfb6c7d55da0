import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tiled_networks import blur, recorded, smooth_image

from spatial_prediction.tiling import Strategy, upscale_array, upscale_strips

IMAGE = smooth_image((23, 30), channels=2)
WHOLE = blur(IMAGE[None])[0]


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (5, 5), (23, 30), (24, 8)])
@pytest.mark.parametrize("tile", [1, 4, 8, 100])
def test_exact_tiles_equal_the_whole_image(shape, tile):
    image = IMAGE[:, : shape[0], : shape[1]]
    tiled = upscale_array(image, blur, strategy=Strategy.exact(1), tile=tile, factor=2)
    np.testing.assert_allclose(tiled, blur(image[None])[0], atol=1e-6)
    assert tiled.dtype == np.float32


@pytest.mark.parametrize("curve", ["linear", "hann", "gaussian"])
def test_blends_of_what_agrees_change_nothing(curve):
    strategy = Strategy.blended(4, fade=None if curve == "gaussian" else 3, curve=curve)

    def pointwise(batch):
        return np.sin(batch)

    tiled = upscale_array(IMAGE, pointwise, strategy=strategy, tile=6, factor=1)
    np.testing.assert_allclose(tiled, np.sin(IMAGE), atol=1e-6)


def test_blends_mix_the_predictions_of_neighbours_with_their_weights():
    """Each tile says which it is; linearly across the seam at 8, two pixels on each side."""
    count = iter(range(10))

    def numbered(batch):
        return np.stack([np.full_like(window, next(count)) for window in batch])

    image = np.zeros((1, 1, 16), np.float32)
    tiled = upscale_array(
        image, numbered, strategy=Strategy.blended(2, curve="linear"), tile=8, factor=1, batch_size=1
    )
    expected = np.r_[np.zeros(6), 0.125, 0.375, 0.625, 0.875, np.ones(6)]
    np.testing.assert_allclose(tiled[0, 0], expected)


def test_where_four_tiles_cross_all_four_are_mixed():
    count = iter(range(10))

    def numbered(batch):
        return np.stack([np.full_like(window, 10.0 ** next(count)) for window in batch])

    strategy = Strategy.blended(1, curve="linear")
    tiled = upscale_array(
        np.zeros((1, 8, 8), np.float32), numbered, strategy=strategy, tile=4, factor=1, batch_size=1
    )
    share = np.array([0.75, 0.25])  # of the nearer and the further tile, half a pixel from the seam
    expected = np.outer(share, share).ravel() @ [1, 10, 100, 1000]
    assert tiled[0, 3, 3] == pytest.approx(expected)
    assert tiled[0, 4, 4] == pytest.approx(np.outer(share, share).ravel() @ [1000, 100, 10, 1])
    assert tiled[0, 0, 0] == 1
    assert tiled[0, 3, 0] == pytest.approx(share @ [1, 100])


def test_tiles_that_abut_see_nothing_of_each_other():
    tiled = upscale_array(IMAGE[:, :16, :16], blur, strategy=Strategy.abutting(), tile=8, factor=2)
    for row in (0, 8):
        for column in (0, 8):
            alone = blur(IMAGE[None, :, row : row + 8, column : column + 8])[0]
            np.testing.assert_array_equal(
                tiled[:, 2 * row : 2 * row + 16, 2 * column : 2 * column + 16], alone
            )


@settings(max_examples=30)
@given(st.integers(1, 23), st.integers(1, 30), st.integers(1, 9), st.integers(0, 3), st.integers(0, 3))
def test_strips_come_in_order_and_make_up_the_image(height, width, tile, overlap, fade):
    image = IMAGE[:, :height, :width]
    strategy = Strategy.blended(overlap, fade=min(fade, overlap))
    read = lambda rows: image[:, rows]  # noqa: E731
    strips = list(upscale_strips(read, (height, width), blur, strategy=strategy, tile=tile, factor=2))
    rows = [row for strip in strips for row in range(strip.rows.start, strip.rows.stop)]
    assert rows == list(range(2 * height))
    together = np.concatenate([strip.values for strip in strips], axis=1)
    whole = upscale_array(image, blur, strategy=strategy, tile=tile, factor=2)
    np.testing.assert_array_equal(together, whole)
    assert not any(strip.mask.any() for strip in strips)


def test_all_batches_have_one_shape_and_the_size_asked_for_at_most():
    predict, batches = recorded(blur)
    upscale_array(IMAGE, predict, strategy=Strategy.exact(1), tile=4, factor=2, batch_size=5)
    assert {batch.shape for batch in batches} == {(4, 2, 6, 6)}
    assert len(batches) == 6 * 2


def test_bands_are_read_from_top_to_bottom_with_their_overlap():
    asked = []

    def read(rows):
        asked.append((rows.start, rows.stop))
        return IMAGE[:, rows]

    list(upscale_strips(read, (23, 30), blur, strategy=Strategy.exact(1), tile=10, factor=2))
    assert asked == [(0, 12), (9, 21), (11, 23)]


def test_factor_comes_from_the_network_if_it_says_one():
    class Doubling:
        upscale_factor = 2

        def __call__(self, batch):
            return blur(batch)

    tiled = upscale_array(IMAGE, Doubling(), strategy=Strategy.exact(1), tile=8)
    np.testing.assert_allclose(tiled, WHOLE, atol=1e-6)


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"factor": 4}, ValueError, "a factor of 4 requires .*output crop of 0"),
        ({"factor": None}, ValueError, "factor must be given"),
        ({"network": 3}, TypeError, "Equinox module or a function of NumPy batches, got int"),
        ({"network": lambda batch: blur(batch).astype(int)}, TypeError, "got int64; convert them, or tile"),
        ({"image": np.zeros((1, 4, 4), np.int16)}, TypeError, "floating numbers"),
        ({"image": np.zeros((4, 4), np.float32)}, TypeError, "channels, height, width"),
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1, got 0"),
        ({"mask": np.zeros((3, 3), bool)}, ValueError, "mask must be of the image's height and width"),
    ],
)
def test_what_does_not_fit_is_refused(changed, error, message):
    arguments = {"image": IMAGE, "network": blur, "strategy": Strategy.exact(1), "factor": 2} | changed
    with pytest.raises(error, match=message):
        upscale_array(arguments.pop("image"), arguments.pop("network"), **arguments)
