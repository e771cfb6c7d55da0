"""Snakemake compares a rule's params as a set of values: names in them make two swapped ones another set."""

import shlex

import pytest
from tests.workflow.planner import Planner
from tests.workflow.study import Study, merged
from tests.workflow.test_dry_run import RULES, SCRIPTS

BASE = {
    "dataset": {
        "scene_size": 520, "test_scenes": 6, "permutation_seed": 7, "synthetic": {"scenes": 31, "seed": 8},
    },
    "presets": ["repl", "mine"],
    "seeds": [1, 2],
    "custom_presets": {"mine": {"padding": "extr1", "upscale_padding": "extr2", "output_crop": 3}},
    "training": {
        "steps": 90, "batch_size": 64, "low_res_size": 48, "warmup_steps": 50, "decay_start": 70,
        "test_every": 80, "checkpoint_every": 82,
        "adam_beta_1": 0.8, "adam_beta_2": 0.9, "clip_gradient_norm": 10.0, "skip_gradient_spikes": 11.0,
    },
    "evaluation": {"batch_size": 66, "nmse_presets": ["repl", "mine"]},
    "timing": {"presets": ["repl", "mine"], "memory_budget_mib": 100, "largest_batch": 101, "repeats": 102},
    "figures": {"sample_scene": 4, "sample_scenes": [0, 5], "bootstrap_seed": 9},
}  # fmt: skip


@pytest.fixture(scope="module")
def planner(tmp_path_factory):
    planner = Planner(Study(tmp_path_factory.mktemp("study")).folder)
    yield planner
    planner.close()


@pytest.fixture(scope="module")
def jobs(planner):
    return planner.jobs(BASE)["jobs"]


def names(text):
    """Options that a text of params gives; fails where a value stands without one."""
    words = shlex.split(text)
    assert words, "an empty text may stand for anything"
    assert words[0].startswith("--"), text
    return [word.partition("=")[0] for word in words if word.startswith("--")]


def test_every_rule_of_the_workflow_is_looked_at(jobs):
    others = {rule for rule, script in SCRIPTS.items() if script.parent.name != "super_resolution"}
    assert {job["rule"] for job in jobs} == set(RULES) - others - {"retrieve_scenes"} | {"all"}


def test_no_rule_has_a_param_without_its_name_or_a_name_twice(jobs, planner):
    fetched = planner.jobs({"dataset": {"source": "fairdata", "fairdata": {"max_archives": 3}}})["jobs"]
    assert "retrieve_scenes" in {job["rule"] for job in fetched}
    for job in [*jobs, *fetched]:
        named = [name for text in job["params"] for name in names(text)]
        assert len(named) == len(set(named)), job["rule"]


def test_all_settings_of_the_command_are_in_what_snakemake_compares(jobs):
    """Options that differ between studies stand in params, in inputs or in outputs, wildcards among them."""
    for job in jobs:
        compared = {word for text in job["params"] for word in shlex.split(text)}
        paths = [*job["input"], *job["output"]]
        command = (job["command"] or "").partition(" 2> ")[0].partition("python ")[2]
        for word in shlex.split(command):
            option, _, value = word.partition("=") if word.startswith("--") else ("", "", word)
            assert (
                word in compared
                or not value  # an option whose values follow
                or any(path.startswith(value) for path in paths)
                or (option == "--training" and value.partition("/seed_")[0] in paths)
            ), f"{job['rule']}: {word}"


def test_the_update_that_is_timed_is_the_one_that_trains(jobs):
    trained, timed = (
        {word for job in jobs if job["rule"] == rule for word in shlex.split(job["command"])}
        for rule in ("train_model", "benchmark_throughput")
    )
    for option in ("--clip-gradient-norm=10.0", "--skip-gradient-spikes=11.0", "--compute-dtype=float32"):
        assert option in trained & timed


def compared(job):
    return {repr(text) for text in job["params"]}, set(job["input"])


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        (
            {"evaluation": {"batch_size": 48}, "training": {"low_res_size": 66}},
            {"evaluate_mse", "evaluate_bilinear", "evaluate_nmse"},
        ),
        ({"timing": {"repeats": 101, "largest_batch": 102}}, {"benchmark_throughput"}),
        ({"training": {"test_every": 82, "checkpoint_every": 80}}, {"train_model"}),
        ({"training": {"adam_beta_1": 0.9, "adam_beta_2": 0.8}}, {"train_model"}),
        (
            {"training": {"clip_gradient_norm": 11.0, "skip_gradient_spikes": 10.0}},
            {"train_model", "benchmark_throughput"},
        ),
        ({"custom_presets": {"mine": {"padding": "extr2", "upscale_padding": "extr1"}}}, {"train_model"}),
        ({"dataset": {"permutation_seed": 6, "test_scenes": 7}}, {"build_arrays"}),
        ({"dataset": {"permutation_seed": 8, "synthetic": {"seed": 7}}}, {"build_arrays"}),
        (
            {"figures": {"sample_scenes": [5, 0]}},
            {
                "plot_upscaled_samples",
                "plot_inputs_and_targets",
                "plot_lp6x7_samples",
                "evaluate_crossings",
            },
        ),
        ({"presets": ["mine", "repl"]}, {"gather_evaluation", "tabulate_provenance"}),
    ],
    ids=lambda value: "-".join(sorted(value)) if isinstance(value, set) else None,
)
def test_settings_that_are_swapped_are_not_the_same_to_snakemake(planner, jobs, changes, rules):
    answer = planner.jobs(merged(BASE, changes))
    assert "jobs" in answer, answer
    before = {tuple(job["output"]): job for job in jobs}
    differing = set()
    for job in answer["jobs"]:
        old = before.get(tuple(job["output"]))
        if old is not None and old["command"] != job["command"]:
            differing.add(job["rule"])
            assert compared(job) != compared(old), job["rule"]
    assert rules <= differing
