"""Figures and tables of the padding study: tidy table in, figure out; no JAX, no reading of files.

Each figure has its own module with one function of the same name, which is also that of its file and,
after ``plot_``, of its rule and script. The function returns a Matplotlib figure for one column of a
page (3.5 inches wide). ``looks`` gives a preset the same colour, marker and line
in every figure. Errors are passed on the scale of data in [-1, 1] and shown in units of 1e-6.
"""

from spatial_prediction.studies.super_resolution.figures.blur_theory import blur_theory as blur_theory
from spatial_prediction.studies.super_resolution.figures.inputs_and_targets import (
    inputs_and_targets as inputs_and_targets,
)
from spatial_prediction.studies.super_resolution.figures.loss_histories import (
    loss_histories as loss_histories,
)
from spatial_prediction.studies.super_resolution.figures.lp6x7_samples import lp6x7_samples as lp6x7_samples
from spatial_prediction.studies.super_resolution.figures.padded_samples import (
    padded_samples as padded_samples,
)
from spatial_prediction.studies.super_resolution.figures.padding_nmse import padding_nmse as padding_nmse
from spatial_prediction.studies.super_resolution.figures.provenance_table import (
    provenance_table as provenance_table,
)
from spatial_prediction.studies.super_resolution.figures.seam_tables import seam_table as seam_table
from spatial_prediction.studies.super_resolution.figures.seam_tables import strategy_table as strategy_table
from spatial_prediction.studies.super_resolution.figures.seam_tables import transfer_table as transfer_table
from spatial_prediction.studies.super_resolution.figures.seams import seams as seams
from spatial_prediction.studies.super_resolution.figures.shell_mse import shell_mse as shell_mse
from spatial_prediction.studies.super_resolution.figures.shift_deviation import (
    shift_deviation as shift_deviation,
)
from spatial_prediction.studies.super_resolution.figures.stitched_corners import (
    stitched_corners as stitched_corners,
)
from spatial_prediction.studies.super_resolution.figures.strategies import strategies as strategies
from spatial_prediction.studies.super_resolution.figures.study_warnings import log_warnings as log_warnings
from spatial_prediction.studies.super_resolution.figures.study_warnings import (
    study_warnings as study_warnings,
)
from spatial_prediction.studies.super_resolution.figures.study_warnings import write_note as write_note
from spatial_prediction.studies.super_resolution.figures.tables import general_table as general_table
from spatial_prediction.studies.super_resolution.figures.tables import run_table as run_table
from spatial_prediction.studies.super_resolution.figures.tables import shell_table as shell_table
from spatial_prediction.studies.super_resolution.figures.test_mse import test_mse as test_mse
from spatial_prediction.studies.super_resolution.figures.throughput import throughput as throughput
from spatial_prediction.studies.super_resolution.figures.transfer import transfer as transfer
from spatial_prediction.studies.super_resolution.figures.upscaled_samples import (
    upscaled_samples as upscaled_samples,
)
