"""Containers of every method: exact, within the largest error, and clear about what they cannot do."""

import io

import numpy as np
import pytest
from tests.line_networks import random_network, smooth_cube

from spatial_prediction.compression import compress, decompress
from spatial_prediction.compression.container import ContainerWriter, Description
from spatial_prediction.compression.cubes import CubeReader
from spatial_prediction.compression.linerwkv import quantised
from spatial_prediction.compression.methods import METHODS, PREDICTORS, method_of
from spatial_prediction.errors import CheckpointError, ConfigurationError, StreamError

NETWORK = quantised(random_network())


def network_for(predictor):
    return None if predictor in METHODS else NETWORK


@pytest.mark.parametrize("predictor", PREDICTORS)
@pytest.mark.parametrize(("dtype", "delta"), [("uint16", 0), (">i2", 0), ("uint8", 0), ("uint16", 3)])
@pytest.mark.parametrize("shape", [(7, 5, 4), (3, 1, 2), (1, 6, 1)])
def test_cubes_come_back(predictor, dtype, delta, shape):
    cube = smooth_cube(*shape).astype(dtype)
    network = network_for(predictor)
    stream = compress(cube, delta=delta, rows_per_group=3, predictor=predictor, network=network)
    decoded = decompress(stream, network=network)
    assert decoded.dtype == cube.dtype
    assert np.abs(decoded.astype(int) - cube.astype(int)).max() <= delta


@pytest.mark.parametrize("predictor", PREDICTORS)
def test_errors_of_each_band_are_kept(predictor):
    cube, network = smooth_cube(6, 8, 3), network_for(predictor)
    stream = compress(cube, delta=[0, 2, 9], predictor=predictor, network=network)
    decoded = decompress(stream, network=network)
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


@pytest.mark.parametrize("name", PREDICTORS)
def test_damaged_groups_are_refused_or_have_their_shape(name):
    cube, method = smooth_cube(6, 8, 3), method_of(name, NETWORK)
    stream = method.encode(cube, 0)
    with pytest.raises(StreamError):
        method.decode(stream[: len(stream) // 2], cube.shape, cube.dtype, 0)
    with pytest.raises(StreamError):
        method.decode(stream, (60, 80, 30), cube.dtype, 0)


@pytest.fixture(scope="module")
def of_network():
    cube = smooth_cube(5, 6, 3)
    return cube, compress(cube, rows_per_group=2, predictor="linerwkv", network=NETWORK)


def test_the_container_names_its_network_and_takes_no_other(of_network):
    cube, stream = of_network
    reader = CubeReader(io.BytesIO(stream))
    assert reader.description.network == NETWORK.identity()
    with pytest.raises(
        ConfigurationError, match=f"network: .* compressed with the network {NETWORK.identity()}"
    ):
        reader.read_group(0)
    other = quantised(random_network(seed=1))
    with pytest.raises(ConfigurationError, match=f"network: is {other.identity()}"):
        decompress(stream, network=other)
    np.testing.assert_array_equal(CubeReader(io.BytesIO(stream), network=NETWORK).read_group(1), cube[2:4])


def test_threads_change_nothing(of_network):
    cube, stream = of_network
    assert compress(cube, rows_per_group=2, predictor="linerwkv", network=NETWORK, threads=3) == stream
    np.testing.assert_array_equal(decompress(stream, network=NETWORK, threads=3), cube)


def test_a_network_is_given_where_one_is_needed_and_nowhere_else():
    cube = smooth_cube(2, 2, 2)
    with pytest.raises(ConfigurationError, match="'linerwkv': needs a network: --network FILE"):
        compress(cube, predictor="linerwkv")
    with pytest.raises(ConfigurationError, match="'ccsds123' takes none"):
        compress(cube, network=NETWORK)
    np.testing.assert_array_equal(decompress(compress(cube), network=NETWORK), cube)  # a folder may hold both


def test_a_network_that_could_overflow_is_refused():
    wide = NETWORK._replace(head=NETWORK.head._replace(weight=np.full(8, 32767, np.int16)))
    with pytest.raises(CheckpointError, match=r"head\.weight is so large"):
        compress(smooth_cube(2, 2, 2), predictor="linerwkv", network=wide)


@pytest.mark.parametrize("predictor", PREDICTORS)
def test_headers_whose_network_does_not_fit_the_predictor_are_refused(predictor):
    file = io.BytesIO()
    network = "0" * 64 if predictor in METHODS else None
    writer = ContainerWriter(file, Description((1, 1, 1), "<u2", predictor, 1, network=network))
    writer.write_group(b"")
    writer.finish()
    with pytest.raises(StreamError, match="do not belong together"):
        CubeReader(file)


def test_no_header_has_a_network_where_there_is_none():
    stream = compress(smooth_cube(2, 2, 2))
    assert b"network" not in stream
    with pytest.raises(ConfigurationError, match="network='x': must be 64 hexadecimal digits"):
        ContainerWriter(io.BytesIO(), Description((1, 1, 1), "<u2", "linerwkv", 1, network="x"))
