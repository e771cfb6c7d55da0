"""Samples and attributes to DN, compared with what netCDF4-python and xarray make of the same file."""

import warnings

import netCDF4
import numpy as np
import pytest
import xarray
from hypothesis import given, settings
from hypothesis import strategies as st

from spatial_prediction.errors import ConfigurationError, SceneError
from spatial_prediction.rasters.attributes import numbers, one_number, shown, text
from spatial_prediction.rasters.decoding import MISSING_DN, decode
from spatial_prediction.rasters.offset import (
    Offset,
    as_offset_setting,
    check_offset_setting,
    offset_hints,
    stated_offset,
)

BANDS = ("B04", "B03", "B02")
INTEGERS = ["i1", "u1", "i2", "u2", "i4", "u4"]


@st.composite
def bands(draw):
    """Samples with attributes of the samples' own type, as CF asks for, and perhaps a packing."""
    dtype = np.dtype(draw(st.sampled_from([*INTEGERS, "f4", "f8"])))
    if dtype.kind == "f":
        values = st.sampled_from([-9999.0, -1.0, 0.0, 1.0, 1200.0, 10_000.0, 32_767.0, 1e20])
    else:
        info = np.iinfo(dtype)
        near = st.integers(max(info.min, -40_000), min(info.max, 70_000))
        values = st.one_of(near, st.sampled_from([info.min, info.max, 0, 1]))
    samples = np.array(draw(st.lists(values, min_size=4, max_size=9)), dtype)
    value = st.one_of(st.sampled_from(list(samples)), values.map(dtype.type))
    attributes = {}
    for name in ("_FillValue", "missing_value", "valid_min", "valid_max"):
        if draw(st.booleans()):
            attributes[name] = draw(value)
    if draw(st.booleans()):
        attributes["missing_value"] = np.array(draw(st.lists(value, min_size=1, max_size=3)), dtype)
    if draw(st.booleans()):
        attributes["valid_range"] = np.array(sorted(draw(st.tuples(value, value))), dtype)
    if dtype.kind == "i" and draw(st.booleans()):
        attributes["_Unsigned"] = draw(st.sampled_from(["true", "false"]))
    if attributes.get("_Unsigned") == "true" and any(name.startswith("valid") for name in attributes):
        # Otherwise netCDF4-python 1.7.5 fails: it gives the unsigned numbers it masks a negative fill value.
        attributes.setdefault("_FillValue", draw(value))
    packing = draw(
        st.sampled_from([(), (1e-4,), (1e-4, -0.1), (1e-3, 0.0), (2e-5, -0.2), (2.0,), (1.0, 100.0)])
    )
    kind = draw(st.sampled_from([np.float32, np.float64]))
    attributes |= {
        name: kind(number) for name, number in zip(("scale_factor", "add_offset"), packing, strict=False)
    }
    return samples, attributes


def written(path, samples, attributes):
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("x", samples.size)
        fill = attributes.get("_FillValue")
        band = file.createVariable("band", samples.dtype, ("x",), fill_value=fill)
        band.setncatts({name: value for name, value in attributes.items() if name != "_FillValue"})
        band.set_auto_maskandscale(False)
        band[:] = samples
    return path


def dn_per_unit(attributes):
    return 10_000 if attributes.get("scale_factor", 1) <= 0.0011 else 1


def close(dn, values, attributes, kept):
    """Whether DN are what other libraries make of the samples, in their single or double precision."""
    expected = values.astype("float64")[kept] * dn_per_unit(attributes)
    got = np.asarray(dn, "float64")[kept]
    tolerance = (
        0.011 + 3e-7 * np.abs(expected) + 3e-7 * np.abs(expected - 10_000 * attributes.get("add_offset", 0))
    )
    return (np.abs(got - expected) <= tolerance).all()


@settings(max_examples=150)
@given(band=bands())
def test_decoding_is_that_of_netcdf4_python(tmp_path_factory, band):
    samples, attributes = band
    path = written(tmp_path_factory.mktemp("band") / "a.nc", samples, attributes)
    with netCDF4.Dataset(path) as file:
        decoded = decode(samples, attributes, default_fill=float(file["band"].get_fill_value()), offset=0)
        theirs = np.ma.asarray(file["band"][:])
    mask = np.ma.getmaskarray(theirs)
    np.testing.assert_array_equal(decoded.missing, mask)
    assert close(decoded.dn, np.ma.getdata(theirs), attributes, ~mask)


@settings(max_examples=150)
@given(band=bands())
def test_decoding_is_that_of_xarray(tmp_path_factory, band):
    samples, attributes = band
    attributes = {name: value for name, value in attributes.items() if not name.startswith("valid_")}
    if "_Unsigned" in attributes:
        attributes.pop(
            "missing_value", None
        )  # whose sign xarray 2026.9.0 does not change, as it does _FillValue's
    for name in ("scale_factor", "add_offset"):
        if (
            name in attributes
        ):  # it rounds samples to the packing's precision before it looks for missing ones
            attributes[name] = np.float64(attributes[name])
    path = written(tmp_path_factory.mktemp("band") / "a.nc", samples, attributes)
    decoded = decode(samples, attributes, offset=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", xarray.SerializationWarning)  # of several missing values
        with xarray.open_dataset(path) as file:
            theirs = np.asarray(file["band"].values)
    masks = any(name in attributes for name in ("_FillValue", "missing_value"))
    mask = np.isnan(theirs) if masks else np.zeros(theirs.shape, bool)
    np.testing.assert_array_equal(decoded.missing, mask)
    assert close(decoded.dn, theirs, attributes, ~mask)


@settings(max_examples=100)
@given(
    samples=st.lists(st.integers(-32_768, 32_767), min_size=1, max_size=9),
    offset=st.sampled_from([0, -1000]),
)
def test_dn_without_attributes_are_themselves_and_the_offset_is_a_plain_sum(samples, offset):
    stored = np.array(samples, "i2")
    decoded = decode(stored, {}, offset=offset)
    np.testing.assert_array_equal(decoded.dn, stored.astype("int64") + offset)
    assert not decoded.missing.any()
    assert (decoded.dn.dtype == np.int16) == (min(samples) + offset >= -32_768)


def test_missing_samples_are_marked_and_leave_the_others_whole():
    decoded = decode(np.array([[7, 8], [-9999, 9]], "i2"), {"nodata": "-9999"})
    assert decoded.dn.tolist() == [[7, 8], [MISSING_DN, 9]]
    assert decoded.dn.dtype == np.int16
    assert decoded.missing.tolist() == [[False, False], [True, False]]
    assert decoded.missing_because == ("nodata=-9999",)


def test_masked_samples_are_missing():
    masked = np.ma.masked_array(np.array([[1200, -9999], [0, 1]], "i2"), [[False, True], [False, False]])
    decoded = decode(masked, {})
    assert decoded.missing.tolist() == [[False, True], [False, False]]
    assert decoded.missing_because == ("masked",)
    assert type(decoded.dn) is np.ndarray
    assert decoded.dn.tolist() == [[1200, MISSING_DN], [0, 1]]


def test_what_is_not_whole_or_too_large_stays_a_float_with_nan_where_missing():
    decoded = decode(np.array([1.5, np.nan, 1200]), {})
    np.testing.assert_array_equal(decoded.dn, [1.5, np.nan, 1200])
    decoded = decode(np.array([70_000, 3], "u4"), {"nodata": 3})
    np.testing.assert_array_equal(decoded.dn, [70_000, np.nan])


def test_a_single_precision_sample_equals_a_missing_value_given_in_double_precision():
    samples = np.array([1e20, 5], "f4")  # whose float64 is not 1e20
    assert float(samples[0]) != 1e20
    for value in (1e20, "1e20", np.float64(1e20)):
        assert decode(samples, {"missing_value": value}).missing.tolist() == [True, False]


def test_a_value_that_no_sample_can_have_marks_none():
    samples = np.array([-1, 0], "i2")
    for value in (65_535, "65535", -1.5, 1e300, np.nan):
        assert not decode(samples, {"missing_value": value}).missing.any()
    assert not decode(np.array([55_537], "u2"), {"missing_value": np.int16(-9999)}).missing.any()


def test_attributes_of_unsigned_samples_may_hold_numbers_of_either_sign():
    bits = np.array([200, 255, 0], "u1").view("i1")
    for value in (np.int8(-1), 255, "-1"):
        decoded = decode(bits, {"_Unsigned": "true", "_FillValue": value, "valid_max": np.int8(-2)})
        assert decoded.missing.tolist() == [False, True, False]
        assert decoded.dn.tolist() == [200, MISSING_DN, 0]


@pytest.mark.parametrize("order", ["<", ">"])
def test_byte_order_does_not_matter(order):
    samples = np.array([1, 300, 40_000], f"{order}u2").view(f"{order}i2")
    assert decode(samples, {"_Unsigned": "true"}).dn.tolist() == [1, 300, 40_000]


def test_a_valid_range_of_the_packings_type_is_one_of_unpacked_values():
    samples = np.array([0, 1, 10_000, 10_001], "i2")
    packing = {"scale_factor": np.float32(1e-4), "add_offset": np.float32(0)}
    unpacked = decode(samples, {**packing, "valid_range": np.array([0.0001, 1], "f4")})
    assert unpacked.missing.tolist() == [True, False, False, True]
    stored = decode(samples, {**packing, "valid_range": np.array([1, 10_000], "i2")})
    assert stored.missing.tolist() == [True, False, False, True]
    another = decode(samples, {**packing, "valid_range": np.array([1, 10_000], "f8")})
    assert another.missing.tolist() == [True, False, False, True]


@pytest.mark.parametrize(
    "attributes",
    [
        {"scale_factor": np.array([1e-4, 1e-4])},
        {"scale_factor": np.array([])},
        {"scale_factor": "a tenth"},
        {"scale_factor": np.nan},
        {"scale_factor": 0.0},
        {"scale_factor": -1e-4},
        {"scale_factor": 0.05},
        {"scale_factor": None},
        {"missing_value": None},
        {"add_offset": -0.1},
        {"add_offset": np.array([1, 2])},
        {"scale_factor": 1e-4, "units": "K"},
        {"valid_range": np.array([0, 1, 2])},
        {"valid_range": 5},
        {"valid_min": "low"},
        {"valid_max": np.array([1, 2])},
        {"missing_value": "x"},
        {"_Unsigned": "perhaps"},
        {"BOA_ADD_OFFSET": -500},
        {"BOA_ADD_OFFSET": np.array([0, -1000])},
        {"RADIO_ADD_OFFSET": "a thousand"},
        {"BOA_QUANTIFICATION_VALUE": 1000},
        {"units": "%"},
        {"units": "percent", "scale_factor": 1.0},
    ],
)
def test_what_cannot_be_understood_is_an_error_that_names_the_attribute(attributes):
    with pytest.raises(SceneError) as caught:
        decode(np.array([1, 2], "i2"), attributes)
    assert any(name in str(caught.value) for name in attributes)


@pytest.mark.parametrize("value", ["", "none", "None", "null"])
def test_text_that_declares_no_missing_value_declares_none(value):
    assert not decode(np.array([0, 0], "i2"), {"nodata": value}).missing.any()


@pytest.mark.parametrize("values", [[0, 0.0099], [0.001, 1.004], [0.0, 0.005, -9999]])
def test_floats_of_small_reflectance_are_not_rounded_to_zeros(values):
    with pytest.raises(SceneError, match="reflectance, not DN"):
        decode(np.array(values), {})


@pytest.mark.parametrize("values", [[0.0, 0.0], [0.0, 1.0, 2.0], [0.0, 1200.004, 3000.0]])
def test_floats_that_are_whole_numbers_are_dn(values):
    assert decode(np.array(values), {}).dn.tolist() == [round(value) for value in values]


@pytest.mark.parametrize("packing", [{"scale_factor": 1e-4}, {"scale_factor": 1e-4, "add_offset": -0.1}])
def test_floats_that_were_unpacked_before_are_not_unpacked_again(packing):
    with pytest.raises(SceneError, match=r"holds 0\.03 to 0\.12: reflectance, not DN"):
        decode(np.array([0.12, 0.05, 0.03, np.nan]), packing)


def test_packed_floats_of_reflectance_are_reflectance():
    decoded = decode(np.array([0.0, 12.5, 50.0]), {"scale_factor": 1e-4})
    assert decoded.unpacked
    np.testing.assert_allclose(decoded.dn, [0, 12.5, 50])


def test_zeros_that_touch_are_counted_where_nothing_declares_missing_values():
    samples = np.ones((6, 6), "u2")
    samples[0, :] = 0
    assert decode(samples, {}).undeclared_zeros == 0
    samples[1, 4:] = 0
    assert decode(samples, {}).undeclared_zeros == 8
    assert decode(samples, {"nodata": 65_535}).undeclared_zeros == 0
    assert decode(samples, {}, scene_attributes={"nodata": "65535"}).undeclared_zeros == 0


@pytest.mark.parametrize(
    ("dtype", "declared"), [("f4", np.float32("nan")), ("f8", "nan"), ("u2", np.nan), ("u2", -9999)]
)
def test_a_fill_value_that_no_stored_number_equals_says_nothing_of_zeros(dtype, declared):
    samples = np.full((6, 6), 1200, dtype)
    samples[2:4, 2:4] = 0
    assert decode(samples, {"_FillValue": declared}).undeclared_zeros == 4


def test_decoding_changes_neither_samples_nor_attributes():
    samples = np.array([[1, -9999]], "i2")
    attributes = {"nodata": "-9999", "scale_factor": 2.0, "_Unsigned": "false"}
    decode(samples, attributes, offset=-1000)
    assert samples.tolist() == [[1, -9999]]
    assert attributes == {"nodata": "-9999", "scale_factor": 2.0, "_Unsigned": "false"}


def test_what_was_decided_is_told_in_words():
    decoded = decode(np.array([1], "i2"), {"_Unsigned": "true", "scale_factor": 1e-4, "add_offset": -0.1})
    assert decoded.decided == (
        "int16 with _Unsigned=true, unpacked by scale_factor=0.0001, add_offset=-0.1, reflectance times 10000"
    )
    assert decoded.offset == Offset(-1000, "add_offset=-0.1")
    assert decode(np.array([1], "i2"), {}).decided == "int16, taken as DN"


@pytest.mark.parametrize(
    ("attributes", "offset"),
    [
        ({}, None),
        ({"date": "2023-06-01"}, None),
        ({"processing_baseline": "04.00"}, None),
        ({"processing_baseline": "N0400"}, None),
        ({"processing_baseline": "unknown"}, None),
        ({"S2_PROCESSING_BASELINE": "02.14"}, 0),
        ({"processingBaseline": 3.01}, 0),
        ({"processing_baseline": "N0214"}, 0),
        ({"BOA_ADD_OFFSET_B02": -1000, "BOA_ADD_OFFSET_B03": "-1000.0"}, -1000),
        ({"RADIO_ADD_OFFSET": np.full(13, -1000)}, -1000),
        ({"BOA_ADD_OFFSET": -1000, "earthsearch:boa_offset_applied": True}, 0),
        ({"BOA_ADD_OFFSET": -1000, "boa_offset_applied": "false"}, -1000),
        ({"boa_offset_applied": "false"}, None),
        ({"BOA_ADD_OFFSET": -1000, "boa_offset_applied": "Yes"}, 0),
        ({"BOA_ADD_OFFSET": -1000, "boa_offset_applied": np.int8(1)}, 0),
        ({"BOA_ADD_OFFSET": -1000, "boa_offset_applied": "NO"}, -1000),
        ({"BOA_ADD_OFFSET": -1000, "boa_offset_applied": 0.0}, -1000),
        ({"BOA_ADD_OFFSET": -1000, "boa_offset_applied": ""}, -1000),
        ({"BOA_ADD_OFFSET": ""}, None),
    ],
)
def test_only_explicit_metadata_state_an_offset(attributes, offset):
    stated = stated_offset(attributes)
    assert (stated.dn if stated else None) == offset


@pytest.mark.parametrize(
    "name", ["BOA_ADD_OFFSET_B02", "BOA_ADD_OFFSET_b2", "s2:b02_radio_add_offset", "BOA_ADD_OFFSET_blue"]
)
def test_an_offset_of_one_band_serves_that_band_alone(name):
    samples = np.full((2, 2), 3000, "i2")
    decoded = {band: decode(samples, {}, scene_attributes={name: -1000}, band=band) for band in BANDS}
    assert {band: each.offset for band, each in decoded.items()} == {
        "B04": Offset(0, None),
        "B03": Offset(0, None),
        "B02": Offset(-1000, f"{name}=-1000"),
    }
    for setting in (0, -1000):
        overruled = decode(samples, {name: -1000}, offset=setting, band="B04").overruled
        assert overruled == ""


def test_an_offset_of_another_band_does_not_contradict_and_one_of_all_does():
    attributes = {"BOA_ADD_OFFSET_B02": -1000, "BOA_ADD_OFFSET_B8A": 0, "BOA_ADD_OFFSET_B12": 0}
    assert stated_offset(attributes, band="B02") == Offset(-1000, "BOA_ADD_OFFSET_B02=-1000")
    assert stated_offset(attributes, band="B8A") == Offset(0, "BOA_ADD_OFFSET_B8A=0")
    with pytest.raises(SceneError, match="BOA_ADD_OFFSET_B02=-1000 and as BOA_ADD_OFFSET=0"):
        stated_offset({"BOA_ADD_OFFSET_B02": -1000, "BOA_ADD_OFFSET": 0}, band="B02")


@pytest.mark.parametrize(
    ("attributes", "hints"),
    [
        ({"processing_baseline": "05.09"}, ["processing_baseline=05.09"]),
        ({"PROCESSING_BASELINE": 4}, ["PROCESSING_BASELINE=4"]),
        ({"processing_baseline": "03.99"}, []),
        ({"title": "S2A_MSIL2A_20220201T105441_N0400_R051_T31UFS"}, ["N0400 in title"]),
        ({"title": "S2A_MSIL2A_20200201T105441_N0213_R051_T31UFS"}, []),
        ({"sensing_time": "2026-07-08T10:00:00Z"}, []),
    ],
)
def test_hints_at_an_offset(attributes, hints):
    assert offset_hints(attributes) == hints


@pytest.mark.parametrize(
    ("written", "setting"), [("auto", "auto"), ("0", 0), ("-1000", -1000), ("-1000.0", -1000)]
)
def test_settings_are_read_from_text(written, setting):
    assert as_offset_setting(written) == setting


@pytest.mark.parametrize("setting", [1000, -1, "0", "automatic", None, 0.5])
def test_settings_of_calls_are_checked(setting):
    for known in ("auto", 0, -1000):
        check_offset_setting(known)
    with pytest.raises(ConfigurationError, match="must be 'auto', 0 or -1000"):
        check_offset_setting(setting)


@pytest.mark.parametrize("written", ["1000", "", "none", "nan", "inf", "-0.1", "0.5", "-1000.5"])
def test_other_settings_are_refused(written):
    with pytest.raises(ConfigurationError, match="must be 'auto', 0 or -1000"):
        as_offset_setting(written)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("-9999", [-9999]),
        ("[0, 10000]", [0, 10_000]),
        (b"7", [7]),
        (["1", "2"], [1, 2]),
        (np.array([1, 2]), [1, 2]),
        (np.int8(3), [3]),
        (" 1e-4 ", [1e-4]),
        ("nan", [np.nan]),
    ],
)
def test_numbers_of_attributes(value, expected):
    np.testing.assert_array_equal(numbers("a", value), expected)


def test_attributes_as_messages_show_them():
    assert shown("a\nlong  text " + "x" * 100) == "a long text " + "x" * 45 + "..."
    assert text(np.array([1, 2])) == "1 2"
    with pytest.raises(SceneError, match="a=inf is not finite"):
        one_number("a", np.inf)
