"""How good a model is at stations it has not seen."""

import logging

import numpy as np

from spatial_prediction.interpolation._validation import Validation, drawn
from spatial_prediction.interpolation.stations._model import fitted_stations
from spatial_prediction.interpolation.stations._observations import Observations
from spatial_prediction.interpolation.stations._plan import plan_for_stations

logger = logging.getLogger(__name__)


def validated(
    observations: Observations, share: float, *, seed: int = 0, model: str = "auto", steps: int = 60
) -> Validation:
    """Hide all observations of a share of the stations, fit the others, and predict the hidden ones.

    A station is a place, so that neither its own past nor a second instrument there gives the answer away.
    Known errors of measurement of the hidden observations widen the intervals.

    Args:
        observations: at three places or more.
        share: of the stations, between 0 and 1.
        seed: of the draw.
        model: as of :func:`plan_for_stations`, by the number of all observations.
        steps: most steps of the fit.

    Raises:
        ConfigurationError: the share is not between 0 and 1, or leaves no station on one of the sides.
        ObservationError: as of :func:`fitted_stations`.
    """
    stations = observations.stations
    hidden = drawn(share, int(stations.max()) + 1, "stations", seed=seed)
    known, held_out = observations.only(~hidden[stations]), observations.only(hidden[stations])
    # the model that all observations get, which fewer might not
    name = plan_for_stations(len(observations), len(held_out), model=model, steps=steps).model
    plan = plan_for_stations(len(known), len(held_out), model=name, steps=steps)
    logger.info("validation: %s", plan)
    mean, variance = fitted_stations(known, plan, seed=seed).predict(held_out.times, held_out.places)
    deviations = np.sqrt(np.maximum(variance, 0.0) + held_out.errors**2)
    return Validation.of(held_out.values - mean, deviations, int(hidden.sum()), "stations")
