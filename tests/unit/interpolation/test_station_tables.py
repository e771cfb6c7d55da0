"""Tables of stations: what is read, and what is refused with the line and the remedy."""

import datetime

import numpy as np
import pandas as pd
import pytest

from spatial_prediction.cli.interpolate import TABLES
from spatial_prediction.errors import ConfigurationError, ObservationError
from spatial_prediction.interpolation.stations import SUFFIXES
from spatial_prediction.interpolation.stations._observations import observations_of
from spatial_prediction.interpolation.stations._tables import read_table, table_of
from spatial_prediction.interpolation.stations._times import wanted_times

ROWS = """\
# two stations
time,lat,lon,temp,error
2024-01-02,50.0,8.0,1.5,0.1
2024-01-01T06:00,50.0,8.0,0.5,0.2

2024-01-01T06:00+01:00,51.0,9.0,NA,0.1
2024-01-02,51.0,9.0,-2.5,0
"""


def written(folder, text, name="stations.csv"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(folder, text, **options):
    return observations_of(read_table(written(folder, text)), **options)


def test_a_table_is_read_as_it_stands(tmp_path):
    found = read(tmp_path, ROWS)
    assert found.name == "temp"
    assert found.on_sphere
    np.testing.assert_array_equal(found.values, [1.5, 0.5, -2.5])
    np.testing.assert_array_equal(found.errors, [0.1, 0.2, 0.0])
    np.testing.assert_array_equal(found.places, [[50, 8], [50, 8], [51, 9]])
    np.testing.assert_array_equal(found.stations, [0, 0, 1])
    expected = np.array(["2024-01-02", "2024-01-01T06", "2024-01-02"], "datetime64[us]")
    np.testing.assert_array_equal(found.times, expected)


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_delimiters_byte_order_marks_and_quotes_make_no_difference(tmp_path, delimiter):
    changed = b"\xef\xbb\xbf" + ROWS.replace(",", delimiter).replace("temp", '"temp"').encode()
    assert str(read(tmp_path, changed)) == str(read(tmp_path, ROWS))


def test_parquet_and_columns_in_memory_are_the_same_table(tmp_path):
    text = read_table(written(tmp_path, ROWS)).frame
    times = pd.to_datetime(text["time"], utc=True, format="ISO8601")
    frame = pd.DataFrame(
        {name: pd.to_numeric(text[name], errors="coerce") for name in text if name != "time"}
    )
    wanted = str(read(tmp_path, ROWS))
    for column in (times, times.dt.tz_convert("Asia/Tokyo"), times.dt.tz_localize(None), text["time"]):
        frame["time"] = column
        frame.to_parquet(tmp_path / "stations.parquet")
        assert str(observations_of(read_table(tmp_path / "stations.parquet"))) == wanted
        assert str(observations_of(table_of(dict(frame)))) == wanted
        assert str(observations_of(table_of(frame.set_index("time")))) == wanted
        assert str(observations_of(table_of(frame.set_index(np.arange(4)[::-1])))) == wanted


def test_places_may_be_plane_and_times_numbers_or_absent(tmp_path):
    plane = read(tmp_path, "y,x,value,t_max\n1,2,3,4\n", columns={"value": "t_max"})
    assert (plane.name, plane.on_sphere, plane.geographic, plane.timed) == ("t_max", False, False, False)
    np.testing.assert_array_equal(plane.places, [[1, 2]])
    numbers = read(tmp_path, "time,y,x,value\n0.5,1,2,3\n", time_units="hours since 2000-01-01")
    assert numbers.times.dtype == np.float64
    assert not read(tmp_path, ROWS, distance="plane").on_sphere
    both = "lat,lon,y,x,value\n50,8,1,2,3\n"
    assert read(tmp_path, both).geographic
    assert not read(tmp_path, both, columns={"y": "y"}).geographic


def test_dates_without_hyphens_are_dates_unless_units_say_otherwise(tmp_path):
    text = "time,y,x,value\n20240131,1,2,3\n"
    assert read(tmp_path, text).times[0] == np.datetime64("2024-01-31")
    assert read(tmp_path, text, time_units="seconds since 2000-01-01").times[0] == 20240131.0
    assert read(tmp_path, text.replace("0131", "9931")).times[0] == 20249931.0
    table = table_of({"time": [20240131], "y": [1], "x": [2], "value": [3]})
    assert observations_of(table).times[0] == np.datetime64("2024-01-31")
    table = table_of({"time": [datetime.date(2024, 1, 31)], "y": [1], "x": [2], "value": [3]})
    assert observations_of(table).times[0] == np.datetime64("2024-01-31")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("1.5", "1.5x", r"line 3: temp is '1\.5x', not a number; correct it, or leave the line out"),
        ("1.5", '"1,5"', r"line 3: temp is '1,5', not a number; write decimal points"),
        ("1.5", "inf", "line 3: temp is inf"),
        ("2024-01-02,51", "2024-13-02,51", "line 7: time is '2024-13-02', neither a number nor a date"),
        ("2024-01-02,51", ",51", "line 7: time is missing; leave the line out"),
        ("50.0,8.0,0.5", "NA,8.0,0.5", "line 4: lat is nan; leave"),
        (
            "50.0,8.0,0.5",
            "150.0,8.0,0.5",
            r"line 4: lat is 150; .*are lat and lon swapped\? \(--columns lat=lon",
        ),
        ("8.0,0.5", "800,0.5", "line 4: lon is 800; give longitudes in degrees"),
        (",0.2", ",-0.2", r"line 4: error is -0\.2; give a standard deviation, 0 or more"),
        (",0.2", ",", "line 4: error is nan; give a standard deviation"),
        (",0.2", "", "line 4: has 4 fields, and the first line 5 names"),
        ("lat,", "breite,", "no columns lat and lon, nor y and x, among time, breite, lon"),
        ("temp,", "error_of,", None),
        ("temp,error", "temp,wind", "the value could be any of temp, wind; say which .--variable NAME"),
        ("temp,error", "station,error", "no column of values among time, lat, lon, station, error"),
        ("temp,error", "temp,temp", "2 columns are named 'temp'"),
        ("lon,temp", "lon,date", "time could be any of time, date; say which .--columns time=NAME"),
        (ROWS, "", r"stations\.csv: is empty"),
        (ROWS, "# nothing\n\n", "is empty"),
        (ROWS, "time,lat,lon,temp\n", "nothing is observed .no rows"),
        (ROWS, "lat,lon,temp\n50,8,\n", "nothing is observed .all 1 values of temp are missing"),
        (ROWS, b"lat,lon,\xff\n", "byte 8 is not UTF-8"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_line(tmp_path, old, new, message):
    text = new if old == ROWS else ROWS.replace(old, new, 1)
    if message is None:
        assert read(tmp_path, text).name == "error_of"
        return
    with pytest.raises(ObservationError, match=message) as raised:
        read(tmp_path, text)
    assert "stations.csv" in str(raised.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": {"latitude": "lat"}}, "columns: 'latitude' is not known; choose among time, lat"),
        ({"columns": {"lat": "breite"}}, r"has no column 'breite' \(lat\); it has time, lat, lon"),
        ({"distance": "round"}, "distance 'round' is not known"),
        ({"distance": "sphere", "columns": {"y": "lat", "x": "lon"}}, "distance 'sphere': .* has y and x"),
        ({"time_units": "days since 2000-01-01"}, "has dates in time; leave the units out"),
    ],
)
def test_settings_that_do_not_suit_the_table_are_refused(tmp_path, options, message):
    with pytest.raises(ConfigurationError, match=message):
        read(tmp_path, ROWS, **options)


def test_units_of_time_that_nobody_knows_are_refused(tmp_path):
    text = "time,y,x,value\n1,1,2,3\n"
    with pytest.raises(
        ConfigurationError, match=r"'fortnights' cannot be understood .*; give such as 'hours"
    ):
        read(tmp_path, text, time_units="fortnights")
    with pytest.raises(ConfigurationError, match="has no column of times"):
        read(tmp_path, "y,x,value\n1,2,3\n", time_units="hours since 2000-01-01")


def test_files_that_are_no_tables_are_refused(tmp_path):
    for path in (tmp_path / "absent.csv", written(tmp_path, "y,x\n1,2\n", "stations.parquet"), tmp_path):
        with pytest.raises(ObservationError, match=r"cannot be read as a table .*; give CSV or Parquet"):
            read_table(path)
    with pytest.raises(ObservationError, match=r"'y': \(2,\), 'x': \(3,\).*of one length"):
        table_of({"y": [1, 2], "x": [1, 2, 3]})


def test_times_to_predict_are_ranges_or_lists():
    dates, numbers = np.array(["2024-01-01"], "datetime64[us]"), np.array([0.5])
    days = wanted_times("2024-01-01/2024-01-03/12h", dates)
    np.testing.assert_array_equal(days, np.arange("2024-01-01T00", "2024-01-03T01", 12, "datetime64[h]"))
    np.testing.assert_array_equal(wanted_times("2024-01-03,2024-01-01", dates), days[[0, 4]])
    np.testing.assert_array_equal(wanted_times(days[:2], dates), days[:2])
    np.testing.assert_allclose(wanted_times("0/0.3/0.1", numbers), [0, 0.1, 0.2, 0.3])
    np.testing.assert_array_equal(wanted_times([2, 1.5, 2], numbers), [1.5, 2])
    for wrong in ("2024-01-01/2024-01-03/0D", "2024-01-03/2024-01-01/1D", "yesterday", "0", []):
        with pytest.raises(ConfigurationError, match="times"):
            wanted_times(wrong, dates)
    with pytest.raises(ConfigurationError, match="nan"):
        wanted_times("nan", numbers)


def test_the_command_takes_for_tables_what_is_read_as_such():
    assert TABLES == SUFFIXES
