"""Intensities are encoded as sRGB says."""

import numpy as np
import pytest

from spatial_prediction.plotting.colour import linear_to_srgb, linear_to_srgb8


@pytest.mark.parametrize(
    ("linear", "encoded"),
    [(0.0, 0.0), (0.001, 0.01292), (0.214041, 0.5), (0.5, 0.735357), (1.0, 1.0)],
)
def test_known_intensities_have_their_known_codes(linear, encoded):
    assert linear_to_srgb(np.array(linear)) == pytest.approx(encoded, abs=1e-6)


def test_the_standards_inverse_gives_the_intensity_back():
    linear = np.linspace(0, 1, 1001)
    code = linear_to_srgb(linear)
    decoded = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    # the standard rounds where its two pieces meet
    np.testing.assert_allclose(decoded, linear, rtol=0, atol=1e-7)


def test_what_lies_beyond_black_and_white_is_cut_off():
    assert linear_to_srgb(np.array([-5.0, -0.0, 1.0001, 7.0])).tolist() == [0, 0, 1, 1]


def test_brighter_stays_brighter():
    assert np.all(np.diff(linear_to_srgb(np.linspace(0, 1, 10_001))) > 0)


def test_eight_bit_codes_are_cut_off_to_integers():
    # 0.735357 * 255 = 187.5; 0.01292 * 255 = 3.29
    codes = linear_to_srgb8(np.array([[-1.0, 0.001, 0.5, 0.99999, 1.0, 3.0]]))
    assert codes.dtype == np.uint8
    assert codes.tolist() == [[0, 3, 187, 254, 255, 255]]
