import numpy as np
import pandas as pd
import pytest

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.studies.interpolation.config import Frames, MaskSettings
from spatial_prediction.studies.interpolation.fields.field import save_field
from spatial_prediction.studies.interpolation.fields.synthetic import synthetic_field
from spatial_prediction.studies.interpolation.figures.seed_table import seed_table
from spatial_prediction.studies.interpolation.figures.tables import fit_table, score_table
from spatial_prediction.studies.interpolation.masks import draw_masks, save_masks
from spatial_prediction.studies.interpolation.metrics import PIT_BINS
from spatial_prediction.studies.interpolation.results import (
    beaten_by_baselines,
    gathered_scores,
    read_scores,
    selected,
    winners,
)
from spatial_prediction.studies.interpolation.stages.evaluation import (
    evaluate,
    evaluate_baselines,
    reconstruct,
    write_scores,
)

FRAMES = Frames(6, 2, 2)
SETTINGS = MaskSettings("dynamic", "dynamic", 0.6, 0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A field and masks on it, with the scores of baselines and of two models."""
    folder = tmp_path_factory.mktemp("study")
    field = synthetic_field(frames=10, rows=5, columns=6, seed=0)
    masks = draw_masks(FRAMES, 5, 6, SETTINGS)
    save_field(folder / "field.safetensors", field)
    save_masks(folder / "masks.safetensors", masks, SETTINGS)
    evaluate_baselines(
        folder / "field.safetensors",
        folder / "masks.safetensors",
        FRAMES,
        ["train", "causal"],
        output=folder / "baselines.parquet",
    )
    for name, error in (("good-rbf", 0.001), ("bad-rbf", 40.0)):
        table = evaluate(off_by(field, error), field, masks, FRAMES, ["train", "causal"])
        write_scores(folder / f"{name}.parquet", table.assign(model=name, kind="model"), SETTINGS)
    write_scores(
        folder / "failed.parquet",
        evaluate(off_by(field, 1.0), field, masks, FRAMES, []).assign(model="", kind=""),
        SETTINGS,
    )
    return folder


def off_by(field, error):
    def predict(task):
        truth = field.values[task.frames.start : task.frames.stop]
        return truth + error, np.full_like(truth, error**2)

    return predict


@pytest.fixture
def scores(folder):
    return gathered_scores(
        [folder / f"{name}.parquet" for name in ("good-rbf", "failed", "bad-rbf", "baselines")]
    )


def test_errors_are_in_units_of_the_largest_value(scores):
    row = selected(scores, condition_on="train").set_index("model").loc["good-rbf"]
    assert row["mae"] == pytest.approx(0.001 / row["scale"])
    assert row["mean_variance"] == pytest.approx((0.001 / row["scale"]) ** 2)
    assert row["coverage"] == 1
    assert row["units"] == "K"
    assert sum(row["pit"]) == row["values"]
    assert len(row["pit"]) == PIT_BINS


def test_hidden_pixels_are_those_of_which_nothing_was_known(scores):
    counts = scores[scores["model"] == "good-rbf"].set_index(["condition_on", "part", "pixels"])["values"]
    masks = draw_masks(FRAMES, 5, 6, SETTINGS)
    assert counts["train", "test", "hidden"] == counts["train", "test", "all"] == 60
    assert counts["causal", "test", "hidden"] == 60 - masks.observed[8:].sum()


def test_missing_values_are_neither_known_nor_compared():
    field = synthetic_field(frames=10, rows=5, columns=6, seed=0)
    field.values[:, 0, 0] = np.nan
    masks = draw_masks(FRAMES, 5, 6, SETTINGS)
    table = evaluate(off_by(field, 1.0), field, masks, FRAMES, ["train"])
    assert set(table[table["pixels"] == "all"]["values"]) == {2 * 29}
    assert table["mae"].notna().all()


def test_the_winner_is_chosen_on_validation_frames(scores):
    assert winners(scores, condition_on="causal") == {"dynamic_0.6_seed0": "good-rbf"}
    changed = scores.copy()
    validation = (changed["part"] == "validation") & (changed["model"] == "good-rbf")
    changed.loc[validation, "mae"] = 99.0
    assert winners(changed, condition_on="causal") == {"dynamic_0.6_seed0": "bad-rbf"}
    compared = beaten_by_baselines(changed, condition_on="causal").iloc[0]
    assert compared["model"] == "bad-rbf"
    assert compared["ratio"] > 1


def test_tables_are_refused_that_are_none_or_come_twice(folder):
    with pytest.raises(ConfigurationError, match=r"good-rbf on dynamic_0.6_seed0 is evaluated twice"):
        gathered_scores([folder / "good-rbf.parquet"] * 2)
    with pytest.raises(ConfigurationError, match=r"nowhere.parquet: cannot be read as a table"):
        read_scores(folder / "nowhere.parquet")
    pd.DataFrame({"mae": [1.0]}).to_parquet(folder / "other.parquet")
    with pytest.raises(ConfigurationError, match=r"column\(s\) mask, model"):
        read_scores(folder / "other.parquet")


def test_the_table_marks_choices_and_warns_of_baselines(scores):
    table = score_table(scores, condition_on=["train", "causal"])
    chosen = table.cells[table.cells["Choice"] == "chosen"]
    assert sorted(chosen["Given"]) == ["causal", "causal", "train", "train"]
    assert "good-rbf" in set(chosen["Method"])
    assert table.warnings == ()
    bad = scores[scores["model"] != "good-rbf"]
    warned = score_table(bad, condition_on=["causal"])
    assert "is no worse than bad-rbf" in warned.warnings[0]
    assert set(warned.cells["Coverage"]) >= {"1.000", "\N{EN DASH}"}


def test_reconstructions_cover_the_parts_that_are_wanted_and_hold_what_was_known():
    field = synthetic_field(frames=10, rows=5, columns=6, seed=0)
    masks = draw_masks(FRAMES, 5, 6, SETTINGS)
    parts = ("train", "validation", "test")
    arrays = reconstruct(off_by(field, 1.0), field, masks, FRAMES, "train_and_part", parts)
    np.testing.assert_allclose(arrays["mean"], field.values + 1.0, rtol=1e-6)
    np.testing.assert_array_equal(arrays["known"].astype(bool), masks.observed)
    given = reconstruct(off_by(field, 1.0), field, masks, FRAMES, "train", ("test",))
    assert not given["known"].any()
    assert np.isnan(given["mean"][:8]).all()
    assert np.isfinite(given["mean"][8:]).all()


def test_failed_fits_are_warned_of():
    record = {
        "mask": "fixed_0.8_seed0", "model": "rbf-rbf", "observations": 7, "status": "converged", "steps": 5,
        "best_step": 5, "loss": -1.0, "validation_loss": -0.5, "noise_deviation": 0.1, "seconds": 2.0,
    }  # fmt: skip
    failed = record | {"status": "failed: loss is not finite", "loss": None, "noise_deviation": None}
    table = fit_table([record, failed])
    assert table.warnings == ("1 of 2 fits failed.",)
    assert table.cells["Loss per observation"].tolist() == ["-1.0000", "\N{EN DASH}"]
    assert table.warned == {(1, "Status")}


def test_seeds_are_pooled_and_the_choice_is_of_their_mean(scores):
    again = scores.assign(mask="dynamic_0.6_seed1", mae=scores["mae"] + 0.001)
    table = seed_table(pd.concat([scores, again]), condition_on=["causal"])
    rows = table.cells.set_index("Method")
    assert set(rows["Seeds"]) == {"2"}
    assert set(rows["Masks"]) == {"dynamic, 60 % hidden"}
    assert rows.loc["good-rbf", "Choice"] == "chosen"
    assert rows.loc["bad-rbf", "Choice"] == ""
    good = selected(scores, condition_on="causal").set_index("model").loc["good-rbf", "mae"]
    assert rows.loc["good-rbf", "MAE"] == f"{good + 0.0005:.5f} ± 0.00050"
    assert rows.loc["good-rbf", "Coverage"] == "1.000 ± 0.000"
    assert rows.loc["grand_mean", "NLPD"] == "\N{EN DASH}"
