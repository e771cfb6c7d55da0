"""Mapping of residuals: one to one, inside the range, with a guaranteed error."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spatial_prediction.compression.predictors import FRACTION_BITS
from spatial_prediction.compression.predictors._quantiser import map_residuals, unmap_residuals


@given(
    low=st.sampled_from([0, -32768, -128]),
    error=st.integers(0, 70000),
    prediction=st.integers(-(2**30), 2**30) | st.integers(-300, 300),
    data=st.data(),
)
def test_samples_come_back_within_the_largest_error(low, error, prediction, data):
    high = low + data.draw(st.sampled_from([255, 65535]))
    samples = np.array(data.draw(st.lists(st.integers(low, high), min_size=1, max_size=4)))
    prediction = np.full(len(samples), prediction)
    values, left = prediction << FRACTION_BITS, data.draw(st.integers(-(2**22), 2**22))
    mapped, decoded, again = (np.empty_like(samples) for _ in range(3))
    map_residuals(samples, values, left, error, low, high, mapped, decoded)
    assert (mapped >= 0).all()
    assert (mapped <= high - low).all()
    assert unmap_residuals(mapped, values, left, error, low, high, again)
    np.testing.assert_array_equal(again, decoded)
    assert np.abs(decoded - samples).max() <= error
    assert decoded.min() >= low
    assert decoded.max() <= high


@pytest.mark.parametrize("error", [0, 1, 3])
@pytest.mark.parametrize("prediction", [0, 1, 7, 100, 254, 255])
def test_every_number_in_range_is_used_once(error, prediction):
    samples = np.arange(256)
    mapped, decoded = np.empty_like(samples), np.empty_like(samples)
    map_residuals(samples, np.full(256, prediction) << FRACTION_BITS, 0, error, 0, 255, mapped, decoded)
    assert sorted(set(mapped)) == list(range(mapped.max() + 1))
    beyond = np.array([mapped.max() + 1])
    values = np.array([prediction << FRACTION_BITS])
    assert not unmap_residuals(beyond, values, 0, error, 0, 255, np.empty_like(beyond))
    assert not unmap_residuals(np.array([-1]), values, 0, error, 0, 255, np.empty_like(beyond))


def test_small_residuals_have_small_numbers():
    samples = np.array([10, 11, 9, 12, 8, 100])
    mapped, decoded = np.empty_like(samples), np.empty_like(samples)
    map_residuals(samples, np.full(6, 10) << FRACTION_BITS, 0, 0, 0, 65535, mapped, decoded)
    assert mapped.tolist() == [0, 2, 1, 4, 3, 100]


def test_the_sample_to_the_left_counts():
    samples = np.array([100, 104, 108])
    mapped, decoded = np.empty_like(samples), np.empty_like(samples)
    values = np.array([100, 52, 52]) << FRACTION_BITS
    map_residuals(samples, values, 1 << (FRACTION_BITS - 1), 0, 0, 65535, mapped, decoded)
    assert mapped.tolist() == [0, 4, 8]
