"""The legend of the shell figure leaves the data alone."""

import pandas as pd
import pytest

from spatial_prediction.studies.super_resolution.config import LARGEST_OUTPUT_CROP
from spatial_prediction.studies.super_resolution.figures import looks
from spatial_prediction.studies.super_resolution.figures.shell_mse import shell_mse
from spatial_prediction.studies.super_resolution.presets import PRESETS


@pytest.mark.parametrize("steep", [1.3, 20.0])  # a linear axis, and a logarithmic one
def test_many_presets_have_their_legend_above_the_data(steep):
    names = [name for name, preset in PRESETS.items() if preset.output_crop == 0][:18]
    shells = pd.DataFrame(
        [(name, shell, 1e-3 * (steep if shell == 0 else 1)) for name in names for shell in range(11)],
        columns=["preset", "shell", "mean"],
    )
    shells = shells.assign(low=shells["mean"] * 0.98, high=shells["mean"] * 1.02)
    figure = shell_mse(shells, dict.fromkeys(names, 0))
    figure.draw_without_rendering()
    (axes,) = figure.axes
    assert axes.get_legend().get_window_extent().y0 >= axes.get_window_extent().y1


def test_where_no_run_succeeded_all_shells_there_could_be_are_shown():
    assert looks.last_shell(pd.DataFrame({"shell": [0, 3, 1]})) == 3
    assert looks.last_shell(pd.DataFrame({"shell": []})) == LARGEST_OUTPUT_CROP
