"""The coder by context: exact, small, and clear about damage."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from spatial_prediction.compression.context_coder import decode_residuals, encode_residuals
from spatial_prediction.errors import ConfigurationError, StreamError

SHAPES = st.tuples(*[st.integers(0, 5)] * 3)
RESIDUALS = SHAPES.flatmap(lambda shape: arrays(np.uint16, shape))


@given(RESIDUALS)
def test_any_residuals_come_back(residuals):
    np.testing.assert_array_equal(decode_residuals(encode_residuals(residuals), residuals.shape), residuals)


@pytest.mark.parametrize("value", [0, 1])
def test_constants_cost_next_to_nothing(value):
    residuals = np.full((40, 30, 20), value, np.uint16)
    stream = encode_residuals(residuals)
    np.testing.assert_array_equal(decode_residuals(stream, residuals.shape), residuals)
    assert len(stream) < 0.02 * residuals.size


def test_noise_costs_its_entropy():
    """Geometric residuals, with a mean for each row that neighbours show."""
    rng = np.random.default_rng(0)
    p = 1 / (1 + np.geomspace(4, 400, 60))[:, None, None]
    residuals = np.minimum(rng.geometric(np.broadcast_to(p, (60, 200, 20))) - 1, 65535).astype(np.uint16)
    entropy = (-(p * np.log2(p) + (1 - p) * np.log2(1 - p)) / p).mean()
    assert 8 * len(encode_residuals(residuals)) / residuals.size < 1.03 * entropy


def test_carries_run_through_bytes_that_wait():
    """Many streams, so that some have long runs of ones."""
    rng = np.random.default_rng(1)
    for _ in range(40):
        residuals = rng.choice(
            np.array([0, 1, 2, 65535], np.uint16), size=(30, 6, 5), p=[0.9, 0.05, 0.04, 0.01]
        )
        np.testing.assert_array_equal(
            decode_residuals(encode_residuals(residuals), residuals.shape), residuals
        )


@pytest.fixture(scope="module")
def coded():
    residuals = np.random.default_rng(2).geometric(0.05, (12, 9, 7)).astype(np.uint16)
    return residuals, encode_residuals(residuals)


def test_a_stream_cut_short_is_refused(coded):
    residuals, stream = coded
    for length in (0, 1, 3, len(stream) // 2, len(stream) - 1):
        with pytest.raises(StreamError, match=f"{length} bytes"):
            decode_residuals(stream[:length], residuals.shape)


def test_shapes_that_cannot_fit_take_no_memory(coded):
    with pytest.raises(StreamError, match="cannot hold"):
        decode_residuals(coded[1], (10**6, 10**6, 10**6))


def test_the_shortest_codes_are_not_refused():
    residuals = np.zeros((300, 100, 100), np.uint16)
    stream = encode_residuals(residuals)
    assert len(stream) < 4000
    assert not decode_residuals(stream, residuals.shape).any()


def test_any_stream_ends_in_residuals_or_an_error(coded):
    residuals, stream = coded
    rng = np.random.default_rng(3)
    outcomes = set()
    for _ in range(300):
        damaged = bytearray(stream)
        damaged[rng.integers(len(stream))] = rng.integers(256)
        try:
            outcomes.add(decode_residuals(bytes(damaged), residuals.shape).shape)
        except StreamError:
            outcomes.add(None)
    assert outcomes <= {residuals.shape, None}
    for length in (0, 10, 5000):
        noise = rng.integers(0, 256, length, dtype=np.uint8).tobytes()
        try:
            decode_residuals(noise, (3, 4, 5))
        except StreamError:
            outcomes.add(None)


@pytest.mark.parametrize("value", [-1, 65536])
def test_residuals_out_of_range_are_refused(value):
    with pytest.raises(ConfigurationError, match=str(value)):
        encode_residuals(np.full((1, 1, 1), value))
