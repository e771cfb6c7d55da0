"""Tiles added up in strips are the sum over the whole image."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spatial_prediction.tiling import Mixer, Strategy, plan_tiles


@settings(max_examples=60)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    tile=st.integers(4, 12),
    fade=st.integers(0, 2),
    skipped=st.integers(0, 20),
)
def test_tiles_add_up_to_the_weighted_sum(height, width, tile, fade, skipped):
    plan = plan_tiles((height, width), tile=tile, strategy=Strategy.blended(2, fade=fade), factor=2)
    random = np.random.default_rng(0)
    expected = np.zeros((3, 2 * height, 2 * width))
    found = np.full(expected.shape, np.nan, np.float32)
    mixer = Mixer(plan, 3)
    for i, rows in enumerate(plan.rows):
        for j, columns in enumerate(plan.columns):
            shape = (3, 2 * (rows.read.stop - rows.read.start), 2 * (columns.read.stop - columns.read.start))
            tile_values = None if i + j == skipped else random.normal(size=shape).astype(np.float32)
            if tile_values is not None:
                part = tile_values[:, rows.within, columns.within]
                expected[:, rows.write, columns.write] += part * rows.weights[:, None] * columns.weights
            values = mixer.add(i, j, tile_values)
            place = [slice(2 * each.start, 2 * each.stop) for each in mixer.finished(i, j)]
            assert np.isnan(found[:, *place]).all(), "given away twice"
            found[:, *place] = values
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_one_tile_is_given_away_as_it_is():
    plan = plan_tiles((5, 7), tile=16, strategy=Strategy.blended(2), factor=4)
    values = np.random.default_rng(0).normal(size=(3, 20, 28)).astype(np.float32)
    np.testing.assert_array_equal(Mixer(plan, 3).add(0, 0, values), values)
    assert Mixer(plan, 3).finished(0, 0) == (slice(0, 5), slice(0, 7))
    with pytest.raises(IndexError):
        Mixer(plan, 3).finished(1, 0)
