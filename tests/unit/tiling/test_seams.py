import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spatial_prediction.tiling import (
    Strategy,
    deviation_at_crossings,
    deviation_bound,
    deviation_by_distance,
    plan_tiles,
    seam_is_visible,
    seam_steps,
    stitch_lines,
    tile_mismatch,
    visible_share,
    worst_deviation,
)


def plane(height=12, width=16):
    return 0.5 * np.arange(width) - 0.25 * np.arange(height)[:, None]


def with_step(image, column, step):
    return image + step * (np.arange(image.shape[-1]) >= column)


def test_stitch_lines_lie_where_tiles_meet():
    plan = plan_tiles((20, 9), tile=8, strategy=Strategy.cropped(1), factor=2)
    assert stitch_lines(plan) == ((16, 32), ())


def test_deviation_by_distance_counts_from_the_nearest_line_of_either_direction():
    whole = np.zeros((2, 6, 8))
    tiled = np.zeros((2, 6, 8))
    tiled[:, :, [3, 4]] = 2  # next to the line at 4
    tiled[:, [1, 2], :] += 1  # next to the line at 2
    deviation = deviation_by_distance(tiled, whole, (2,), (4,), up_to=5)
    near = np.zeros((6, 8))
    near[:, [3, 4]] += 2
    near[[1, 2]] += 1
    assert deviation[0] == pytest.approx((near**2)[near > 0].mean())
    np.testing.assert_array_equal(deviation[1:4], 0)
    assert np.isnan(deviation[4])


def test_without_lines_nothing_is_near_one():
    assert np.isnan(deviation_by_distance(np.ones((4, 4)), np.zeros((4, 4)), (), (), up_to=2)).all()


def test_crossings_are_where_lines_of_both_directions_are_near():
    tiled = np.zeros((8, 8))
    tiled[3:5, 3:5] = 3
    assert deviation_at_crossings(tiled, np.zeros((8, 8)), (4,), (4,), within=1) == 9
    assert deviation_at_crossings(tiled, np.zeros((8, 8)), (4,), (4,), within=2) == 9 / 4
    assert np.isnan(deviation_at_crossings(tiled, tiled, (4,), (), within=1))
    assert worst_deviation(tiled, np.full((8, 8), 4)) == 4


def test_a_plane_has_no_excess():
    steps = seam_steps(plane(), [5, 9])
    assert steps.across == steps.beside == 0.5
    assert steps.excess == 0


def test_a_step_is_all_excess():
    steps = seam_steps(with_step(plane(), 7, 3), [7])
    assert steps.across == 3.5
    assert steps.beside == 0.5
    assert steps.excess == pytest.approx(3)


def test_a_kink_is_half_excess():
    """The gradient changes from 0 to 1 at the line: expected 1/2, found 1."""
    ramp = np.maximum(np.arange(16.0) - 6, 0) * np.ones((3, 1))
    assert seam_steps(ramp, [7]).excess == 0.5


def test_seams_stand_out_of_noise_only_when_they_are_there():
    rng = np.random.default_rng(0)
    images = rng.standard_normal((200, 16, 48)).cumsum(axis=-1)
    share = visible_share(images, [24], level=0.1)
    assert 0.03 < share < 0.2  # false alarms, about one in ten
    assert visible_share(with_step(images, 24, 5), [24], level=0.1) > 0.95
    assert not seam_is_visible(plane(), [8])


MAPS = st.integers(0, 2**32 - 1).map(lambda seed: np.random.default_rng(seed).standard_normal((3, 4, 5)))


@given(MAPS, MAPS, MAPS)
def test_predictions_deviate_by_no_more_than_the_bound(truth, first, second):
    errors = [np.mean((prediction - truth) ** 2) for prediction in (first, second)]
    assert np.mean((first - second) ** 2) <= deviation_bound(*errors) * (1 + 1e-12)


@given(MAPS, MAPS)
def test_opposite_errors_reach_the_bound(truth, error):
    mse = np.mean(error**2)
    deviation = np.mean(((truth + error) - (truth - error)) ** 2)
    assert deviation == pytest.approx(deviation_bound(mse, mse))


def test_tile_mismatch_compares_what_both_neighbours_predicted():
    whole = np.random.default_rng(0).standard_normal((2, 4, 40))
    reads = [slice(0, 8), slice(6, 14), slice(12, 20)]
    predictions = [whole[..., 2 * read.start : 2 * read.stop] for read in reads]
    assert tile_mismatch(predictions, reads, 2) == 0
    predictions[2] = predictions[2] + 3
    assert tile_mismatch(predictions, reads, 2) == pytest.approx(9 / 2)
    with pytest.raises(ValueError, match="must overlap to be compared"):
        tile_mismatch(predictions, [slice(0, 8), slice(8, 16), slice(16, 24)], 2)


@pytest.mark.parametrize("columns", [[], [1], [15]])
def test_lines_need_two_pixels_on_each_side(columns):
    with pytest.raises(ValueError, match="at 2 to 14"):
        seam_steps(plane(), columns)


def test_visibility_needs_other_lines_to_compare_with():
    with pytest.raises(ValueError, match="take larger tiles"):
        seam_is_visible(plane()[:, :5], [2])


def test_the_grid_of_a_network_that_upscales_is_no_seam():
    rng = np.random.default_rng(0)
    blocks = rng.normal(size=(3, 40, 16)).repeat(4, axis=2)  # steps between blocks of four columns only
    assert seam_is_visible(blocks, [32], level=0.3)
    assert not seam_is_visible(blocks, [32], period=4)
    blocks[..., 32:] += 5.0
    assert seam_is_visible(blocks, [32], period=4)
    assert visible_share([blocks], [32], period=4) == 1
