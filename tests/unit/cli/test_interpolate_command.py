"""The command ``spatial-prediction interpolate``, as a user types it."""

import logging

import numpy as np
import pytest
import xarray

from spatial_prediction.__main__ import main
from spatial_prediction.errors import ConfigurationError, ObservationError


@pytest.fixture(autouse=True)
def quick_fits(monkeypatch):
    """The mean of what is observed stands in for the fitted model, which other tests look at."""

    def fill(values, mask, axes, plan):
        return np.full(values.shape, values[mask].mean()), np.full(values.shape, values[mask].std())

    for module in ("_dataarray", "_validation"):
        monkeypatch.setattr(f"spatial_prediction.interpolation.{module}.fill_grid", fill)


@pytest.fixture
def observations(tmp_path):
    t, y, x = np.meshgrid(np.arange(3), np.arange(4), np.arange(5), indexing="ij")
    values = 10.0 + np.sin(0.5 * x - 0.4 * t) + np.cos(0.5 * y)
    values[np.random.default_rng(0).random(values.shape) < 0.3] = np.nan
    dataset = xarray.Dataset(
        {"sst": (("time", "y", "x"), values, {"units": "degC", "grid_mapping": "crs"})},
        {"time": ("time", np.arange(3.0), {"units": "days since 2024-01-01", "bounds": "time_bnds"})},
        {"title": "a small sea"},
    )
    dataset["crs"] = xarray.DataArray(0, attrs={"grid_mapping_name": "latitude_longitude"})
    dataset["time_bnds"] = (("time", "nv"), np.stack([np.arange(3.0), np.arange(1.0, 4.0)], axis=1))
    encoding = {"sst": {"dtype": "int16", "scale_factor": 0.001, "add_offset": 10.0, "_FillValue": -32768}}
    dataset.to_netcdf(tmp_path / "sst.nc", encoding=encoding)
    return tmp_path / "sst.nc"


def test_a_file_is_filled_and_what_it_says_is_kept(observations, caplog):
    out = observations.with_name("filled.nc")
    with caplog.at_level(logging.INFO):
        arguments = f"interpolate {observations} --variable sst --out {out} --steps 3 --validate 0.2 --seed 1"
        main(arguments.split())
    with xarray.open_dataset(observations) as before, xarray.open_dataset(out) as after:
        assert after.attrs["title"] == "a small sea"
        assert after["sst"].attrs["units"] == after["sst_stddev"].attrs["units"] == "degC"
        assert after["sst"].attrs["grid_mapping"] == after["sst_stddev"].attrs["grid_mapping"] == "crs"
        assert {"crs", "time_bnds"} <= set(after.variables)
        xarray.testing.assert_equal(after["time"], before["time"])
        seen = before["sst"].notnull()
        np.testing.assert_allclose(after["sst"].where(seen), before["sst"])
        assert (after["sst_stddev"].where(~seen, 1.0) > 0).all()
    assert "observations, model static_product: a matrix of" in caplog.text
    assert "of 4 pixels held out: MAE" in caplog.text
    assert sorted(path.name for path in out.parent.iterdir()) == ["filled.nc", "sst.nc"]


def test_what_cannot_be_done_is_refused_before_anything_is_written(observations, tmp_path):
    out, other = tmp_path / "out.nc", tmp_path / "other.nc"
    other.write_text("something else")
    for arguments, error, message in [
        (f"{observations} --out {tmp_path / 'out.tif'}", ConfigurationError, "ends in .nc"),
        (f"{observations} --out {other}", ConfigurationError, "exists"),
        (f"{observations} --out {out} --variable sss", ConfigurationError, "no variable 'sss'"),
        (
            f"{observations} --out {out} --variable sst --model best",
            ConfigurationError,
            "'best' is not known",
        ),
        (f"{observations} --out {out} --variable sst --validate 2", ConfigurationError, r"got 2\.0"),
        (f"{observations} --out {out} --variable crs", ConfigurationError, "no variable 'crs'"),
    ]:
        with pytest.raises(error, match=message):
            main(["interpolate", *arguments.split()])
    assert not out.exists()


def test_an_output_that_is_the_input_is_refused(observations):
    before = observations.read_bytes()
    with pytest.raises(
        ConfigurationError, match=r"is the input .*, which would be lost; choose another name"
    ):
        main(f"interpolate {observations} --variable sst --out {observations} --overwrite".split())
    assert observations.read_bytes() == before


@pytest.mark.parametrize("content", [None, b"", b"time,lat,lon,value"])
def test_what_is_no_netcdf_is_refused(tmp_path, content):
    source = tmp_path / "field.nc"
    if content is not None:
        source.write_bytes(content)
    with pytest.raises(ObservationError, match=r"field\.nc: cannot be read as netCDF"):
        main(f"interpolate {source} --out {tmp_path / 'out.nc'}".split())


def test_options_of_tables_are_refused(observations, tmp_path):
    for option in ("--grid 0,0,1,1,1", "--times 0,1", "--time-units days", "--distance plane", "--units K"):
        with pytest.raises(ConfigurationError, match=f"{option.split()[0]} is for tables"):
            main(f"interpolate {observations} --out {tmp_path / 'out.nc'} {option}".split())


def test_a_fit_that_is_interrupted_leaves_no_file(observations, monkeypatch):
    def interrupted(values, mask, axes, plan):
        raise KeyboardInterrupt

    monkeypatch.setattr("spatial_prediction.interpolation._dataarray.fill_grid", interrupted)
    out = observations.with_name("out.nc")
    with pytest.raises(KeyboardInterrupt):
        main(f"interpolate {observations} --variable sst --out {out}".split())
    assert [path.name for path in observations.parent.iterdir()] == ["sst.nc"]
