"""The command ``spatial-prediction interpolate`` on tables of stations, as a user types it."""

import logging

import numpy as np
import pytest
import xarray

from spatial_prediction.__main__ import main
from spatial_prediction.errors import ConfigurationError, ObservationError
from spatial_prediction.interpolation.stations import _interpolate, _validation


class QuickModel:
    """Predicts latitude plus days since the first time; what is fitted is looked at by other tests."""

    def __init__(self, observations, plan, *, seed):
        self.start = observations.times.min()

    def predict(self, times, places, *, on_chunk=None):
        days = (times - self.start) / np.timedelta64(1, "D") if times.dtype.kind == "M" else times
        return places[:, 0] + days, np.full(len(times), 0.25)


@pytest.fixture(autouse=True)
def quick_fits(monkeypatch):
    for module in (_interpolate, _validation):
        monkeypatch.setattr(module, "fitted_stations", QuickModel)


@pytest.fixture
def stations(tmp_path):
    path = tmp_path / "stations.csv"
    path.write_text(
        "id,time,lat,lon,t2m,error\n"
        "a,2024-01-03,50.2,8.1,280.0,0.1\n"
        "b,2024-01-01,50.8,8.9,281.5,0.1\n"
        "c,2024-01-01,51.4,8.2,,0.1\n"
        "c,2024-01-03,51.4,8.2,282.5,0.3\n"
    )
    return path


def run(stations, *options):
    main(["interpolate", str(stations), *options])


def test_a_table_becomes_a_field_with_coordinates_and_units(stations, caplog):
    out = stations.with_name("field.nc")
    with caplog.at_level(logging.INFO):
        run(stations, "--grid", "8,50,9,52,0.5", "--units", "K", "--out", str(out), "--validate", "0.3")
    with xarray.open_dataset(out, decode_coords="all") as found:
        assert dict(found.sizes) == {"time": 2, "lat": 4, "lon": 2}
        np.testing.assert_array_equal(found["time"], np.array(["2024-01-01", "2024-01-03"], "datetime64[ns]"))
        np.testing.assert_allclose(found["t2m"][1, :, 0], found["lat"] + 2)
        np.testing.assert_allclose(found["t2m_stddev"], 0.5)
        assert found["t2m"].attrs["units"] == found["t2m_stddev"].attrs["units"] == "K"
        assert found["t2m"].attrs["ancillary_variables"] == "t2m_stddev"
        assert found["lat"].attrs["units"] == "degrees_north"
        assert found.attrs["Conventions"] == "CF-1.8"
    assert "1 of 4 values are missing, left out" in caplog.text
    assert "3 observations, 16 cells to predict, model dense: about" in caplog.text
    assert "of 1 stations held out: MAE" in caplog.text
    assert sorted(path.name for path in out.parent.iterdir()) == ["field.nc", "stations.csv"]


def test_names_and_times_of_ones_own(stations):
    out = stations.with_name("field.nc")
    text = stations.read_text().replace("time", "when").replace("lat", "breite")
    stations.write_text(text.replace("2024-01-0", "1").replace(",t2m", ",t2m,rain").replace(",0.", ",9,0."))
    arguments = ["--grid", "8,50,9,51,1", "--out", str(out), "--columns", "lat=breite,time=when"]
    run(
        stations,
        *arguments,
        "--variable",
        "t2m",
        "--times",
        "11/13/0.5",
        "--time-units",
        "days since 2000-01-01",
    )
    with xarray.open_dataset(out, decode_times=False) as found:
        np.testing.assert_array_equal(found["time"], [11, 11.5, 12, 12.5, 13])
        assert found["time"].attrs["units"] == "days since 2000-01-01"
    with xarray.open_dataset(out) as found:
        assert found["t2m"].attrs["long_name"] == "t2m"
        assert found["time"][1] == np.datetime64("2000-01-12T12")


def test_names_of_columns_become_names_of_variables(stations):
    out = stations.with_name("field.nc")
    stations.write_text(stations.read_text().replace("t2m", "T at 2 m/°C"))
    run(stations, "--grid", "8,50,9,51,1", "--out", str(out))
    with xarray.open_dataset(out) as found:
        assert set(found.data_vars) == {"T_at_2_m_C", "T_at_2_m_C_stddev"}
        assert found["T_at_2_m_C"].attrs["long_name"] == "T at 2 m/°C"


def test_the_grid_mapping_of_a_grid_is_kept_and_its_times_are_not(stations):
    grid, out = stations.with_name("grid.nc"), stations.with_name("field.nc")
    dataset = xarray.Dataset(
        {"z": (("time", "lat", "lon"), np.zeros((1, 2, 3)), {"grid_mapping": "crs"})},
        {"lat": [50.0, 51.0], "lon": [8.0, 9.0, 10.0], "time": [5.0]},
    )
    dataset["crs"] = xarray.DataArray(0, attrs={"grid_mapping_name": "latitude_longitude"})
    dataset.to_netcdf(grid)
    run(stations, "--grid", str(grid), "--out", str(out))
    with xarray.open_dataset(out) as found:
        assert found["t2m"].sizes == {"time": 2, "lat": 2, "lon": 3}
        assert found["t2m"].attrs["grid_mapping"] == found["t2m_stddev"].attrs["grid_mapping"] == "crs"
        assert found["crs"].attrs["grid_mapping_name"] == "latitude_longitude"
        assert found["time"].dtype.kind == "M"
    with pytest.raises(ConfigurationError, match=r"grid\.nc is the input .*grid\.nc, which would be lost"):
        run(stations, "--grid", str(grid), "--out", str(grid), "--overwrite")


def test_a_fit_that_is_interrupted_leaves_nothing_and_what_was_there_stays(stations, monkeypatch):
    def interrupted(self, times, places, *, on_chunk=None):
        raise KeyboardInterrupt

    monkeypatch.setattr(QuickModel, "predict", interrupted)
    out = stations.with_name("field.nc")
    out.write_text("before")
    with pytest.raises(KeyboardInterrupt):
        run(stations, "--grid", "8,50,9,51,1", "--out", str(out), "--overwrite")
    assert out.read_text() == "before"
    assert sorted(path.name for path in out.parent.iterdir()) == ["field.nc", "stations.csv"]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ("", ConfigurationError, "is a table: say where to predict, by --grid"),
        ("--grid 8,50,9,51,1 --smooth", ConfigurationError, "--smooth: .* is a table"),
        ("--grid 8,50,9,51,1 --columns lat", ConfigurationError, "--columns 'lat': give ROLE=NAME"),
        ("--grid 8,50,9,51,1 --variable wind", ConfigurationError, r"has no column 'wind' \(value\)"),
        ("--grid 8,50,9,51,1 --model additive", ConfigurationError, "'additive' is not known for tables"),
        ("--grid 8,50,9,51,1 --distance round", ConfigurationError, "distance 'round' is not known"),
        ("--grid 8,50,9,51,1 --times noon", ConfigurationError, "times 'noon' cannot be read"),
        ("--grid 8,50,9,51,1 --validate 2", ConfigurationError, r"got 2\.0"),
        ("--grid 8,50,9,51,0.3", ConfigurationError, r"cells of 0\.3 do not fill"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_written(stations, options, error, message):
    out = stations.with_name("out.nc")
    arguments = [*options.split(), "--out", str(out)]
    with pytest.raises(error, match=message):
        run(stations, *arguments)
    assert not out.exists()


def test_an_output_that_is_the_input_or_no_netcdf_is_refused(stations):
    grid = ["--grid", "8,50,9,51,1"]
    with pytest.raises(ConfigurationError, match=r"ends in \.nc"):
        run(stations, *grid, "--out", str(stations))
    linked = stations.with_name("linked.nc")
    linked.symlink_to(stations)
    with pytest.raises(ConfigurationError, match=r"linked\.nc is the input .*which would be lost"):
        run(stations, *grid, "--out", str(linked), "--overwrite")
    stations.write_text("")
    with pytest.raises(ObservationError, match="is empty"):
        run(stations, *grid, "--out", str(stations.with_name("out.nc")))
