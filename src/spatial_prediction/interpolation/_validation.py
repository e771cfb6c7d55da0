"""How good a model is where nothing was observed."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

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
    """Errors at observations of pixels that were held out, noise included.

    Attributes:
        pixels: number of pixels held out.
        observations: number of their observations.
        mae: mean absolute error, in the field's unit.
        coverage: share of observations within the 95 % interval.
        nlpd: mean negative log density, in nats.
    """

    pixels: int
    observations: int
    mae: float
    coverage: float
    nlpd: float

    def __str__(self) -> str:
        return (
            f"{self.observations} observations of {self.pixels} pixels held out: MAE {self.mae:.4g}, "
            f"coverage of the 95 % interval {self.coverage:.3f}, NLPD {self.nlpd:.4g}"
        )


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
    if not 0.0 < share < 1.0:
        raise ConfigurationError(f"the share to hold out must be between 0 and 1, got {share}")
    ordered = in_order(array)
    values, axes = values_of(ordered), axes_of(ordered)
    mask = ~np.isnan(values)
    observed = np.flatnonzero(mask.any(axis=0))
    count = round(share * observed.size)
    if not 0 < count < observed.size:
        raise ConfigurationError(
            f"a share of {share} of {observed.size} observed pixels holds {count} out; at least one must be "
            "held out and one kept"
        )
    hidden = np.zeros(mask[0].size, np.bool_)
    hidden[np.random.default_rng(seed).choice(observed, count, replace=False)] = True
    held_out = mask & hidden.reshape(mask[0].shape)
    known = mask & ~held_out
    # the model that all observations get, which fewer might not
    chosen = plan_for(mask, model=model, steps=steps).model
    mean, deviation = fill_grid(values, known, axes, plan_for(known, model=chosen, steps=steps))
    errors, spread = (values - mean)[held_out], deviation[held_out]
    density = 0.5 * np.log(2.0 * np.pi * spread**2) + 0.5 * (errors / spread) ** 2
    return Validation(
        count,
        int(held_out.sum()),
        float(np.abs(errors).mean()),
        float((np.abs(errors) <= QUANTILE_95 * spread).mean()),
        float(density.mean()),
    )
