"""What CCSDS 123.0-B-2 promises, and what is refused; tests/golden compares streams bit by bit."""

import dataclasses

import numpy as np
import pytest
from tests.compressed_streams import EACH_KIND, damaged, outcome, smooth_cube

from spatial_prediction.compression import ccsds123
from spatial_prediction.compression.entropy_coder import encode_residuals
from spatial_prediction.errors import ConfigurationError, StreamError


@pytest.mark.parametrize("kind", EACH_KIND)
def test_the_header_says_what_was_asked_for(kind):
    stream = ccsds123.compress(smooth_cube(), **EACH_KIND[kind])
    read, length = ccsds123.read_header(stream)
    asked = ccsds123.Parameters(N_X=6, N_Y=5, N_Z=4, **EACH_KIND[kind])
    ignored = {"Sigma_0"}
    if asked.u is not None:  # its limits stand in the body
        ignored |= {"a", "r"}
    if asked.K is None and asked.entropy_coder == "sample_adaptive":
        asked = dataclasses.replace(asked, K=3)
    for field in dataclasses.fields(asked):
        if field.name not in ignored:
            assert getattr(read, field.name) == getattr(asked, field.name), field.name
    assert 19 <= length < len(stream)


@pytest.mark.parametrize("kind", EACH_KIND)
def test_errors_keep_to_their_limits(kind):
    cube = smooth_cube()
    parameters = EACH_KIND[kind]
    error = np.abs(ccsds123.decompress(ccsds123.compress(cube, **parameters)).astype(int) - cube)
    if parameters.get("fidelity") is None:
        assert error.max() == 0
        return
    absolute = np.array(parameters["a"])
    if "u" in parameters:
        absolute = absolute[np.arange(5) >> parameters["u"]][:, None, None]
    assert np.all(error <= absolute)
    assert error.max() > 0


def test_relative_limits_bound_the_error_by_the_prediction():
    cube = smooth_cube((12, 10, 6))
    stream = ccsds123.compress(cube, fidelity="relative", r=400)
    error = np.abs(ccsds123.decompress(stream).astype(int) - cube)
    assert 0 < error.max() <= 400 * int(cube.max()) * 1.2 / 2**16
    assert len(stream) < 0.7 * len(ccsds123.compress(cube))


@pytest.mark.parametrize("parameters", [{}, {"fidelity": "absolute", "a": 2}])
def test_mapped_indices_are_what_the_coder_is_given(parameters):
    cube = smooth_cube()
    stream = ccsds123.compress(cube, encoding_order="BI", M=1, **parameters)
    _, length = ccsds123.read_header(stream)
    assert encode_residuals(ccsds123.mapped_indices(cube, **parameters)) == stream[length:]


@pytest.mark.parametrize("dtype", ["u1", "i1", "<u2", ">u2", "<i2", ">i2", "<u4", ">i4"])
def test_every_integer_type_comes_back(dtype):
    info = np.iinfo(dtype)
    cube = np.random.default_rng(0).integers(info.min, info.max, (4, 5, 3), endpoint=True).astype(dtype)
    cube[0, 0] = info.min
    cube[1, 1] = info.max
    decoded = ccsds123.decompress(ccsds123.compress(cube))
    np.testing.assert_array_equal(decoded, cube)
    assert decoded.dtype == f"{info.kind}{max(2, info.bits // 8)}"


def test_the_layout_of_a_cube_does_not_matter():
    cube = smooth_cube()
    strided = np.zeros((10, 6, 8), ">u2")[::-2, :, ::2]
    strided[...] = cube
    strided.flags.writeable = False
    assert ccsds123.compress(strided) == ccsds123.compress(cube) == ccsds123.compress(np.asfortranarray(cube))


def test_parameters_may_be_numbers_and_arrays_of_numpy():
    cube = smooth_cube()
    plain = {"D": 14, "P": 2, "fidelity": "absolute", "a": [1, 2, 3, 4], "K": [1, 2, 3, 4]}
    arrays = {name: value if isinstance(value, str) else np.array(value)[()] for name, value in plain.items()}
    assert isinstance(arrays["D"], np.int64)
    assert ccsds123.compress(cube, **arrays) == ccsds123.compress(cube, **plain)


def test_a_smooth_cube_takes_far_fewer_bits_than_it_has():
    cube = smooth_cube((20, 20, 10))
    assert 8 * len(ccsds123.compress(cube)) < 0.5 * 16 * cube.size


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"p": 3}, "p: is no parameter"),
        ({"N_X": 7}, "N_X=7: the cube has 6"),
        ({"D": 8}, "cube: samples are"),
        ({"D": 33}, "D=33"),
        ({"P": 16}, "P=16"),
        ({"R": 31}, "R=31"),
        ({"t_inc": 48}, "t_inc=48: must be a power of two"),
        ({"v_min": 4}, "v_max=3"),
        ({"B": 9}, "B=9"),
        ({"user_data": 256}, "user_data=256"),
        ({"encoding_order": "BI", "M": 5}, "M=5"),
        ({"local_sum": "wide"}, "local_sum='wide': must be one of wide_neighbor"),
        ({"a": 1}, "a=1: does not go with fidelity='lossless'"),
        ({"fidelity": "absolute"}, "a=None: does not go with fidelity='absolute'"),
        ({"fidelity": "absolute", "a": 4, "D_A": 2}, "a=4: must be a whole number from 0 to 3"),
        ({"fidelity": "absolute", "a": [1, 2]}, "a: has 2 values for 4 bands"),
        ({"fidelity": "absolute", "a": 1.5}, "a=1.5: must be a whole number or a sequence"),
        ({"fidelity": "absolute", "a": [1, 2], "u": 2}, "u: error limits change only in encoding_order='BI'"),
        ({"fidelity": "absolute", "a": [1], "u": 2, "encoding_order": "BI"}, "each of 2 periods"),
        ({"fidelity": "absolute", "a": [1, [1] * 4], "u": 2, "encoding_order": "BI"}, "some periods"),
        ({"Theta": 5}, "Theta=5"),
        ({"Theta": 1, "phi": 2}, "phi=2"),
        ({"Theta": 1, "psi": 1}, "psi=1: must be 0 with fidelity='lossless'"),
        ({"Q": 3}, "custom weights need both Lambda and Q"),
        ({"Q": 3, "Lambda": [[0, 0, 0]]}, "Lambda: has 1 entries for 4 bands"),
        ({"Q": 3, "Lambda": [[0, 0, 0]] * 4}, "Lambda: band 1 has 3 values, 4 are needed"),
        ({"zeta": [[6], [0, 0], [0, 0, 0], [0, 0, 0, 0]]}, "zeta=6"),
        ({"K": [3]}, "K: has 1 values for 4 bands"),
        ({"entropy_coder": "hybrid", "Sigma_0": 1 << 17}, "Sigma_0=131072"),
    ],
    ids=str,
)
def test_parameters_out_of_their_range_are_refused(parameters, message):
    with pytest.raises(ConfigurationError, match=message):
        ccsds123.compress(smooth_cube(), **parameters)


def test_one_column_needs_a_mode_that_looks_up_only():
    with pytest.raises(ConfigurationError, match="N_X=1: one column needs"):
        ccsds123.compress(smooth_cube((5, 1, 4)))


@pytest.mark.parametrize("wrong", [np.zeros((2, 2), int), np.zeros((2, 2, 2)), np.zeros((2, 2, 2), np.int64)])
def test_what_is_no_cube_is_refused(wrong):
    with pytest.raises(ConfigurationError, match="cube: must be whole numbers of 8 to 32 bits"):
        ccsds123.compress(wrong)


@pytest.mark.parametrize("kind", EACH_KIND)
def test_a_stream_that_is_cut_off_is_an_error_wherever_it_is_cut(kind):
    stream = ccsds123.compress(smooth_cube(), **EACH_KIND[kind])
    for length in range(len(stream)):
        with pytest.raises(StreamError, match="damaged"):
            ccsds123.decompress(stream[:length])


@pytest.mark.parametrize("kind", EACH_KIND)
def test_a_longer_stream_is_an_error(kind):
    stream = ccsds123.compress(smooth_cube(), **EACH_KIND[kind])
    with pytest.raises(StreamError, match="damaged"):
        ccsds123.decompress(stream + bytes(8))


@pytest.mark.parametrize("kind", EACH_KIND)
def test_damage_gives_an_error_or_a_cube(kind):
    stream = ccsds123.compress(smooth_cube(), **EACH_KIND[kind])
    rng = np.random.default_rng(0)
    assert {outcome(damaged(stream, rng)) for _ in range(60)} <= {"cube", "error"}


def test_a_header_that_asks_for_more_than_the_stream_holds_takes_no_memory():
    stream = bytearray(ccsds123.compress(smooth_cube()))
    stream[1:7] = bytes(6)  # 65,536 columns, rows and bands
    with pytest.raises(StreamError, match="ends before its image does"):
        ccsds123.decompress(bytes(stream))


@pytest.mark.parametrize(
    ("byte", "value", "message"),
    [
        (10, 0b00000110, "an unknown choice"),
        (10, 0b00000100, "the block-adaptive coder, which cannot be read"),
        (11, 0b00000001, "supplementary information"),
        (12, 0b10000000, "reserved bits are not zero"),
    ],
)
def test_what_a_header_says_beyond_what_can_be_read_is_named(byte, value, message):
    stream = bytearray(ccsds123.compress(smooth_cube(), B=2))
    stream[byte] |= value
    with pytest.raises(StreamError, match=message):
        ccsds123.decompress(bytes(stream))
