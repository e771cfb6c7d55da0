"""Fields on a grid from observations at irregular stations, read from tables.

``interpolate_stations`` predicts, ``hold_out_stations`` measures it at stations that are held out, and
``interpolate_table`` goes from file to file.
"""

from spatial_prediction.interpolation.stations._files import interpolate_table
from spatial_prediction.interpolation.stations._interpolate import hold_out_stations, interpolate_stations
from spatial_prediction.interpolation.stations._plan import StationPlan, plan_for_stations
from spatial_prediction.interpolation.stations._tables import SUFFIXES

__all__ = [
    "SUFFIXES",
    "StationPlan",
    "hold_out_stations",
    "interpolate_stations",
    "interpolate_table",
    "plan_for_stations",
]
