"""Laws of tables and grids of stations, without a fit."""

import csv
import datetime
import io

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from spatial_prediction.interpolation.stations._model import Units
from spatial_prediction.interpolation.stations._observations import Observations, observations_of
from spatial_prediction.interpolation.stations._tables import read_table, table_of
from spatial_prediction.interpolation.stations._target import target_grid
from spatial_prediction.interpolation.stations._times import wanted_times

numbers = st.floats(-1e6, 1e6, allow_nan=False)
times = st.datetimes(min_value=datetime.datetime(850, 1, 1), max_value=datetime.datetime(2300, 1, 1))
rows = st.lists(
    st.tuples(times, st.floats(-90, 90), st.floats(-180, 360), numbers, st.floats(0, 1e3)),
    min_size=1,
    max_size=6,
)
NAMES = ("time", "lat", "lon", "temp", "error")


@settings(max_examples=50)
@given(rows=rows, delimiter=st.sampled_from(",;\t"), blank=st.booleans())
def test_a_table_survives_text(tmp_path_factory, rows, delimiter, blank):
    """Every time, place, value and error that is written is read again, bit by bit, and so from memory."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerow(NAMES)
    for time, *others in rows:
        writer.writerow([time.isoformat(), *map(repr, others)])
        if blank:
            text.write("\n# a remark\n")
    path = tmp_path_factory.getbasetemp() / "law.csv"
    path.write_text(text.getvalue(), newline="")
    found = observations_of(read_table(path))
    columns = dict(zip(NAMES, zip(*rows, strict=True), strict=True))
    np.testing.assert_array_equal(found.times, np.array(columns["time"], "datetime64[us]"))
    np.testing.assert_array_equal(found.places, np.column_stack([columns["lat"], columns["lon"]]))
    np.testing.assert_array_equal(found.values, columns["temp"])
    np.testing.assert_array_equal(found.errors, columns["error"])
    in_memory = observations_of(table_of(columns | {"time": np.array(columns["time"], "datetime64[us]")}))
    assert str(in_memory) == str(found)


@settings(max_examples=50)
@given(
    west=st.integers(-180, 179),
    south=st.integers(-90, 80),
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    step=st.sampled_from([0.1, 0.25, 1 / 3, 0.7, 2.0]),
)
def test_cells_fill_their_bounds(west, south, size, step):
    bounds = (west, south, west + size[1] * step, min(south + size[0] * step, 90.0))
    rows = round((bounds[3] - south) / step)
    bounds = (*bounds[:3], south + rows * step)
    grid = target_grid(",".join(map(repr, (*bounds, step))), geographic=False)
    assert grid.shape == (rows, size[1])
    for axis, start, end in ((grid.rows, bounds[1], bounds[3]), (grid.columns, bounds[0], bounds[2])):
        np.testing.assert_allclose(axis[0] - step / 2, start, atol=1e-9)
        np.testing.assert_allclose(axis[-1] + step / 2, end, atol=1e-9)
        np.testing.assert_allclose(np.diff(axis), step)


@settings(max_examples=50)
@given(start=st.integers(-1000, 1000), count=st.integers(1, 40), step=st.sampled_from([0.1, 0.3, 1.0, 7.5]))
def test_a_range_of_times_ends_where_it_says(start, count, step):
    found = wanted_times(f"{start}/{start + (count - 1) * step!r}/{step}", np.zeros(1))
    assert len(found) == count
    np.testing.assert_allclose(found, start + step * np.arange(count))


@settings(max_examples=50)
@given(
    places=arrays.arrays(np.float64, (7, 2), elements=st.integers(-50, 50).map(float), unique=True),
    seconds=arrays.arrays(np.float64, 7, elements=st.integers(0, 10**6).map(float)),
    scale=st.sampled_from([1e-3, 1.0, 1e4]),
)
def test_points_of_a_model_do_not_depend_on_the_units_of_the_data(places, seconds, scale):
    """Metres or kilometres, seconds or days: the model sees the same points, up to rounding."""
    first, second = (
        Observations(factor * seconds, factor * places, np.zeros(7), np.zeros(7)) for factor in (1.0, scale)
    )
    seen = [Units.of(each).points(each.times, each.places) for each in (first, second)]
    np.testing.assert_allclose(seen[1], seen[0], rtol=1e-9, atol=1e-9)
