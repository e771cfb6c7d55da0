import json
import math

import pandas as pd
import pytest

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.studies.super_resolution import metrics

PRESETS = {"zero-repl": 0, "repl": 0, "lost": 0, "lp_oc1": 1}


def _errors(shell_mse: dict[tuple[str, int], list[float]]) -> pd.DataFrame:
    """Store errors whose shells hold one pixel each, so that an output crop's MSE is their plain mean."""
    rows = [
        (preset, seed, 0, crop, float(sum(shells[crop:])), 11 - crop)
        for (preset, seed), shells in shell_mse.items()
        for crop in range(11)
    ]
    columns = ["preset", "seed", "image", "output_crop", "sum_of_squares", "pixel_count"]
    return pd.DataFrame(rows, columns=columns)


@pytest.fixture
def errors():
    flat = [1.0] * 10
    return _errors(
        {
            ("zero-repl", 0): [2.0, *flat],
            ("zero-repl", 1): [4.0, *flat],
            ("repl", 1): [3.0, *flat],
            ("repl", 2): [9.0, *flat],
            ("lp_oc1", 0): [5.0, *flat],
        }
    )


@pytest.fixture
def runs():
    tried = [("zero-repl", 0, True), ("zero-repl", 1, True), ("repl", 0, False), ("lost", 0, False)]
    return pd.DataFrame(
        [
            (preset, seed, "completed" if well else "diverged", 9, 9, None, 1.0, None)
            for preset, seed, well in tried
        ],
        columns=["preset", "seed", "status", "steps", "step", "reason", "seconds", "final_test_loss"],
    )


def _timings(*rows):
    columns = ["preset", "batch_size", "images_per_second", "pixels_per_second", "relative_time"]
    return pd.DataFrame(rows, columns=columns)


def test_common_seeds_ignore_presets_without_success(errors):
    assert metrics.common_seeds_by_crop(errors, PRESETS) == {0: [1], 1: [0]}
    assert metrics.common_seeds(errors.iloc[:0]) == []


def test_shells_rest_on_common_seeds(errors):
    shells = metrics.shell_results(errors, PRESETS, rng_seed=0).set_index(["preset", "shell"])
    assert shells.loc[("zero-repl", 0), "mean"] == 4.0
    assert shells.loc[("repl", 0), "mean"] == 3.0
    assert math.isnan(shells.loc[("repl", 0), "low"])
    assert "lost" not in shells.index.get_level_values("preset")


def test_general_results_compare_with_the_baseline_on_common_seeds(errors, runs):
    results = metrics.general_results(
        errors, runs, _timings(("repl", 8, 2.0, 4.0, 1.5)), _timings(), PRESETS, rng_seed=0
    ).set_index("preset")
    assert results.index.tolist() == list(PRESETS)
    assert results["baseline"].fillna("none").tolist() == ["zero-repl", "zero-repl", "zero-repl", "none"]
    assert results.loc["zero-repl", ["succeeded", "tried"]].tolist() == [2, 2]
    assert results.loc["lost", ["succeeded", "tried"]].tolist() == [0, 1]
    assert results.loc["zero-repl", "mse_mean"] == pytest.approx((12 / 11 + 14 / 11) / 2)
    assert results.loc["zero-repl", "difference_mean"] == 0.0
    # Seed 1 alone is common: 13 against 14 over the kept area, 3 against 4 in shell 0.
    assert results.loc["repl", "difference_mean"] == pytest.approx(100 * (13 / 14 - 1))
    assert results.loc["repl", "shell_difference_mean"] == pytest.approx(-25)
    assert results.loc["repl", "training_relative_time"] == 1.5
    missing = results.loc[["lost", "lp_oc1"], ["difference_mean", "training_batch_size"]]
    assert missing.isna().all(axis=None)


def test_baseline_outside_the_study_is_none():
    assert metrics.baseline_of("lp_oc1", PRESETS) is None
    assert metrics.baseline_of("lp_oc1", PRESETS, {1: "repl"}) == "repl"


def test_nmse_is_the_ratio_of_sums():
    errors = pd.DataFrame(
        [("p", 0, "zero", 0, 1.0, 1.0), ("p", 1, "zero", 0, 2.0, 5.0), ("p", 0, "repl", 0, 0.0, 0.0)],
        columns=["preset", "seed", "padding", "feature_map", "squared_error", "variance"],
    )
    found = metrics.nmse_by_feature_map(errors)
    assert found["padding"].tolist() == ["zero", "repl"]
    assert found["nmse"].iloc[0] == pytest.approx(0.5)
    assert math.isnan(found["nmse"].iloc[1])


def _write(path, **content):
    path.write_text(json.dumps(content))
    return path


def test_timing_is_relative_to_the_reference(tmp_path):
    timing = {"batch_size": 4, "images_per_second": 2.0, "pixels_per_second": 9.0, "kind": "training"}
    path = _write(tmp_path / "a.json", preset="a", reference_images_per_second=3.0, **timing)
    assert metrics.read_timings([path], "training")["relative_time"].tolist() == [1.5]
    assert metrics.read_timings([], "training").empty
    with pytest.raises(ConfigurationError, match="a timing of training, not of inference"):
        metrics.read_timings([path], "inference")
    with pytest.raises(ConfigurationError, match="earlier file"):
        metrics.read_timings([path, path], "training")


def test_unusable_run_records_are_named(tmp_path):
    record = {"preset": "a", "seed": 0, "steps": 1, "step": 1, "reason": None, "seconds": 1.0}
    lacking = _write(tmp_path / "lacking.json", **record)
    with pytest.raises(ConfigurationError, match=r"lacking.json: key\(s\) status, final_test_loss missing"):
        metrics.read_runs([lacking])
    odd = _write(tmp_path / "odd.json", status="lost", final_test_loss=None, **record)
    with pytest.raises(ConfigurationError, match=r"odd.json: status is 'lost'"):
        metrics.read_runs([odd])
    with pytest.raises(ConfigurationError, match="cannot be read as JSON"):
        metrics.read_runs([tmp_path / "absent.json"])
