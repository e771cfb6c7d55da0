"""The Gaussian process of stations: its fit, and predictions anywhere."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from spatial_prediction.errors import ConfigurationError, ObservationError
from spatial_prediction.gaussian_process import (
    DenseGP,
    NegativeLogLikelihood,
    SparseVariationalGP,
    Standardisation,
    fit,
)
from spatial_prediction.gaussian_process.kernels import (
    AbstractKernel,
    Matern,
    OnAxes,
    OnSphere,
    Scaled,
    unconstrained,
)
from spatial_prediction.interpolation._fitted import check_variation, reported
from spatial_prediction.interpolation.stations._observations import Observations
from spatial_prediction.interpolation.stations._plan import StationPlan
from spatial_prediction.interpolation.stations._times import Times, as_numbers

logger = logging.getLogger(__name__)

OPTIONS: dict[str, Any] = {"raw_noise": unconstrained(0.1), "noise_floor": 1e-6}

MOST_UNITS = 50
"""Units of time in a record: lengthscales of any record are fitted from near 1."""

DIAGONAL = 3.5
"""Diagonal of a square of scattered stations, in median distances from their middle."""


@dataclass(frozen=True)
class FittedStations:
    """A fitted model of stations.

    Attributes:
        posterior: the conditioned model, of values that were scaled and points in ``units``.
        scaling: of the values.
        units: of times and places.
    """

    posterior: Any
    scaling: Standardisation
    units: "Units"

    def predict(
        self,
        times: Times,
        places: Float[np.ndarray, "M 2"],
        *,
        on_chunk: Callable[[int], None] | None = None,
    ) -> tuple[Float[np.ndarray, " M"], Float[np.ndarray, " M"]]:
        """Mean and variance of a new observation without an error of measurement, at M times and places."""
        predicted = self.posterior.predict(self.units.points(times, places), on_chunk=on_chunk)
        return self.scaling.undo(*predicted)


@dataclass(frozen=True)
class Units:
    """Units in which fits begin well: some ten of them from one end of the data to the other.

    They come from medians, so that a station or a time far from all others leaves them as they are.

    Attributes:
        start: the first time.
        time: in seconds, or in the unit of times that are numbers.
        length: in the unit of y and x, or in radii of the Earth on the sphere, whose degrees stay degrees.
        on_sphere: whether places are latitudes and longitudes between which distances are those on the Earth.
    """

    start: Any
    time: float
    length: float
    on_sphere: bool

    @classmethod
    def of(cls, observations: Observations) -> "Units":
        """Units for the times and stations of some observations.

        Raises:
            ObservationError: all are at one place.
        """
        places = observations.station_places
        in_space = _in_space(places, observations.on_sphere)
        extent = DIAGONAL * float(np.median(np.linalg.norm(in_space - np.median(in_space, axis=0), axis=1)))
        if extent == 0:
            names = ("lat", "lon") if observations.geographic else ("y", "x")
            raise ObservationError(
                f"all {len(observations)} observations are at one place ({names[0]} {places[0, 0]:g}, "
                f"{names[1]} {places[0, 1]:g}): nothing shows how the field varies in space; give two "
                "stations or more"
            )
        times = np.unique(observations.times)
        record = as_numbers(times, times[0])
        steps = min(MOST_UNITS, len(times) - 1)
        middle_half = float(np.subtract(*np.quantile(record, [0.75, 0.25])))
        length = float(extent / np.sqrt(len(places)))
        return cls(times[0], 2.0 * middle_half / steps if steps else 1.0, length, observations.on_sphere)

    def points(self, times: Times, places: Float[np.ndarray, "M 2"]) -> Float[np.ndarray, "M 3"]:
        """Points of the model: time, and place in units of length, in degrees on the sphere."""
        scaled = places if self.on_sphere else places / self.length
        return np.column_stack([as_numbers(times, self.start) / self.time, scaled])


def fitted_stations(observations: Observations, plan: StationPlan, *, seed: int = 0) -> FittedStations:
    """Fit a static field plus one that moves, or one field where there is one time, and condition it.

    Parameters maximise the exact likelihood of ``plan.fitted`` observations drawn at random; the model is
    then conditioned on all of them. Known errors of measurement enter the noise of their observations.

    Args:
        observations: at two places or more.
        plan: the model, as :func:`plan_for_stations` chose it.
        seed: of the observations drawn, and of the inducing points.

    Raises:
        ObservationError: all values are equal or at one place, values are too large, or the fit failed.
    """
    values = observations.values
    check_variation(values)
    units, scaling = Units.of(observations), Standardisation.of(values)
    points = units.points(observations.times, observations.places)
    scaled, known = scaling.apply(values), (observations.errors / scaling.scale) ** 2
    kernel = _kernel(units, observations)
    random = np.random.default_rng(seed)
    some = np.sort(random.permutation(len(values))[: plan.fitted])
    start = DenseGP(kernel, **OPTIONS)
    part = start.condition_points(points[some], scaled[some], noise_variances=known[some])
    result = fit(
        start, NegativeLogLikelihood(part, len(some)), steps=plan.steps, on_step=reported(plan.steps)
    )
    if result.failed and result.best_step == 0:
        raise ObservationError(
            f"the fit {result.status}; look for values or errors of another size than the others"
        )
    logger.info("fit ended after %d steps (%s)", len(result.history) - 1, result.status)
    if plan.model == "dense":
        posterior: Any = result.model.condition_points(points, scaled, noise_variances=known)
        return FittedStations(posterior, scaling, units)
    sparse = SparseVariationalGP.at_observations(
        result.model.kernel,
        points,
        plan.inducing_points,
        key=jax.random.key(seed),
        mean=result.model.mean,
        raw_noise=result.model.raw_noise,
        noise_floor=result.model.noise_floor,
    )
    summarised = sparse.condition_points(points, scaled, noise_variances=known)
    return FittedStations(summarised.with_model(summarised.solved()), scaling, units)


def refuse_other_times(wanted: Times, observed: Times) -> None:
    """Refuse times beside the only one observed.

    Raises:
        ConfigurationError: there are such.
    """
    if np.all(observed == observed[0]) and np.any(wanted != observed[0]):
        other = wanted[np.argmax(wanted != observed[0])]
        raise ConfigurationError(
            f"times: {other} is asked for, and only {observed[0]} was observed, which does not show how the "
            "field changes; leave the times out"
        )


def _kernel(units: Units, observations: Observations) -> AbstractKernel:
    """Static + space x time of points (time, row, column); space only where there is one time.

    Lengthscales start at a sixth of the extent of stations and record.
    """
    stations, times = len(observations.station_places), len(np.unique(observations.times))
    in_space: AbstractKernel = Scaled(Matern(unconstrained(np.sqrt(stations) / 6)), unconstrained(0.5))
    if units.on_sphere:
        in_space = OnSphere(in_space, 1.0 / units.length)
    field = OnAxes(in_space, (1, 2))
    if times == 1:
        return field
    return field + field * OnAxes(Matern(unconstrained(min(MOST_UNITS, times - 1) / 6)), (0,))


def _in_space(places: Float[np.ndarray, "M 2"], on_sphere: bool) -> Float[np.ndarray, "M D"]:
    """Places as they are, or on a sphere of radius 1 in space."""
    if not on_sphere:
        return places
    latitude, longitude = np.deg2rad(places.T)
    parallel = np.cos(latitude)
    return np.column_stack([parallel * np.cos(longitude), parallel * np.sin(longitude), np.sin(latitude)])
