import math

import pandas as pd
import pytest
from tests.study_tables import study_tables

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.studies.super_resolution import metrics

PRESETS = {"zero-repl": 0, "zero_oc5": 5}


def _mse(*rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["preset", "seed", "mse"])


def test_each_run_is_compared_at_the_output_crop_of_its_preset():
    runs = _mse(("zero-repl", 0, 3.0), ("zero-repl", 1, 5.0), ("zero_oc5", 0, 3.0), ("elsewhere", 0, 1.0))
    against = metrics.against_bilinear(runs, PRESETS, {0: 4.0, 1: 9.0, 5: 2.0})
    assert against["preset"].tolist() == ["zero-repl", "zero-repl", "zero_oc5"]
    assert against["beaten"].tolist() == [True, False, False]
    assert against["difference"].tolist() == [-25.0, 25.0, 50.0]


def test_as_good_as_bilinear_is_not_better():
    against = metrics.against_bilinear(_mse(("zero-repl", 0, 4.0)), PRESETS, {0: 4.0, 5: 2.0})
    assert against["beaten"].tolist() == [False]


def test_scenes_that_bilinear_upscaling_predicts_without_error_leave_no_percentage():
    against = metrics.against_bilinear(_mse(("zero-repl", 0, 4.0)), PRESETS, {0: 0.0, 5: 0.0})
    assert not against["beaten"].any()
    assert math.isnan(against["difference"].item())


def test_values_by_crop_and_by_shell_are_those_of_the_table():
    errors = study_tables(PRESETS, bilinear=2e-3).bilinear_errors
    by_crop, by_shell = metrics.bilinear_by_crop(errors), metrics.bilinear_by_shell(errors)
    assert list(by_crop) == by_shell["shell"].tolist() == list(range(11))
    assert by_crop[10] == pytest.approx(by_shell["mse"].iloc[-1])
    assert by_crop[0] > by_crop[10] == pytest.approx(2e-3, rel=2e-3)


def test_results_tell_the_difference_of_each_preset():
    study = study_tables(PRESETS, level=4000e-6, bilinear=3600e-6, diverged=["zero_oc5"])
    results = study.results.set_index("preset")["bilinear_difference_mean"]
    own = study.test_mse["mse"].mean()
    assert results["zero-repl"] == pytest.approx(100 * (own / study.bilinear[0] - 1))
    assert math.isnan(results["zero_oc5"])


def test_a_table_of_several_runs_is_refused(tmp_path):
    path = tmp_path / "mse.parquet"
    study_tables(PRESETS).errors.to_parquet(path)
    with pytest.raises(ConfigurationError, match="holds the errors of 4 runs"):
        metrics.read_bilinear(path)
