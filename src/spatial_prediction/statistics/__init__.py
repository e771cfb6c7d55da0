"""Statistics of tidy tables: confidence intervals and differences between samples; no JAX, no drawing."""

from spatial_prediction.statistics.intervals import Interval as Interval
from spatial_prediction.statistics.intervals import bootstrap_interval as bootstrap_interval
from spatial_prediction.statistics.intervals import intervals_by as intervals_by
from spatial_prediction.statistics.intervals import relative_difference as relative_difference
