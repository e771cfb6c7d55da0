"""Containers of every method: exact, within the largest error, and clear about what they cannot do."""

import numpy as np
import pytest
from tests.line_networks import smooth_cube

from spatial_prediction.compression import compress, decompress
from spatial_prediction.compression.methods import METHODS
from spatial_prediction.errors import ConfigurationError, StreamError


@pytest.mark.parametrize("predictor", METHODS)
@pytest.mark.parametrize(("dtype", "delta"), [("uint16", 0), (">i2", 0), ("uint8", 0), ("uint16", 3)])
@pytest.mark.parametrize("shape", [(7, 5, 4), (3, 1, 2), (1, 6, 1)])
def test_cubes_come_back(predictor, dtype, delta, shape):
    cube = smooth_cube(*shape).astype(dtype)
    decoded = decompress(compress(cube, delta=delta, rows_per_group=3, predictor=predictor))
    assert decoded.dtype == cube.dtype
    assert np.abs(decoded.astype(int) - cube.astype(int)).max() <= delta


@pytest.mark.parametrize("predictor", METHODS)
def test_errors_of_each_band_are_kept(predictor):
    cube = smooth_cube(6, 8, 3)
    decoded = decompress(compress(cube, delta=[0, 2, 9], predictor=predictor))
    assert (np.abs(decoded.astype(int) - cube).max((0, 1)) <= [0, 2, 9]).all()


def test_least_squares_take_fewer_bits():
    cube = smooth_cube(48, 40, 12, noise=10)
    sizes = {name: len(compress(cube, predictor=name)) for name in METHODS}
    assert sizes["least_squares"] < 0.95 * sizes["ccsds123"]


def test_unknown_methods_are_refused():
    with pytest.raises(ConfigurationError, match="'zip'"):
        compress(smooth_cube(2, 2, 2), predictor="zip")


def test_samples_of_32_bits_need_the_standard():
    with pytest.raises(ConfigurationError, match="int32"):
        compress(np.zeros((2, 2, 2), np.int32), predictor="least_squares")


@pytest.mark.parametrize("name", METHODS)
def test_damaged_groups_are_refused_or_have_their_shape(name):
    cube = smooth_cube(6, 8, 3)
    stream = METHODS[name].encode(cube, 0)
    with pytest.raises(StreamError):
        METHODS[name].decode(stream[: len(stream) // 2], cube.shape, cube.dtype, 0)
    with pytest.raises(StreamError):
        METHODS[name].decode(stream, (60, 80, 30), cube.dtype, 0)
