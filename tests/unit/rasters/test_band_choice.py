import pytest

from spatial_prediction.errors import SceneError
from spatial_prediction.rasters.band_choice import chosen_bands, sentinel2_band, wavelength_in_nanometres
from spatial_prediction.rasters.containers import BandLabel

RGB = ("B04", "B03", "B02")


def labels(*names, wavelengths=None):
    wavelengths = wavelengths or [None] * len(names)
    return [
        BandLabel(name, str(number), wavelength, of_several=True)
        for number, (name, wavelength) in enumerate(zip(names, wavelengths, strict=True), 1)
    ]


FOUND = {
    "as written": (labels("B02", "B03", "B04"), RGB, [2, 1, 0]),
    "colours": (labels("Blue", "GREEN", "red", "nir"), RGB, [2, 1, 0]),
    "asked by colour": (labels("B2", "B3", "B4"), ("red", "blue"), [2, 0]),
    "explained": (labels("B4, central wavelength 665 nm", "B3 (560 nm)", "B2: blue"), RGB, [0, 1, 2]),
    "red edge is not red": (labels("Red Edge 1", "Red", "Green", "Blue"), RGB, [1, 2, 3]),
    "numbers": (labels("", "", "", ""), ("3", "1"), [2, 0]),
    "a name that is a number": (labels("3", "2", "1"), ("1", "2"), [2, 1]),
    "wavelengths": (labels("", "", "", wavelengths=[490, 560, 665]), RGB, [2, 1, 0]),
    "nearest wavelength": (labels(*"abcd", wavelengths=[640, 655, 663, 672]), ("B04", "658 nm"), [2, 1]),
    "in micrometres": (labels("a", "b", wavelengths=[490, 665]), ("0.665 um", "0.49um"), [1, 0]),
    "names before wavelengths": (labels("red", "x", wavelengths=[None, 665]), ("B04",), [0]),
}


@pytest.mark.parametrize("case", FOUND)
def test_bands_are_found(case):
    available, wanted, indices = FOUND[case]
    assert chosen_bands(wanted, available) == indices


REFUSED = {
    "none named": (labels("", "", ""), RGB, r"band B04 is missing, the bands are 1, 2, 3 \(without names\)"),
    "two of one name": (labels("B04", "B04", "B03"), RGB, "band B04 may be 1 or 2"),
    "two of one meaning": (labels("B4", "red"), RGB, "band B04 may be 1 or 2"),
    "too large a number": (labels("a", "b"), ("3",), "band 3 is asked for, and there are 2"),
    "zero": (labels("a", "b"), ("0",), "counted from 1"),
    "no such wavelength": (labels("a", wavelengths=[800]), ("B04",), "missing, .* of 800 to 800 nm"),
    "two as near": (labels("a", "b", wavelengths=[660, 670]), ("665 nm",), "may be 1 or 2"),
    "only a red edge": (labels("Red Edge 1", "green", "blue"), RGB, "band B04 is missing"),
    "none at all": ([], RGB, "the bands are none"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bands_that_are_not_there_or_may_be_several_are_refused(case):
    available, wanted, message = REFUSED[case]
    with pytest.raises(SceneError, match=message):
        chosen_bands(wanted, available)


@pytest.mark.parametrize(
    ("name", "band"),
    [
        ("blue", "B02"),
        ("B4", "B04"),
        ("b04", "B04"),
        ("B8A", "B8A"),
        ("b12", "B12"),
        ("nir", None),
        ("3", None),
    ],
)
def test_names_mean_bands_of_sentinel_2(name, band):
    assert sentinel2_band(name) == band


@pytest.mark.parametrize(
    ("value", "units", "nanometres"),
    [
        (665.0, "nm", 665.0),
        (0.665, "Micrometers", 665.0),
        (0.665, "", 665.0),
        (665.0, "Unknown", 665.0),
        (5.0, "GHz", None),
    ],
)
def test_wavelengths_are_in_nanometres(value, units, nanometres):
    assert wavelength_in_nanometres(value, units) == nanometres
