"""What runs again after a change, and what does not.

A stand-in for Python makes every declared output at once, so that Snakemake records a whole study in seconds.
Then a copy of the study is changed in one place at a time, and a dry run tells what would be made anew.
"""

import contextlib
import os
import sys
from collections import Counter

import pytest
import yaml

pytestmark = pytest.mark.slow

PRESETS = ["zero-repl", "repl", "zero_oc5"]
SEEDS = [0, 1]
RUNS = len(PRESETS) * len(SEEDS)
OVERLAY = {
    "dataset": {"test_scenes": 1, "synthetic": {"scenes": 3}},
    "presets": PRESETS,
    "seeds": SEEDS,
    "evaluation": {"nmse_presets": ["zero_oc5"]},
    "timing": {"presets": ["zero-repl", "zero_oc5"]},
    "figures": {"sample_scenes": [0]},
}

MAKER = """
# Make every file that the arguments name and that is not there: before a job, its outputs are not.
import pathlib, sys
options, name = {}, None
for argument in sys.argv[2:]:
    if argument.startswith("--"):
        name = argument[2:]
        options[name] = []
    else:
        options[name].append(argument)
files = [path for name in ("output", "train", "test", "summary", "model", "history", "run", "manifest")
         for path in options.get(name, [])]
files += [f"{options['figure'][0]}.{format}" for format in options.get("formats", []) if "figure" in options]
files += [f"{options['table'][0]}.{format}" for format in ("csv", "md", "tex") if "table" in options]
if "directory" in options:
    files += [f"{options['directory'][0]}/{index:06d}.nc" for index in range(int(options["scenes"][0]))]
if "seeds" in options:
    folder = pathlib.Path(options["output"][0])
    folder.mkdir(parents=True)
    files = [folder / f"seed_{seed}.safetensors" for seed in options["seeds"]]
for path in map(pathlib.Path, files):
    if not path.exists():
        path.write_text(str(path))
"""

FIGURES = [
    "plot_loss_histories",
    "plot_padded_samples",
    "plot_padding_nmse",
    "plot_shell_mse",
    "plot_test_mse",
    "plot_throughput",
    "plot_upscaled_samples",
]
TABLES = ["tabulate_results", "tabulate_runs", "tabulate_shells"]
SHOWN = dict.fromkeys([*FIGURES, *TABLES, "all"], 1)
EVALUATED = {"evaluate_mse": RUNS, "evaluate_nmse": len(SEEDS), "gather_evaluation": 3}
TRAINED = {"train_model": RUNS, "export_model": RUNS} | EVALUATED
TIMED = {"benchmark_throughput": 4}
BUILT = {"build_synthetic_scenes": 1, "build_arrays": 1}
UPSCALED = {"evaluate_bilinear": 1}


def once(*rules):
    return dict.fromkeys([*rules, "all"], 1)


def counted(jobs):
    return dict(Counter(job.rule for job in jobs))


class MadeStudy:
    """A study that is up to date, and changes of it that last for one block."""

    def __init__(self, study):
        self._study = study
        self._configure(OVERLAY)

    def _configure(self, overlay):
        (self._study.folder / "overlay.yaml").write_text(yaml.safe_dump(overlay))

    def make(self):
        tools = self._study.folder / "tools"
        tools.mkdir()
        (tools / "maker.py").write_text(MAKER)
        (tools / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" -IS "{tools}/maker.py" "$@"\n')
        (tools / "python").chmod(0o755)
        ended = self._study.snakemake("--cores", 2, "--configfile", "overlay.yaml", path=tools, timeout=100)
        assert ended.returncode == 0, ended.stdout

    def jobs(self):
        return self._study.planned("--configfile", "overlay.yaml")

    def counts(self):
        return counted(self.jobs())

    @contextlib.contextmanager
    def edited(self, path, text="\nEDITED = True\n"):
        """Append ``text`` to a file of the copy."""
        file = self._study.folder / path
        content, times = file.read_bytes(), file.stat()
        file.write_bytes(content + text.encode())
        try:
            yield
        finally:
            file.write_bytes(content)
            os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))

    @contextlib.contextmanager
    def configured(self, **changes):
        """Put other values into sections of the overlay, or in place of its lists."""
        self._configure(
            OVERLAY
            | {
                key: OVERLAY.get(key, {}) | value if isinstance(value, dict) else value
                for key, value in changes.items()
            }
        )
        try:
            yield
        finally:
            self._configure(OVERLAY)

    def touch(self, *patterns):
        for pattern in patterns:
            for path in self._study.folder.glob(pattern):
                path.touch()


@pytest.fixture(scope="module")
def made(study):
    """A study all of whose files have been made."""
    made = MadeStudy(study)
    made.make()
    return made


def models(jobs):
    return {"/".join(job.outputs[0].split("/")[-2:]) for job in jobs if job.rule == "train_model"}


def test_a_study_is_done_once_it_is_made(made):
    assert made.jobs() == []


def test_a_fresh_checkout_of_the_same_content_makes_nothing_anew(made):
    made.touch("src/**/*.py", "scripts/*.py", "workflow/**/*.smk", "Snakefile", "*.yaml")
    assert made.jobs() == []


def test_a_comment_in_a_rule_file_makes_nothing_anew(made):
    with made.edited("workflow/rules/training.smk", "\n# a comment\n"):
        assert made.jobs() == []


def test_another_figure_style_makes_figures_and_tables_only(made):
    with made.edited("src/spatial_prediction/figures/style.py"):
        assert made.counts() == SHOWN


def test_an_edited_figure_makes_figures_and_tables_only(made):
    with made.edited("src/spatial_prediction/figures/mse_by_shell.py"):
        assert made.counts() == SHOWN


def test_an_edited_figure_script_makes_this_figure_only(made):
    with made.edited("scripts/plot_shell_mse.py"):
        assert made.counts() == once("plot_shell_mse")


def test_another_bootstrap_seed_makes_only_what_has_intervals(made):
    with made.configured(figures=OVERLAY["figures"] | {"bootstrap_seed": 1}):
        assert made.counts() == once(
            "plot_shell_mse", "plot_test_mse", "plot_throughput", "tabulate_results", "tabulate_shells"
        )


def test_an_edited_metric_trains_and_evaluates_nothing(made):
    with made.edited("src/spatial_prediction/metrics/intervals.py"):
        planned = made.counts()
    pictures = ("plot_padded_samples", "plot_upscaled_samples")
    assert planned == {rule: 1 for rule in SHOWN if rule not in pictures} | {"gather_evaluation": 3}


def test_another_preset_trains_that_one_with_every_seed(made):
    with made.configured(presets=[*PRESETS, "lp2x3"]):
        jobs = made.jobs()
    planned = counted(jobs)
    assert models(jobs) == {f"lp2x3/seeds_{seed}" for seed in SEEDS}
    assert planned["export_model"] == planned["evaluate_mse"] == len(SEEDS)
    assert not {"evaluate_nmse", *TIMED, *BUILT, *UPSCALED} & planned.keys()


def test_another_seed_trains_every_preset_with_that_one(made):
    with made.configured(seeds=[*SEEDS, 2]):
        jobs = made.jobs()
    planned = counted(jobs)
    assert models(jobs) == {f"{preset}/seeds_2" for preset in PRESETS}
    assert planned["export_model"] == planned["evaluate_mse"] == len(PRESETS)
    assert planned["evaluate_nmse"] == 1
    assert not {*TIMED, *BUILT, *UPSCALED} & planned.keys()


def test_seeds_that_share_jobs_are_named_together_and_an_added_one_joins_the_last_group(made):
    with made.configured(seeds=[0, 1, 2], training={"seeds_per_job": 2}):
        assert models(made.jobs()) == {
            f"{preset}/seeds_{group}" for preset in PRESETS for group in ("0-1", "2")
        }


def test_one_preset_less_trains_nothing(made):
    with made.configured(presets=["zero-repl", "zero_oc5"]):
        planned = made.counts()
    assert planned
    assert set(planned) <= {*SHOWN, "gather_evaluation"}


def test_another_learning_rate_trains_all_and_neither_builds_nor_times(made):
    with made.configured(training={"learning_rate": 0.01}):
        planned = made.counts()
    assert planned == TRAINED | {rule: 1 for rule in SHOWN if rule != "plot_padded_samples"}


@pytest.mark.parametrize("module", ["training/_loop.py", "padding/_copying.py"])
def test_edited_training_code_trains_all(made, module):
    with made.edited(f"src/spatial_prediction/{module}"):
        planned = made.counts()
    assert {rule: planned.get(rule) for rule in TRAINED} == TRAINED
    assert not BUILT.keys() & planned.keys()


def test_edited_throughput_code_times_anew_and_trains_nothing(made):
    with made.edited("src/spatial_prediction/experiments/throughput.py"):
        assert made.counts() == TIMED | once("plot_throughput", "tabulate_results")


def test_edited_evaluation_code_evaluates_anew_and_trains_nothing(made):
    with made.edited("src/spatial_prediction/experiments/evaluation.py"):
        planned = made.counts()
    of_errors = ("shell_mse", "test_mse", "throughput", "padding_nmse")
    shown = once(*(f"plot_{name}" for name in of_errors), "tabulate_results", "tabulate_shells")
    assert planned == EVALUATED | UPSCALED | shown | {"gather_evaluation": 2}


def test_other_scenes_make_everything_that_sees_them(made):
    dataset = OVERLAY["dataset"] | {"synthetic": {"scenes": 3, "seed": 1}}
    with made.configured(dataset=dataset):
        assert made.counts() == BUILT | UPSCALED | TRAINED | SHOWN


def test_after_all_changes_are_taken_back_nothing_is_left_to_do(made):
    assert made.jobs() == []
