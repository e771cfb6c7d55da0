"""Fill gaps of fields and images by Gaussian processes, with the uncertainty of every filled value.

``fill_gaps`` takes an ``xarray.DataArray`` with NaN, ``inpaint`` an image and a mask. ``plan_for`` chooses
the model and says what it costs; ``hold_out`` measures how good it is where nothing was observed.
``interpolate_stations`` and ``hold_out_stations`` do the same for tables of observations at irregular
stations (``stations``).
"""

from spatial_prediction.interpolation._dataarray import fill_gaps
from spatial_prediction.interpolation._files import fill_file
from spatial_prediction.interpolation._fitted import Axes, fill_grid
from spatial_prediction.interpolation._images import inpaint
from spatial_prediction.interpolation._plan import MODELS, Plan, plan_for
from spatial_prediction.interpolation._validation import Validation, hold_out
from spatial_prediction.interpolation.stations import hold_out_stations, interpolate_stations

__all__ = [
    "MODELS",
    "Axes",
    "Plan",
    "Validation",
    "fill_file",
    "fill_gaps",
    "fill_grid",
    "hold_out",
    "hold_out_stations",
    "inpaint",
    "interpolate_stations",
    "plan_for",
]
