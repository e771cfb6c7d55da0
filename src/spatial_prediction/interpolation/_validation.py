"""How good a model is where nothing was observed."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.interpolation._dataarray import axes_of, in_order, values_of
from spatial_prediction.interpolation._fitted import fill_grid
from spatial_prediction.interpolation._plan import plan_for

if TYPE_CHECKING:
    import xarray

QUANTILE_95 = 1.959963984540054
"""A normal deviate is within plus or minus this with probability 0.95."""


@dataclass(frozen=True)
class Validation:
    """Errors at observations of places that were held out, noise included.

    Attributes:
        held_out: number of places held out.
        observations: number of their observations.
        mae: mean absolute error, in the field's unit.
        rmse: root of the mean squared error, in the same.
        coverage: share of observations within the 95 % interval.
        nlpd: mean negative log density, in nats.
        places: what was held out, for messages: ``pixels`` or ``stations``.
    """

    held_out: int
    observations: int
    mae: float
    rmse: float
    coverage: float
    nlpd: float
    places: str = "pixels"

    @classmethod
    def of(
        cls,
        errors: Float[np.ndarray, " N"],
        deviations: Float[np.ndarray, " N"],
        held_out: int,
        places: str = "pixels",
    ) -> "Validation":
        """Judge errors of N predictions by their standard deviations."""
        density = 0.5 * np.log(2.0 * np.pi * deviations**2) + 0.5 * (errors / deviations) ** 2
        return cls(
            held_out,
            len(errors),
            float(np.abs(errors).mean()),
            float(np.sqrt((errors**2).mean())),
            float((np.abs(errors) <= QUANTILE_95 * deviations).mean()),
            float(density.mean()),
            places,
        )

    def __str__(self) -> str:
        return (
            f"{self.observations} observations of {self.held_out} {self.places} held out: "
            f"MAE {self.mae:.4g}, RMSE {self.rmse:.4g}, coverage of the 95 % interval {self.coverage:.3f}, "
            f"NLPD {self.nlpd:.4g}"
        )


def drawn(share: float, count: int, places: str, *, seed: int) -> Bool[np.ndarray, " count"]:
    """Draw a share of some places.

    Raises:
        ConfigurationError: the share is not between 0 and 1, or leaves no place on one of the sides.
    """
    if not 0.0 < share < 1.0:
        raise ConfigurationError(f"the share to hold out must be between 0 and 1, got {share}")
    size = round(share * count)
    if not 0 < size < count:
        raise ConfigurationError(
            f"a share of {share} of {count} observed {places} holds {size} out; at least one must be held "
            "out and one kept"
        )
    chosen = np.zeros(count, np.bool_)
    chosen[np.random.default_rng(seed).choice(count, size, replace=False)] = True
    return chosen


def hold_out(
    array: "xarray.DataArray", share: float, *, seed: int = 0, model: str = "auto", steps: int = 60
) -> Validation:
    """Hide a share of the observed pixels in all frames, fit the others, and predict the hidden ones.

    Whole pixels are hidden, as stations are: neighbours in time do not give the answer away.

    Args:
        array: as of :func:`fill_gaps`.
        share: of the observed pixels, between 0 and 1.
        seed: of the draw.
        model: as of :func:`fill_gaps`.
        steps: as of :func:`fill_gaps`.

    Raises:
        ConfigurationError: the share is not between 0 and 1, or leaves no pixel on one of the sides.
        ObservationError: as of :func:`fill_gaps`.
    """
    ordered = in_order(array)
    values, axes = values_of(ordered), axes_of(ordered)
    mask = ~np.isnan(values)
    observed = np.flatnonzero(mask.any(axis=0))
    chosen = observed[drawn(share, observed.size, "pixels", seed=seed)]
    hidden = np.isin(np.arange(mask[0].size), chosen).reshape(mask[0].shape)
    held_out = mask & hidden
    known = mask & ~held_out
    # the model that all observations get, which fewer might not
    name = plan_for(mask, model=model, steps=steps).model
    mean, deviation = fill_grid(values, known, axes, plan_for(known, model=name, steps=steps))
    return Validation.of((values - mean)[held_out], deviation[held_out], chosen.size)
