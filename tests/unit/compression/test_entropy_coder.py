"""The sample-adaptive coder against one of plain Python, and what it refuses."""

import numpy as np
import pytest

from spatial_prediction.compression.entropy_coder import decode_residuals, encode_residuals
from spatial_prediction.errors import ConfigurationError, StreamError


def in_order(shape, encoding_order, M):
    rows, columns, bands = shape
    if encoding_order == "BSQ":
        yield from ((y, x, z) for z in range(bands) for y in range(rows) for x in range(columns))
        return
    for y in range(rows):
        for first in range(0, bands, M):
            for x in range(columns):
                yield from ((y, x, z) for z in range(first, min(first + M, bands)))


def codewords(residuals, *, D=16, U_max=18, gamma_0=1, gamma_star=6, K=3, encoding_order="BI", M=1):
    """The standard's words, one bit a character, in integers of any size."""
    bands = residuals.shape[2]
    adjusted = K if K <= 30 - D else 2 * K + D - 30
    counters = [2**gamma_0] * bands
    sums = [(3 * 2 ** (adjusted + 6) - 49) * 2**gamma_0 // 128] * bands
    bits = ""
    for y, x, z in in_order(residuals.shape, encoding_order, M):
        residual = int(residuals[y, x, z])
        if y == x == 0:
            bits += f"{residual:0{D}b}"
            continue
        threshold = sums[z] + 49 * counters[z] // 128
        k = max((k for k in range(D - 1) if counters[z] * 2**k <= threshold), default=0)
        if residual >> k < U_max:
            bits += "0" * (residual >> k) + "1" + (f"{residual % 2**k:0{k}b}" if k else "")
        else:
            bits += "0" * U_max + f"{residual:0{D}b}"
        sums[z] += residual
        counters[z] += 1
        if counters[z] == 2**gamma_star:
            sums[z], counters[z] = (sums[z] + 1) // 2, counters[z] // 2
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))


def residuals_of(shape, D, seed=0):
    """Small and large numbers mixed, so that each kind of codeword occurs."""
    rng = np.random.default_rng(seed)
    sizes = rng.choice([0, 1, 2, D // 2, D], size=shape)
    return rng.integers(0, 1 << sizes, endpoint=False).astype(np.uint32)


SETTINGS = [
    {},
    {"encoding_order": "BSQ"},
    {"M": 3},
    {"M": 5},
    {"D": 2, "K": 0},
    {"D": 8, "U_max": 8, "gamma_star": 4},
    {"D": 32, "K": 14, "U_max": 32, "gamma_0": 8, "gamma_star": 11},
    {"D": 27, "K": 4, "gamma_star": 5},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_streams_are_those_of_plain_python_and_decode_to_what_was_coded(settings):
    D = settings.get("D", 16)
    residuals = residuals_of((4, 7, 5), D)
    stream = encode_residuals(residuals, **settings)
    assert stream == codewords(residuals, **settings)
    decoded = decode_residuals(stream, residuals.shape, **settings)
    np.testing.assert_array_equal(decoded, residuals)
    assert decoded.dtype == (np.uint16 if D <= 16 else np.uint32)


def test_each_band_may_begin_with_a_mean_of_its_own():
    residuals = residuals_of((3, 4, 2), 10)
    stream = encode_residuals(residuals, D=10, K=[1, 7])
    assert stream != encode_residuals(residuals, D=10, K=1)
    np.testing.assert_array_equal(decode_residuals(stream, residuals.shape, D=10, K=[1, 7]), residuals)


@pytest.mark.parametrize("order", ["BI", "BSQ"])
def test_type_byte_order_and_layout_of_residuals_do_not_matter(order):
    residuals = residuals_of((4, 6, 3), 12)
    stream = encode_residuals(residuals, encoding_order=order)
    strided = np.zeros((8, 6, 9), ">u2")[::2, ::-1, ::3]
    strided[...] = residuals
    read_only = np.asfortranarray(residuals.astype(np.int64))
    read_only.flags.writeable = False
    for same in (strided, read_only):
        assert encode_residuals(same, encoding_order=order) == stream


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"D": 1}, "D=1"),
        ({"D": 33}, "D=33"),
        ({"U_max": 7}, "U_max=7"),
        ({"gamma_0": 0}, "gamma_0=0"),
        ({"gamma_star": 12}, "gamma_star=12"),
        ({"gamma_0": 6}, "gamma_star=6"),
        ({"K": 15}, "K=15"),
        ({"K": [1]}, "K: has 1 values for 2 bands"),
        ({"M": 3}, "M=3"),
        ({"M": True}, "M=True"),
        ({"encoding_order": "BIL"}, "encoding_order='BIL'"),
        ({"D": 4}, "residuals: are 0 to 99, must be 0 to 15"),
    ],
)
def test_settings_out_of_their_range_are_refused(settings, message):
    residuals = np.zeros((2, 2, 2), np.uint16)
    residuals[1, 1, 1] = 99
    with pytest.raises(ConfigurationError, match=message):
        encode_residuals(residuals, **settings)


@pytest.mark.parametrize("wrong", [np.zeros((2, 2), int), np.zeros((2, 2, 2)), np.zeros((2, 0, 2), int)])
def test_what_is_no_cube_of_whole_numbers_is_refused(wrong):
    with pytest.raises(ConfigurationError, match="residuals: must be whole numbers"):
        encode_residuals(wrong)


def test_negative_residuals_are_refused():
    with pytest.raises(ConfigurationError, match="residuals: are -1 to -1"):
        encode_residuals(np.full((1, 1, 1), -1))


def test_a_stream_that_is_cut_off_is_an_error_wherever_it_is_cut():
    residuals = residuals_of((3, 4, 2), 16)
    stream = encode_residuals(residuals)
    for length in range(len(stream)):
        with pytest.raises(StreamError, match="ends before its image does"):
            decode_residuals(stream[:length], residuals.shape)


def test_what_stands_behind_a_stream_is_an_error():
    residuals = residuals_of((3, 4, 2), 16)
    with pytest.raises(StreamError, match="1 bytes are left"):
        decode_residuals(encode_residuals(residuals) + b"\0", residuals.shape)


def test_fill_that_is_not_zero_is_an_error():
    stream = encode_residuals(np.zeros((2, 1, 1), np.uint16))  # 16 bits, then 1 + 3
    with pytest.raises(StreamError, match="not zero"):
        decode_residuals(stream[:-1] + bytes([stream[-1] | 1]), (2, 1, 1))


def test_a_codeword_of_more_bits_than_a_residual_has_is_an_error():
    # 0, a residual of 0 for each of the statistics' first steps, then 17 zeros and a one at k = 3: 136 > 127.
    bits = f"{0:07b}" + "0" * 17 + "1" + "000"
    bits += "0" * (-len(bits) % 8)
    stream = bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))
    with pytest.raises(StreamError, match="a residual is 136, which has more than 7 bits"):
        decode_residuals(stream, (1, 2, 1), D=7)


def test_a_shape_that_the_stream_cannot_hold_takes_no_memory():
    with pytest.raises(StreamError, match="ends before"):
        decode_residuals(bytes(1000), (1 << 20, 1 << 20, 1 << 10))
