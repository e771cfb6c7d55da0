"""Predictors: what they promise, and round trips of every one on any cube."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tests.line_networks import random_network, smooth_cube

from spatial_prediction.compression.linerwkv import quantised
from spatial_prediction.compression.predictors import (
    NEIGHBOURS,
    DifferentialPredictor,
    LeastSquaresPredictor,
    LineRWKVPredictor,
    Prediction,
    Predictor,
    from_residuals,
    to_residuals,
)
from spatial_prediction.compression.predictors._normal_equations import WEIGHT_BITS, gather, solve
from spatial_prediction.errors import ConfigurationError, StreamError

NETWORK = quantised(random_network())
MAKERS = {name: lambda name=name, **size: DifferentialPredictor(name, **size) for name in NEIGHBOURS}
MAKERS |= {
    "least_squares": lambda **size: LeastSquaresPredictor(spectral_order=3, **size),
    "linerwkv": lambda **size: LineRWKVPredictor(NETWORK, **size),
    "mixed": lambda **size: LeastSquaresPredictor(
        spectral_order=2, experts=[LineRWKVPredictor(NETWORK, **size)], **size
    ),
}


def sizes(cube):
    return {"columns": cube.shape[1], "bands": cube.shape[2]}


def round_trip(name, cube, error):
    residuals = to_residuals(cube, MAKERS[name](**sizes(cube)), largest_error=error)
    return from_residuals(residuals, MAKERS[name](**sizes(cube)), dtype=cube.dtype, largest_error=error)


@pytest.mark.parametrize("name", MAKERS)
@settings(max_examples=15)
@given(data=st.data())
def test_any_cube_comes_back(name, data):
    dtype = data.draw(st.sampled_from(["uint16", "int16", "uint8", ">u2"]))
    shape = data.draw(st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(1, 5)))
    cube = data.draw(arrays(np.dtype(dtype), shape))
    error = data.draw(st.sampled_from([0, 0, 1, 5, 100]))
    decoded = round_trip(name, cube, error)
    assert decoded.dtype == cube.dtype
    assert np.abs(decoded.astype(int) - cube.astype(int)).max() <= error


@pytest.mark.parametrize("name", MAKERS)
def test_errors_of_each_band_are_kept(name):
    cube = smooth_cube(20, 9, 4)
    error = [0, 1, 2, 30]
    decoded = round_trip(name, cube, error)
    difference = np.abs(decoded.astype(int) - cube).max((0, 1))
    assert (difference <= error).all()
    assert difference[3] > 2


@pytest.mark.parametrize("name", MAKERS)
def test_strided_cubes_are_taken(name):
    cube = np.moveaxis(smooth_cube(4, 5, 6), 2, 0)[::2, ::-1, :]
    np.testing.assert_array_equal(round_trip(name, cube, 0), cube)


@pytest.mark.parametrize("name", MAKERS)
def test_every_predictor_keeps_to_the_protocol(name):
    assert isinstance(MAKERS[name](columns=2, bands=2), Predictor)


@pytest.mark.parametrize(("name", "largest"), [("band", 3), ("line", 30), ("both", 0)])
def test_neighbours_predict_what_they_are_for(name, largest):
    row, column, band = np.meshgrid(np.arange(3), np.arange(4), np.arange(5), indexing="ij")
    cube = (1000 + 30 * row + 3 * band + column**3).astype(np.uint16)
    residuals = to_residuals(cube, DifferentialPredictor(name, **sizes(cube)))
    assert (residuals[1:, :, 1:] == 2 * largest).all()


def test_least_squares_learn_a_linear_law():
    """A band that is a sum of multiples of two others leaves nothing, once seen."""
    rng = np.random.default_rng(1)
    two = rng.integers(0, 4000, (12, 40, 2))
    cube = np.concatenate([two, 2 * two[..., :1] + 3 * two[..., 1:]], -1).astype(np.uint16)
    residuals = to_residuals(cube, LeastSquaresPredictor(spectral_order=2, **sizes(cube)))
    assert residuals[6:, :, 2].max() <= 4
    assert residuals[6:, :, 0].mean() > 500


def test_least_squares_beat_neighbours_on_what_is_smooth():
    cube = smooth_cube(24, 32, 8, noise=10)
    residuals = {
        "both": to_residuals(cube, DifferentialPredictor("both", **sizes(cube))),
        "fit": to_residuals(cube, LeastSquaresPredictor(spectral_order=4, **sizes(cube))),
    }
    assert residuals["fit"][8:].mean() < 0.8 * residuals["both"][8:].mean()


def test_an_expert_that_knows_the_future_is_believed():
    cube = np.random.default_rng(2).integers(0, 5000, (8, 50, 2)).astype(np.uint16)

    class Oracle:
        position = 0

        def predict(self):
            row, band = divmod(self.position, 2)
            return Prediction.of_samples(cube[row, :, band].astype(np.int64))

        def update(self, samples):
            self.position += 1

    residuals = to_residuals(cube, LeastSquaresPredictor(spectral_order=1, experts=[Oracle()], **sizes(cube)))
    assert residuals[4:].max() <= 2


def test_experts_that_need_the_sample_to_the_left_are_refused():
    cube = smooth_cube(3, 6, 2)
    inner = LeastSquaresPredictor(**sizes(cube))
    with pytest.raises(ConfigurationError, match="LeastSquaresPredictor"):
        to_residuals(cube, LeastSquaresPredictor(experts=[inner], **sizes(cube)))


def test_equations_are_solved_as_in_floating_point():
    rng = np.random.default_rng(0)
    features = rng.integers(-3000, 3000, (6, 500)).astype(np.int32)
    features[5] = features[4] + rng.integers(-20, 20, 500)
    targets = (0.7 * features[0] - 0.2 * features[5] + rng.normal(size=500)).astype(np.int32)
    normal, right, weights = np.zeros((6, 6), np.int64), np.zeros(6, np.int64), np.zeros(6, np.int64)
    gather(features, targets, 6, normal, right)
    solve(normal, right, weights)
    expected = features.T @ np.array([0.7, 0, 0, 0, 0, -0.2])
    assert np.abs(features.T @ (weights / 2**WEIGHT_BITS) - expected).max() < 12


def test_equations_of_nothing_have_no_weights():
    weights = np.ones(3, np.int64)
    solve(np.zeros((3, 3), np.int64), np.zeros(3, np.int64), weights)
    assert not weights.any()


def test_damaged_residuals_are_named():
    cube = smooth_cube(3, 4, 2)
    residuals = to_residuals(cube, MAKERS["both"](**sizes(cube)))
    residuals[2, 1, 1] = 65535
    with pytest.raises(StreamError, match="line 2, band 1"):
        from_residuals(residuals, MAKERS["both"](**sizes(cube)), dtype="int16", largest_error=9)


@pytest.mark.parametrize("dtype", ["float32", "int32", "uint32"])
def test_other_types_are_refused(dtype):
    with pytest.raises(ConfigurationError, match=dtype):
        to_residuals(np.zeros((1, 1, 1), dtype), MAKERS["both"](columns=1, bands=1))


def test_negative_errors_are_refused():
    with pytest.raises(ConfigurationError, match="-1"):
        to_residuals(np.zeros((1, 1, 1), np.uint8), MAKERS["both"](columns=1, bands=1), largest_error=-1)


@pytest.mark.parametrize(
    "make",
    [
        lambda: DifferentialPredictor("column", columns=1, bands=1),
        lambda: LeastSquaresPredictor(columns=1, bands=1, spectral_order=-1),
        lambda: LeastSquaresPredictor(columns=1, bands=1, forgetting=32),
    ],
)
def test_settings_out_of_range_are_refused(make):
    with pytest.raises(ConfigurationError):
        make()
