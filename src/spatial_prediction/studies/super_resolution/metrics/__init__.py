"""Numbers of the padding study: tidy tables in, tidy tables out; no JAX, no drawing.

Conventions that every function here keeps:

- **Scale.** Errors are squared differences of data scaled to [-1, 1]; an MSE is a plain number such as
  5.4e-4. Figures and tables show it in units of 1e-6.
- **Output crop.** A number of input pixels left out on each of the four sides; one input pixel is
  4 x 4 output pixels. Test errors are stored for each output crop from 0 to 10.
- **Shell.** Shell s (0 to 9) is the ring between output crop s and output crop s + 1, one input pixel (4
  output pixels) thick; shell 10 is all that output crop 10 keeps. A preset whose output crop is c trained
  without the shells 0 to c - 1, and its *outermost kept shell* is shell c.
- **Sums first.** An MSE or NMSE over several images is the ratio of summed errors to summed counts (or
  variances), never the mean of ratios.
- **Seeds.** Each run (a preset and a seed) is one sample. Intervals are over seeds. A diverged run has no
  rows, and differences between presets use only the seeds with which both succeeded.
- **Presets.** An argument ``presets`` maps the name of each preset to its output crop, in the order in which
  figures and tables show them.
"""

from spatial_prediction.studies.super_resolution.metrics.bilinear import against_bilinear as against_bilinear
from spatial_prediction.studies.super_resolution.metrics.bilinear import bilinear_by_crop as bilinear_by_crop
from spatial_prediction.studies.super_resolution.metrics.bilinear import (
    bilinear_by_shell as bilinear_by_shell,
)
from spatial_prediction.studies.super_resolution.metrics.bilinear import read_bilinear as read_bilinear
from spatial_prediction.studies.super_resolution.metrics.blurred_noise import blur_curves as blur_curves
from spatial_prediction.studies.super_resolution.metrics.blurred_noise import expected_nmse as expected_nmse
from spatial_prediction.studies.super_resolution.metrics.comparison import BASELINES as BASELINES
from spatial_prediction.studies.super_resolution.metrics.comparison import baseline_of as baseline_of
from spatial_prediction.studies.super_resolution.metrics.comparison import common_seeds as common_seeds
from spatial_prediction.studies.super_resolution.metrics.comparison import (
    differences_from_baseline as differences_from_baseline,
)
from spatial_prediction.studies.super_resolution.metrics.nmse import (
    nmse_by_feature_map as nmse_by_feature_map,
)
from spatial_prediction.studies.super_resolution.metrics.results import (
    common_seeds_by_crop as common_seeds_by_crop,
)
from spatial_prediction.studies.super_resolution.metrics.results import general_results as general_results
from spatial_prediction.studies.super_resolution.metrics.results import shell_results as shell_results
from spatial_prediction.studies.super_resolution.metrics.runs import count_runs as count_runs
from spatial_prediction.studies.super_resolution.metrics.runs import read_runs as read_runs
from spatial_prediction.studies.super_resolution.metrics.seam_results import (
    deviation_by_distance as deviation_by_distance,
)
from spatial_prediction.studies.super_resolution.metrics.seam_results import seam_results as seam_results
from spatial_prediction.studies.super_resolution.metrics.seam_results import strategy_costs as strategy_costs
from spatial_prediction.studies.super_resolution.metrics.seam_results import (
    transfer_results as transfer_results,
)
from spatial_prediction.studies.super_resolution.metrics.seams import read_seams as read_seams
from spatial_prediction.studies.super_resolution.metrics.shells import INNERMOST_SHELL as INNERMOST_SHELL
from spatial_prediction.studies.super_resolution.metrics.shells import mse_at_own_crop as mse_at_own_crop
from spatial_prediction.studies.super_resolution.metrics.shells import mse_by_crop as mse_by_crop
from spatial_prediction.studies.super_resolution.metrics.shells import mse_by_shell as mse_by_shell
from spatial_prediction.studies.super_resolution.metrics.tidy import COLUMNS as COLUMNS
from spatial_prediction.studies.super_resolution.metrics.tidy import gather_tables as gather_tables
from spatial_prediction.studies.super_resolution.metrics.tidy import read_records as read_records
from spatial_prediction.studies.super_resolution.metrics.tidy import read_table as read_table
from spatial_prediction.studies.super_resolution.metrics.timing import read_timings as read_timings
