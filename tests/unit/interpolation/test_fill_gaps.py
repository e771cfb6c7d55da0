"""Gaps of DataArrays: what is filled, what is kept, and what is refused."""

import numpy as np
import pytest
import xarray

from spatial_prediction.errors import ConfigurationError, ObservationError
from spatial_prediction.gaussian_process import FitResult
from spatial_prediction.interpolation import fill_gaps, hold_out, plan_for

pytestmark = pytest.mark.usefixtures("quick_compilation")

SHAPE = (4, 5, 6)


def truth():
    t, y, x = np.meshgrid(*(np.arange(size) for size in SHAPE), indexing="ij")
    return 280.0 + 5.0 * np.sin(0.5 * x - 0.4 * t) + 3.0 * np.cos(0.5 * y)


def field(dims=("time", "y", "x"), **coordinates):
    values = truth().astype(np.float32)
    values[np.random.default_rng(0).random(SHAPE) < 0.3] = np.nan
    given = {
        "time": np.array("2024-01-01", "datetime64[ns]") + np.arange(SHAPE[0]) * np.timedelta64(1, "D"),
        "y": np.arange(SHAPE[1]) * -100.0,
        "x": np.arange(SHAPE[2]) * 100.0,
    } | coordinates
    attributes = {"units": "K", "standard_name": "sea_surface_temperature", "valid_min": 0.0}
    coords = {name: values for name, values in given.items() if name in dims}
    return xarray.DataArray(values, coords, dims, name="sst", attrs=attributes)


def test_gaps_are_filled_near_the_truth_and_observations_kept():
    gaps = field()
    gaps["spatial_ref"] = xarray.DataArray(0, attrs={"crs_wkt": "somewhere"})
    gaps.encoding = {"grid_mapping": "spatial_ref", "scale_factor": 0.01, "dtype": "int16"}
    mean, deviation = fill_gaps(gaps, steps=25)
    hidden = np.isnan(gaps.values)
    np.testing.assert_array_equal(mean.values[~hidden], gaps.values[~hidden])
    assert (deviation.values[~hidden] == 0).all()
    assert (deviation.values[hidden] > 0).all()
    error = np.abs(mean.values - truth())[hidden].mean()
    assert error < 0.3 * np.abs(truth() - np.nanmean(gaps))[hidden].mean()
    for part in (mean, deviation):
        assert part.dims == gaps.dims
        assert part.dtype == np.float32
        assert part.encoding == {"grid_mapping": "spatial_ref"}
        assert part.attrs["units"] == "K"
        xarray.testing.assert_identical(part.coords.to_dataset(), gaps.coords.to_dataset())
    assert deviation.name == "sst_stddev" == mean.attrs["ancillary_variables"]
    assert deviation.attrs["standard_name"] == "sea_surface_temperature standard_error"
    assert "valid_min" not in deviation.attrs
    assert "valid_min" in mean.attrs


def test_the_order_of_dimensions_does_not_matter_nor_the_direction_of_an_axis():
    gaps = field()
    mean, _ = fill_gaps(gaps, steps=3)
    other, _ = fill_gaps(gaps.transpose("x", "y", "time")[:, ::-1], steps=3)
    assert other.dims == ("x", "y", "time")
    np.testing.assert_allclose(other[:, ::-1].transpose(*mean.dims), mean, rtol=1e-5)


def test_one_frame_and_two_dimensions_are_the_same():
    one = field()[:1].drop_vars(["time", "y", "x"])
    mean, deviation = fill_gaps(one, steps=10, smooth=True)
    flat, _ = fill_gaps(one[0], steps=10, smooth=True)
    assert (deviation > 0).all()
    np.testing.assert_allclose(flat, mean[0], rtol=1e-5)
    assert np.abs(mean - truth()[0]).max() < 6.0


def test_one_row_or_one_cell_is_enough():
    mean, _ = fill_gaps(field()[:, :1], steps=10)
    assert np.isfinite(mean).all()
    cell = field()[:, :1, :1]
    cell[:] = np.array([280.0, np.nan, 282.0, 283.0])[:, None, None]
    mean, deviation = fill_gaps(cell, steps=10)
    assert 279.0 < mean[1] < 284.0
    assert deviation[1] > 0


def test_one_pixel_of_a_field_shows_nothing_of_the_others():
    gaps = field()
    gaps[:] = np.nan
    gaps[:, 2, 3] = [280.0, 281.0, 282.0, 283.0]
    with pytest.raises(ObservationError, match=r"4 observations are at one place, row and column \[2 3\]"):
        fill_gaps(gaps)


def test_a_plane_without_noise_and_noise_without_a_field_are_fitted():
    """Parameters go to their bounds: the noise to its floor, or the field to nothing."""
    t, y, x = np.meshgrid(*(np.arange(float(size)) for size in SHAPE), indexing="ij")
    plane, noise = field(), field()
    hidden = np.isnan(plane.values)
    plane.values[~hidden] = (t + y + 2 * x)[~hidden]
    noise.values[~hidden] = np.random.default_rng(1).normal(size=(~hidden).sum())
    mean, deviation = fill_gaps(plane, steps=60)
    np.testing.assert_allclose(mean.values[hidden], (t + y + 2 * x)[hidden], atol=0.5)
    assert np.isfinite(deviation).all()
    mean, deviation = fill_gaps(noise, steps=60)
    assert np.abs(mean.values[hidden]).max() < 1.5
    assert ((deviation.values[hidden] > 0.5) & (deviation.values[hidden] < 1.5)).all()


def test_a_fit_that_fails_at_the_start_is_an_error(monkeypatch):
    def failing(model, loss, **options):
        return FitResult(model, "failed: loss is nan after 0 steps", np.zeros(1), np.zeros(0), [], 0, np.inf)

    monkeypatch.setattr("spatial_prediction.interpolation._fitted.fit", failing)
    with pytest.raises(ObservationError, match="the fit of model static_product failed: loss is nan"):
        fill_gaps(field())


def test_distances_between_latitudes_and_longitudes_are_those_on_the_sphere():
    """Columns at 180 and -180 degrees are one place, so its gap gets the other's value."""
    longitude, latitude = np.linspace(-180.0, 180.0, SHAPE[2]), np.linspace(-4.0, 4.0, SHAPE[1])
    gaps = field(("time", "lat", "lon"), lon=longitude, lat=latitude)
    gaps.values[:] = truth()
    gaps.values[..., -1] = np.nan
    mean, _ = fill_gaps(gaps, steps=25)
    np.testing.assert_allclose(mean[..., -1], gaps[..., 0], atol=0.8)
    transposed, _ = fill_gaps(gaps.transpose("time", "lon", "lat"), steps=25)
    np.testing.assert_allclose(transposed.transpose(*mean.dims), mean, rtol=1e-5)


def test_swapped_latitude_and_longitude_are_noticed():
    swapped = field(("time", "lat", "lon"), lat=np.linspace(60, 100, SHAPE[1]), lon=np.arange(SHAPE[2]))
    with pytest.raises(ObservationError, match=r"latitude lat has the value 100, .* swapped"):
        fill_gaps(swapped)


@pytest.mark.parametrize(
    ("days", "named"),
    [([0, 2, 1, 3], r"time\[2\]"), ([0, 1, 1, 2], r"time\[2\]"), ([0, 0, 1, 2], r"time\[1\]")],
)
def test_unsorted_and_repeated_times_are_refused_with_the_remedy(days, named):
    times = np.array("2024-01-01", "datetime64[ns]") + np.array(days) * np.timedelta64(1, "D")
    with pytest.raises(ObservationError, match=rf"{named} = .*sorted without duplicates; use array\.drop"):
        fill_gaps(field(time=times))


def test_missing_times_are_refused():
    times = np.array(["2024-01-01", "NaT", "2024-01-03", "2024-01-04"], "datetime64[ns]")
    with pytest.raises(ObservationError, match=r"time\[1\] is NaT"):
        fill_gaps(field(time=times))


def test_values_that_say_nothing_are_refused():
    nothing, one, infinite = (field() for _ in range(3))
    nothing[:] = np.nan
    one[:] = np.nan
    one[1, 2, 3] = 7.0
    infinite[0, 0, :] = np.inf
    with pytest.raises(ObservationError, match="nothing is observed"):
        fill_gaps(nothing)
    with pytest.raises(ObservationError, match="all 1 observed values are 7"):
        fill_gaps(one)
    with pytest.raises(ObservationError, match="all 120 observed values are 3"):
        fill_gaps(xarray.full_like(field(), 3.0))
    with pytest.raises(ObservationError, match="not finite"):
        fill_gaps(infinite)
    huge = field().astype(np.float64)
    huge[0, 0, :] = 1e200
    with pytest.raises(ObservationError, match=r"value 1e\+200 is too large to be squared"):
        fill_gaps(huge)


def test_arrays_of_other_kinds_are_refused():
    with pytest.raises(ObservationError, match="dimensions"):
        fill_gaps(field()[0, 0])
    with pytest.raises(ObservationError, match="dtype bool"):
        fill_gaps(field().isnull())
    with pytest.raises(ObservationError, match="every dimension needs cells"):
        fill_gaps(field()[:0])


def test_the_plan_goes_by_the_number_of_observations():
    few, many = np.ones((3, 5, 5), np.bool_), np.ones((30, 10, 10), np.bool_)
    assert plan_for(few).model == "static_product"
    assert plan_for(few).cost.rows == 75
    assert plan_for(many).model == "additive"
    assert plan_for(many).cost.rows == 130
    assert plan_for(few[:1]).model == "additive"
    assert "75 observations, model static_product" in str(plan_for(few))
    with pytest.raises(ObservationError, match="coarser grid"):
        plan_for(np.ones((1, 120, 120), np.bool_))
    with pytest.raises(ObservationError, match="choose model additive"):
        plan_for(np.ones((2, 90, 90), np.bool_), model="static_product")
    with pytest.raises(ObservationError, match="only one frame"):
        plan_for(few[:1], model="static_product")
    with pytest.raises(ConfigurationError, match="'kriging' is not known"):
        plan_for(few, model="kriging")
    with pytest.raises(ConfigurationError, match="steps must be at least 1, got 0"):
        plan_for(few, steps=0)


def test_held_out_pixels_are_predicted_and_the_seed_repeats_them():
    gaps = field()
    found = hold_out(gaps, 0.2, seed=1, model="additive", steps=5)
    assert found == hold_out(gaps, 0.2, seed=1, model="additive", steps=5)
    assert found.held_out == 6
    assert 0 < found.observations <= 24
    assert 0 < found.mae < 3.0
    assert 0.5 < found.coverage <= 1
    for share in (0.0, 1.0, 0.001):
        with pytest.raises(ConfigurationError, match="share"):
            hold_out(gaps, share)


def test_fewer_observations_are_held_against_the_model_of_all_of_them(monkeypatch):
    used = []

    def fitted(values, mask, axes, plan):
        used.append(plan.model)
        return np.zeros_like(values), np.ones_like(values)

    monkeypatch.setattr("spatial_prediction.interpolation._validation.fill_grid", fitted)
    gaps = field()
    observed = int(gaps.notnull().sum())
    monkeypatch.setattr("spatial_prediction.interpolation._plan.MOST_DENSE", observed - 1)
    hold_out(gaps, 0.2)
    monkeypatch.setattr("spatial_prediction.interpolation._plan.MOST_DENSE", observed)
    hold_out(gaps, 0.2)
    assert used == ["additive", "static_product"]
