import numpy as np
import pytest
import xarray as xr
from tests.helpers import shared_folder

from spatial_prediction.errors import ConfigurationError, SceneError
from spatial_prediction.studies.interpolation.config import Frames
from spatial_prediction.studies.interpolation.fields.field import Field, load_field, save_field
from spatial_prediction.studies.interpolation.fields.netcdf import read_netcdf_field
from spatial_prediction.studies.interpolation.fields.synthetic import VELOCITY, WEATHER, synthetic_field
from spatial_prediction.studies.interpolation.stages.inputs import CHECKSUM, SIZE, write_field

PUBLISHED = shared_folder("data") / "temperature" / "continuous_signal_demo_dataset.nc"


def array(**coordinates):
    values = np.arange(24.0).reshape(2, 3, 4)
    return xr.DataArray(values, dims=("time", "lat", "lon"), coords=coordinates, attrs={"units": "K"})


def written(tmp_path, **variables):
    xr.Dataset(variables).to_netcdf(tmp_path / "field.nc")
    return tmp_path / "field.nc"


def test_a_synthetic_field_is_its_seeds():
    first, again, other = (
        synthetic_field(frames=4, rows=6, columns=9, seed=seed).values for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1
    assert 240 < first.min() < first.max() < 310


def test_synthetic_weather_moves_with_the_wind_and_has_the_stated_spread():
    values = synthetic_field(frames=300, rows=16, columns=24, seed=1).values
    weather = values - values.mean(axis=0)
    assert weather.std() == pytest.approx(WEATHER, rel=0.15)

    def agreement(columns):
        moved = weather[5:, :, columns:] if columns else weather[5:]
        return np.mean(weather[:-5, :, : 24 - columns] * moved)

    shifts = [agreement(columns) for columns in range(9)]
    assert abs(int(np.argmax(shifts)) - 5 * VELOCITY[1]) <= 1.5


def test_a_field_survives_its_file(tmp_path):
    field = synthetic_field(frames=2, rows=3, columns=4, seed=0)
    save_field(tmp_path / "field.safetensors", field)
    read = load_field(tmp_path / "field.safetensors")
    np.testing.assert_array_equal(read.values, field.values)
    assert (read.name, read.units, read.north_first) == ("temperature", "K", False)


def test_units_are_those_of_the_file_or_else_the_ones_given(tmp_path):
    stored = array(time=[0, 1], lat=[40.0, 50.0, 60.0], lon=[0.0, 1, 2, 3])
    assert read_netcdf_field(written(tmp_path, t=stored), units="m").units == "K"
    del stored.attrs["units"]
    assert read_netcdf_field(written(tmp_path, t=stored), units="m").units == "m"


@pytest.mark.parametrize("north_first", [True, False])
def test_axes_are_found_by_name_wherever_they_stand(tmp_path, north_first):
    latitudes = [60.0, 50.0, 40.0] if north_first else [40.0, 50.0, 60.0]
    stored = array(time=[0, 1], lat=latitudes, lon=[0.0, 1, 2, 3])
    field = read_netcdf_field(written(tmp_path, t=stored.transpose("lon", "time", "lat")))
    np.testing.assert_array_equal(field.values, stored.values)
    assert (field.north_first, field.units, field.name) == (north_first, "K", "t")


def test_dimensions_of_size_one_and_unnamed_axes_are_taken_as_they_stand(tmp_path):
    stored = xr.DataArray(np.arange(24.0).reshape(2, 1, 3, 4), dims=("a", "height", "b", "c"))
    field = read_netcdf_field(written(tmp_path, t=stored, other=xr.DataArray([1.0], dims="z")))
    np.testing.assert_array_equal(field.values, stored.values[:, 0])
    assert field.north_first


def test_fill_values_are_missing(tmp_path):
    stored = array().astype(np.float32)
    stored.values[0, 0, 0] = -999
    stored.encoding["_FillValue"] = np.float32(-999)
    assert np.isnan(read_netcdf_field(written(tmp_path, t=stored)).values[0, 0, 0])


@pytest.mark.parametrize(
    ("variables", "variable", "message"),
    [
        ({"t": array()}, "u", "has no variable 'u'; it has t"),
        ({"t": array(), "u": array()}, None, "2 of its variables have three dimensions"),
        ({"t": array().isel(time=0, drop=True)}, "t", "has dimensions lat (3), lon (4)"),
        ({"t": array(time=[1, 0])}, None, "time 1 (0) is not after the one before it (1)"),
        ({"t": array(time=[1, 1])}, None, "sort the file by time"),
        ({"t": array() * np.nan}, None, "has no value at all"),
        (
            {"t": array(lat=xr.DataArray([100.0, 120, 140], dims="lat", attrs={"units": "degrees_north"}))},
            None,
            "latitude and longitude are swapped",
        ),
    ],
)
def test_what_is_no_field_is_refused_with_a_remedy(tmp_path, variables, variable, message):
    with pytest.raises(SceneError) as raised:
        read_netcdf_field(written(tmp_path, **variables), variable)
    assert message in str(raised.value)
    assert str(tmp_path / "field.nc") in str(raised.value)


def test_files_that_are_no_netcdf_are_refused(tmp_path):
    (tmp_path / "text.nc").write_text("no netCDF")
    for name in ("text.nc", "nowhere.nc"):
        with pytest.raises(SceneError, match=f"{name}: cannot be read as netCDF"):
            read_netcdf_field(tmp_path / name)


def test_a_field_that_cannot_be_studied_is_refused(tmp_path):
    output = tmp_path / "field.safetensors"
    short = synthetic_field(frames=3, rows=2, columns=2, seed=0)
    with pytest.raises(ConfigurationError, match="the field has 3"):
        write_field(short, Frames(2, 1, 1), output)
    zero = Field(np.zeros((3, 2, 2)), "t", "", "made here", True)
    with pytest.raises(SceneError, match="0 or missing in all of frames 0 to 0"):
        write_field(zero, Frames(1, 1, 1), output)
    large = Field(np.ones((3, 80, 80)), "t", "", "made here", True)
    with pytest.raises(ConfigurationError, match="coarser grid"):
        write_field(large, Frames(1, 1, 1), output)
    assert not output.exists()


@pytest.mark.skipif(not PUBLISHED.exists(), reason="no folder shared/data/temperature beside the checkout")
def test_the_published_field_is_the_one_whose_checksum_is_known():
    import hashlib

    content = PUBLISHED.read_bytes()
    assert (len(content), hashlib.sha256(content).hexdigest()) == (SIZE, CHECKSUM)
    field = read_netcdf_field(PUBLISHED)
    assert field.values.shape == (70, 17, 48)
    assert not field.north_first
    assert field.scale(range(50)) == pytest.approx(291.28134, abs=1e-5)
