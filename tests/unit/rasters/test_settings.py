import pytest

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.rasters.settings import (
    as_nodata_setting,
    as_scale_setting,
    check_nodata_setting,
    check_scale_setting,
)


@pytest.mark.parametrize(
    ("text", "setting"), [("auto", "auto"), ("dn", "dn"), ("reflectance", "reflectance"), ("1e-4", 1e-4)]
)
def test_scales_are_read_from_text(text, setting):
    assert as_scale_setting(text) == setting


@pytest.mark.parametrize(
    ("text", "setting"), [("auto", "auto"), ("none", "none"), ("-9999", -9999.0), ("0", 0.0)]
)
def test_nodata_is_read_from_text(text, setting):
    assert as_nodata_setting(text) == setting


@pytest.mark.parametrize("text", ["", "DN", "0", "-1", "nan", "inf", "percent"])
def test_other_scales_are_refused_by_value(text):
    with pytest.raises(ConfigurationError, match=r"scale=.*must be 'auto', 'dn', 'reflectance' or a factor"):
        as_scale_setting(text)


@pytest.mark.parametrize("text", ["", "zero", "0;1"])
def test_other_nodata_are_refused_by_value(text):
    with pytest.raises(ConfigurationError, match=r"nodata=.*must be 'auto', 'none' or a number"):
        as_nodata_setting(text)


@pytest.mark.parametrize("check", [check_scale_setting, check_nodata_setting])
@pytest.mark.parametrize("setting", [True, None, [0]])
def test_settings_of_other_types_are_refused(check, setting):
    with pytest.raises(ConfigurationError):
        check(setting)
