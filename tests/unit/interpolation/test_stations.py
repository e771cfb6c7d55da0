"""Fields from stations: against dense NumPy, and data that are odd but legal."""

import numpy as np
import pytest
from tests import dense_gaussian

from spatial_prediction.errors import ConfigurationError, ObservationError
from spatial_prediction.gaussian_process import FitResult
from spatial_prediction.gaussian_process.kernels import positive
from spatial_prediction.interpolation import hold_out_stations, interpolate_stations
from spatial_prediction.interpolation.stations import _model, _plan, _validation, plan_for_stations
from spatial_prediction.interpolation.stations._model import fitted_stations
from spatial_prediction.interpolation.stations._observations import Observations, observations_of
from spatial_prediction.interpolation.stations._tables import table_of

pytestmark = pytest.mark.usefixtures("quick_compilation")

STATIONS, TIMES = 8, 3
RANDOM = np.random.default_rng(0)
PLACES = np.repeat(RANDOM.uniform(0, 10, (STATIONS, 2)), TIMES, axis=0)
WHEN = np.tile([0.0, 1.0, 3.0], STATIONS)
GRID = "0,0,10,10,5"


def truth(time, y, x):
    return 280 + 5 * np.sin(0.3 * x - 0.4 * time) + 3 * np.cos(0.3 * y)


def table(**changed):
    values = truth(WHEN, *PLACES.T)
    return {"time": WHEN, "y": PLACES[:, 0], "x": PLACES[:, 1], "value": values} | changed


def fitted(steps=12, **changed):
    observations = observations_of(table_of(table(**changed)))
    return observations, fitted_stations(observations, plan_for_stations(len(WHEN), 1, steps=steps))


def interpolated(given=None, steps=12, **options):
    return interpolate_stations(table() if given is None else given, GRID, steps=steps, **options)


def positions(places, on_sphere):
    """Places in space, written down once more."""
    if not on_sphere:
        return places
    latitude, longitude = np.deg2rad(places.T)
    return 6371.0 * np.stack(
        [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)], axis=1
    )


@pytest.mark.parametrize("names", [("y", "x"), ("lat", "lon")])
def test_predictions_are_those_of_dense_numpy_with_known_errors_in_the_noise(names):
    """In the units of the data: degrees, kilometres, hours."""
    errors = RANDOM.uniform(0, 2, len(WHEN))
    given = {"time": WHEN, names[0]: PLACES[:, 0], names[1]: PLACES[:, 1] - 5, "error": errors}
    observations = observations_of(table_of(given | {"value": truth(WHEN, *PLACES.T)}))
    found = fitted_stations(observations, plan_for_stations(len(WHEN), 1, steps=12))
    on_sphere, units, model = names[0] == "lat", found.units, found.posterior.model
    length = units.length * 6371.0 if on_sphere else units.length
    kernels = model.kernel
    static, moving, time = kernels.first.kernel, kernels.second.first.kernel, kernels.second.second.kernel
    if on_sphere:
        static, moving = static.kernel, moving.kernel
    variance, centre = found.scaling.scale**2, found.scaling.centre

    def covariance(a, b):
        place_a, place_b = positions(a[:, 1:], on_sphere), positions(b[:, 1:], on_sphere)
        parts = [
            float(part.outputscale)
            * dense_gaussian.matern(place_a, place_b, float(part.kernel.lengthscale) * length)
            for part in (static, moving)
        ]
        in_time = dense_gaussian.matern(a[:, :1], b[:, :1], float(time.lengthscale) * units.time)
        known = np.diag(errors**2) if a is points and b is points else 0.0
        return variance * (parts[0] + parts[1] * in_time) + known

    points = np.column_stack([WHEN, observations.places])
    wanted = np.column_stack([[0.5, 2.0, 9.0], [[5.0, 1.0], [-3.0, 0.5], [20.0, 4.0]]])
    mean, spread = dense_gaussian.conditioned(
        covariance,
        points,
        observations.values,
        wanted,
        mean=centre + found.scaling.scale * float(model.mean),
        noise=variance * (1e-6 + float(positive(model.raw_noise))),
    )
    got_mean, got_spread = found.predict(wanted[:, 0], wanted[:, 1:])
    np.testing.assert_allclose(got_mean, mean, rtol=1e-9)
    np.testing.assert_allclose(got_spread, spread, rtol=1e-6)


def test_a_smooth_field_is_found_between_the_stations():
    found = interpolated(steps=40)
    time, y, x = np.meshgrid(*(found[name] for name in ("time", "y", "x")), indexing="ij")
    inside = found["value_stddev"].values < 2.0
    assert inside.sum() >= 6
    errors = np.abs(found["value"].values - truth(time, y, x))
    assert (errors < 3 * found["value_stddev"].values + 0.1).all()
    assert errors[inside].mean() < 1.0


def test_the_order_of_rows_does_not_matter():
    order = RANDOM.permutation(len(WHEN))
    shuffled = {name: np.asarray(column)[order] for name, column in table().items()}
    for name in ("value", "value_stddev"):
        np.testing.assert_allclose(interpolated(shuffled)[name], interpolated()[name], rtol=1e-4)


def test_duplicated_observations_are_averaged():
    """Two sensors at each place and time, which disagree by 2: the mean is between, with noise to match."""
    half = len(WHEN) // 2
    doubled = {name: np.concatenate([column[:half]] * 2) for name, column in table().items()}
    doubled["value"] = doubled["value"] + np.repeat([-1.0, 1.0], half)
    observations, found = fitted(steps=40, **doubled)
    mean, variance = found.predict(WHEN[:half], PLACES[:half])
    assert np.abs(mean - truth(WHEN, *PLACES.T)[:half]).max() < 1.0
    assert (variance > 0.5).all()
    assert len(np.unique(observations.stations)) == STATIONS // 2


def test_a_station_far_away_leaves_the_others_as_good_as_they_were(caplog):
    far = PLACES.copy()
    far[:TIMES] = 1e6
    found = interpolated(table(y=far[:, 0], x=far[:, 1]), steps=40)
    np.testing.assert_allclose(found["value"], interpolated(steps=40)["value"], atol=2.5)
    assert "no station lies in the grid" not in caplog.text
    interpolated(table(y=PLACES[:, 0] + 1e3), steps=1)
    assert "no station lies in the grid" in caplog.text


def test_a_plane_without_noise_drives_parameters_to_their_bounds_and_is_found():
    found = interpolated(table(value=PLACES[:, 0] + 2 * PLACES[:, 1]), steps=60)
    y, x = np.meshgrid(found["y"], found["x"], indexing="ij")
    np.testing.assert_allclose(found["value"], np.broadcast_to(y + 2 * x, found["value"].shape), atol=0.5)
    assert np.isfinite(found["value_stddev"]).all()


def test_noise_without_a_field_is_given_its_own_spread():
    values = 7.0 + RANDOM.normal(size=len(WHEN))
    found = interpolated(table(value=values), steps=60)
    assert np.abs(found["value"] - 7.0).max() < 1.5
    assert ((found["value_stddev"] > 0.4) & (found["value_stddev"] < 2.0)).all()


def test_longitudes_go_round_the_globe():
    lon = PLACES[:, 1] + 175.0
    here, there = (
        interpolate_stations(
            {"time": WHEN, "lat": PLACES[:, 0], "lon": longitudes, "value": truth(WHEN, *PLACES.T)},
            "175,0,-175,10,5",
            steps=12,
        )
        for longitudes in (lon, np.where(lon > 180, lon - 360, lon))
    )
    np.testing.assert_array_equal(here["lon"], [177.5, 182.5])
    np.testing.assert_allclose(here["value"], there["value"], rtol=1e-6)


def test_one_time_is_a_map_and_other_times_are_refused():
    now = {name: column[::TIMES] for name, column in table().items()}
    mapped = interpolated(now)
    assert mapped["value"].dims == ("time", "y", "x")
    assert mapped.sizes["time"] == 1
    del now["time"]
    np.testing.assert_allclose(interpolated(now)["value"], mapped["value"][0])
    with pytest.raises(ConfigurationError, match=r"times: 1\.0 is asked for, and only 0\.0 was observed"):
        interpolated(now | {"time": np.zeros(STATIONS)}, times="0,1")
    with pytest.raises(ConfigurationError, match="no column of times"):
        interpolated(now, times="0")


def test_what_shows_nothing_is_refused():
    ones = np.ones(len(WHEN))
    with pytest.raises(ObservationError, match=r"24 observations are at one place .y 1, x 1.: nothing shows"):
        interpolated(table(y=ones, x=ones))
    with pytest.raises(ObservationError, match="all 24 observed values are 1: nothing shows"):
        interpolated(table(value=ones))
    with pytest.raises(ObservationError, match="all 1 observed values"):
        interpolated({name: column[:1] for name, column in table().items()})
    with pytest.raises(ObservationError, match=r"value -1e\+200 is too large to be squared; if it stands"):
        interpolated(table(value=np.where(WHEN == 1, -1e200, 1.0)))


def test_a_fit_that_fails_from_the_start_is_an_error_and_a_later_failure_is_not(monkeypatch):
    def failing(best_step):
        def fit(model, loss, **options):
            return FitResult(
                model, "failed: loss is nan after 3 steps", np.zeros(3), np.zeros(0), [], best_step, 0.0
            )

        return fit

    monkeypatch.setattr(_model, "fit", failing(2))
    assert np.isfinite(interpolated()["value"]).all()
    monkeypatch.setattr(_model, "fit", failing(0))
    with pytest.raises(ObservationError, match="the fit failed: loss is nan after 3 steps; look for values"):
        interpolated()


def test_the_variational_model_with_all_points_is_the_exact_one(monkeypatch):
    found = interpolated()
    monkeypatch.setattr(_plan, "MOST_EXACT", 10)
    summarised = interpolated()
    for name in ("value", "value_stddev"):
        np.testing.assert_allclose(summarised[name], found[name], rtol=2e-3)


def test_of_many_observations_a_part_finds_the_parameters_and_the_seed_repeats_it(monkeypatch):
    monkeypatch.setattr(_plan, "MOST_FITTED", 12)
    first, again, other = (interpolated(steps=3, seed=seed)["value"] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0


def test_the_plan_goes_by_the_number_of_observations_and_predictions():
    few, many = plan_for_stations(500, 1000), plan_for_stations(50_000, 1000)
    assert (few.model, few.fitted, few.rows) == ("dense", 500, 500)
    assert (many.model, many.fitted, many.rows, many.inducing_points) == ("variational", 2000, 2000, 1000)
    assert few.seconds < many.seconds < plan_for_stations(50_000, 10_000_000).seconds
    assert "500 observations, 1,000 cells to predict, model dense: about" in str(few)
    assert "(2,000 of them find its parameters)" in str(many)
    assert "variational by 1,000 points" in str(many)
    for arguments, message in [
        ((12_001, 1), "matrix has 12,000 rows: choose model variational"),
        ((10, 100_000_001), "take fewer times .times, --times. or a coarser grid"),
    ]:
        with pytest.raises(ObservationError, match=message):
            plan_for_stations(*arguments, model="dense")
    with pytest.raises(
        ConfigurationError, match="model 'additive' is not known for tables; choose one of auto"
    ):
        plan_for_stations(10, 10, model="additive")
    with pytest.raises(ConfigurationError, match="steps must be at least 1, got 0"):
        plan_for_stations(10, 10, steps=0)


class Constant:
    """A model that predicts 280 with a standard deviation of 1 everywhere, and remembers its data."""

    known: Observations

    def predict(self, times, places):
        return np.full(len(times), 280.0), np.ones(len(times))


def test_whole_stations_are_held_out_and_judged_with_their_errors(monkeypatch):
    seen = Constant()

    def fit(observations, plan, *, seed):
        seen.known = observations
        return seen

    monkeypatch.setattr(_validation, "fitted_stations", fit)
    monkeypatch.setattr(_plan, "MOST_EXACT", 23)
    given = table(error=np.full(len(WHEN), np.sqrt(3.0)))
    found = hold_out_stations(given, 0.25, seed=3)
    left = np.isin(PLACES[:, 0], seen.known.places[:, 0])
    assert (~left).sum() == 2 * TIMES == found.observations
    errors = given["value"][~left] - 280.0
    assert found.mae == pytest.approx(np.abs(errors).mean())
    assert found.rmse == pytest.approx(np.sqrt(np.mean(errors**2)))
    assert found.coverage == pytest.approx((np.abs(errors) < 2 * 1.96).mean())
    assert found.nlpd == pytest.approx((errors**2 / 8 + 0.5 * np.log(2 * np.pi * 4)).mean())
    assert "6 observations of 2 stations held out: MAE" in str(found)
    assert found == hold_out_stations(given, 0.25, seed=3)
    for share in (0.0, 1.0, 0.01):
        with pytest.raises(ConfigurationError, match="share"):
            hold_out_stations(given, share)


def test_a_station_is_one_place_whichever_way_round_its_longitude_goes():
    rows = {"lat": [1.0, 1.0, 2.0], "lon": [-1.0, 359.0, -1.0], "value": [1.0, 2.0, 3.0]}
    np.testing.assert_array_equal(observations_of(table_of(rows)).stations, [0, 0, 1])
