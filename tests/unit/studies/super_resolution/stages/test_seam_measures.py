"""Numbers of a seam against loops over pixels, on images small enough to count."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spatial_prediction.studies.super_resolution.stages.seam_measures import measure_mismatch, measure_seam

SHELL = 2


def images(seed, side=8):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(3, side, side)).astype(np.float32) for _ in range(3)]


def measured(tiled, whole, truth):
    return {(each.quantity, each.distance): each for each in measure_seam(tiled, whole, truth, shell=SHELL)}


def distance(row, column, side):
    """Pixels between a pixel and the nearest of the two middle lines."""
    half = side // 2
    return min(half - 1 - at if at < half else at - half for at in (row, column))


@pytest.mark.parametrize(
    ("quantity", "first", "second"), [("deviation", 0, 1), ("error", 0, 2), ("error_untiled", 1, 2)]
)
def test_means_by_distance_are_those_of_a_loop_and_count_every_pixel_once(quantity, first, second):
    side, given_images = 8, images(0)
    squares = {}
    for band, row, column in np.ndindex(3, side, side):
        difference = float(given_images[first][band, row, column]) - given_images[second][band, row, column]
        squares.setdefault(distance(row, column, side), []).append(difference**2)
    figures = measured(*given_images)
    for away, values in squares.items():
        assert figures[quantity, away].value == pytest.approx(np.mean(values))
        assert 3 * figures[quantity, away].pixel_count == len(values)
    assert {key for key in figures if key[0] == quantity} == {(quantity, away) for away in squares}


def test_where_four_tiles_meet_and_the_worst_are_those_of_a_loop():
    tiled, whole, truth = images(1)
    near, worst = [], 0.0
    for band, row, column in np.ndindex(tiled.shape):
        difference = abs(float(tiled[band, row, column]) - whole[band, row, column])
        worst = max(worst, difference)
        if {row, column} <= {2, 3, 4, 5}:
            near.append(difference**2)
    figures = measured(tiled, whole, truth)
    assert figures["crossing", -1].value == pytest.approx(np.mean(near))
    assert figures["worst", -1].value == pytest.approx(worst)


def test_steps_are_those_between_the_two_middle_lines_of_both_directions():
    tiled, whole, truth = images(2)
    figures = measured(tiled, whole, truth)
    across = [np.abs(tiled[:, :, 4] - tiled[:, :, 3]), np.abs(tiled[:, 4] - tiled[:, 3])]
    assert figures["step_across", -1].value == pytest.approx(np.mean(across))
    beside = [
        np.abs(a - b)
        for a, b in (
            (tiled[:, :, 3], tiled[:, :, 2]), (tiled[:, :, 5], tiled[:, :, 4]),
            (tiled[:, 3], tiled[:, 2]), (tiled[:, 5], tiled[:, 4]),
        )
    ]  # fmt: skip
    assert figures["step_beside", -1].value == pytest.approx(np.mean(beside))


def test_a_step_in_a_smooth_image_is_visible_in_its_direction_and_nowhere_else():
    ramp = np.broadcast_to(np.sin(np.arange(16) / 3).astype(np.float32), (3, 16, 16))
    stepped = ramp + np.where(np.arange(16) < 8, 0, 0.5).astype(np.float32)
    figures = measured(stepped, ramp, ramp)
    assert figures["visible", -1].value == 0.5
    assert figures["excess", -1].value > 0.1 > figures["excess_untiled", -1].value
    assert figures["visible_untiled", -1].value == 0


@given(st.integers(0, 2**32 - 1), st.floats(0, 2))
def test_the_deviation_keeps_to_its_bound_and_reaches_it_where_errors_are_opposite(seed, size):
    tiled, whole, truth = images(seed)
    whole = (truth + size * (whole - truth)).astype(np.float32)
    figures = measured(tiled, whole, truth)
    assert np.mean((tiled.astype(float) - whole) ** 2) <= figures["bound", -1].value * (1 + 1e-9)
    opposite = (2.0 * truth - tiled).astype(np.float32)
    reached = measured(tiled, opposite, truth)["bound", -1].value
    assert np.mean((tiled.astype(float) - opposite) ** 2) == pytest.approx(reached, rel=1e-4)


def test_tiles_are_compared_over_what_both_keep():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 3, 16, 16)).astype(np.float32)
    reads, crop, factor = [slice(5, 13), slice(8, 16)], 1, 2  # they keep 6 to 12 and 9 to 15
    mismatch = measure_mismatch([first, second], reads, crop=crop, factor=factor)
    squares = [
        (float(first[band, row, 8 + column]) - second[band, row, 2 + column]) ** 2
        for band, row, column in np.ndindex(3, 16, 6)
        if 2 <= row < 14
    ]
    assert mismatch.value == pytest.approx(np.mean(squares))
    assert 3 * mismatch.pixel_count == len(squares)
