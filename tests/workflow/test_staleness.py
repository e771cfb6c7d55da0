"""What runs again after a change, and what does not: docs/reruns.md is held true by dry runs."""

import shutil

import pytest
from tests.helpers import REPOSITORY
from tests.workflow.changes import CHANGES, row
from tests.workflow.study import PRESETS, SEEDS, MadeStudy

pytestmark = pytest.mark.slow

LINES = (REPOSITORY / "docs" / "reruns.md").read_text(encoding="utf-8").splitlines()
DOCUMENTED = {line.split(" | ")[0].removeprefix("| "): line for line in LINES if line.startswith("| ")}


def test_the_document_tells_of_every_change():
    assert list(DOCUMENTED)[1:] == list(CHANGES)


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_makes_anew_what_the_document_says(made, change):
    assert row(made, change) == DOCUMENTED[change]


def models(jobs):
    return {"/".join(job.outputs[0].split("/")[-2:]) for job in jobs if job.rule == "train_model"}


def test_another_preset_trains_that_one_with_every_seed(made):
    with made.configured(presets=[*PRESETS, "lp2x3"]):
        assert models(made.jobs()) == {f"lp2x3/seeds_{seed}" for seed in SEEDS}


def test_another_seed_trains_every_preset_with_that_one(made):
    with made.configured(seeds=[*SEEDS, 2]):
        assert models(made.jobs()) == {f"{preset}/seeds_2" for preset in PRESETS}


def test_seeds_that_share_jobs_are_named_together_and_an_added_one_joins_the_last_group(made):
    with made.configured(seeds=[0, 1, 2], training={"seeds_per_job": 2}):
        groups = {f"{preset}/seeds_{group}" for preset in PRESETS for group in ("0-1", "2")}
        assert models(made.jobs()) == groups


def test_more_cores_and_another_profile_make_nothing_anew(made):
    assert made.jobs("--cores", 4, "--workflow-profile", "profiles/slurm", "--executor", "dryrun") == []


def test_results_are_kept_by_a_fresh_clone(made, tmp_path):
    clone = MadeStudy(tmp_path / "clone")
    for kept in (".snakemake", "results", "resources"):
        shutil.copytree(made.folder / kept, clone.folder / kept)
    assert clone.jobs() == []
    with clone.configured(training={"learning_rate": 0.01}):
        assert clone.counts()["train_model"] == len(PRESETS) * len(SEEDS)


def test_without_what_snakemake_remembers_changed_settings_go_unseen(made, tmp_path):
    clone = MadeStudy(tmp_path / "clone")
    for kept in ("results", "resources"):
        shutil.copytree(made.folder / kept, clone.folder / kept)
    with clone.configured(training={"learning_rate": 0.01}):
        assert "train_model" not in clone.counts()


def test_two_at_once_are_kept_apart(made):
    (made.folder / ".snakemake" / "locks").mkdir(exist_ok=True)
    for kind in ("input", "output"):
        (made.folder / ".snakemake" / "locks" / f"0.{kind}.lock").write_text("results/tables/runs.csv\n")
    try:
        ended = made.snakemake("--cores", 1, "--configfile", "overlay.yaml", "--forcerun", "tabulate_runs")
        assert ended.returncode == 1
        assert "LockException" in ended.stdout
        assert "--unlock" in ended.stdout
    finally:
        shutil.rmtree(made.folder / ".snakemake" / "locks")


def test_after_all_changes_are_taken_back_nothing_is_left_to_do(made):
    assert made.jobs() == []


@pytest.mark.parametrize(
    ("first", "second", "stale"),
    [
        (
            {"evaluation": {"batch_size": 64}, "training": {"low_res_size": 48}},
            {"evaluation": {"batch_size": 48}, "training": {"low_res_size": 64}},
            {"evaluate_bilinear": 1, "evaluate_mse": 6, "evaluate_nmse": 2},
        ),
        (
            {"evaluation": {"batch_size": 4}, "timing": {"repeats": 4, "largest_batch": 5}},
            {"evaluation": {"batch_size": 4}, "timing": {"repeats": 5, "largest_batch": 5}},
            {"benchmark_throughput": 4},
        ),
        (
            {"figures": {"bootstrap_seed": 5, "sample_scene": 0, "sample_paddings": ["refl", "rand"]}},
            {"figures": {"bootstrap_seed": 5, "sample_scene": 0, "sample_paddings": ["rand", "refl"]}},
            {"plot_padded_samples": 1},
        ),
    ],
    ids=["swapped", "one made equal to another", "order of a list"],
)
def test_settings_that_trade_values_make_stale_what_depends_on_them(tmp_path, first, second, stale):
    study = MadeStudy(tmp_path / "study")
    study.configure(**first)
    study.make()
    assert study.counts() == {}
    study.configure(**second)
    assert stale.items() <= study.counts().items()
