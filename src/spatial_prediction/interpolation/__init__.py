"""Fill gaps of fields and images by Gaussian processes, with the uncertainty of every filled value.

``fill_gaps`` takes an ``xarray.DataArray`` with NaN, ``inpaint`` an image and a mask. ``plan_for`` chooses
the model and says what it costs; ``hold_out`` measures how good it is where nothing was observed.
"""

from spatial_prediction.interpolation._dataarray import fill_gaps
from spatial_prediction.interpolation._files import fill_file
from spatial_prediction.interpolation._fitted import Axes, fill_grid
from spatial_prediction.interpolation._images import inpaint
from spatial_prediction.interpolation._plan import MODELS, Plan, plan_for
from spatial_prediction.interpolation._validation import Validation, hold_out

__all__ = [
    "MODELS",
    "Axes",
    "Plan",
    "Validation",
    "fill_file",
    "fill_gaps",
    "fill_grid",
    "hold_out",
    "inpaint",
    "plan_for",
]
