"""What may change in a study, and the table of docs/reruns.md that tells what is made anew then.

python -m tests.workflow.changes      prints the table, from real dry runs
"""

import tempfile
from contextlib import nullcontext
from pathlib import Path

from tests.workflow.study import PRESETS, SEEDS, MadeStudy

LIBRARY = "src/spatial_prediction"


def edit(path, **options):
    return lambda made: made.edited(path, **options)


def module(path):
    return edit(f"{LIBRARY}/{path}")


def study_module(path):
    return module(f"studies/super_resolution/{path}")


def setting(**changes):
    return lambda made: made.configured(**changes)


CHANGES = {
    "nothing": lambda made: nullcontext(),
    "times of all sources, as in a fresh checkout": lambda made: made.touched(
        "src/**/*", "scripts/**/*", "workflow/**/*", "Snakefile", "*.yaml", "config/*"
    ),
    "times of all results, as on a machine whose clock is an hour behind": lambda made: made.touched(
        "results/**/*", "resources/**/*", by=-3600.0
    ),
    "a comment in a rule file": edit("workflow/rules/super_resolution/training.smk", text="\n# a comment\n"),
    "a profile": edit("profiles/slurm/config.yaml", text="\n# a comment\n"),
    "a caption of the report": edit("workflow/report/shell_mse.rst", text="\nMore.\n"),
    "`dataset.fairdata.mirror` while the source is another": setting(
        dataset={"fairdata": {"mirror": "http://example.org"}}
    ),
    "`custom_presets`, none of which is used": setting(
        custom_presets={"mine": {"padding": "repl", "upscale_padding": "repl"}}
    ),
    "a figure deleted": lambda made: made.deleted("results/figures/test_mse.png"),
    "the test errors of a run deleted": lambda made: made.deleted(
        "results/evaluation/mse/repl/seed_0.parquet"
    ),
    "the training array deleted": lambda made: made.deleted("resources/arrays/train.npy"),
    "a figure's script": edit("scripts/super_resolution/plot_shell_mse.py"),
    "the style of figures": module("plotting/style.py"),
    "`figures.formats`: one more": setting(figures={"formats": ["pdf", "png", "svg"]}),
    "`figures.sample_paddings`": setting(figures={"sample_paddings": ["zero"]}),
    "`figures.baselines`": setting(figures={"baselines": {"0": "repl"}}),
    "`figures.bootstrap_seed`": setting(figures={"bootstrap_seed": 1}),
    "how intervals are computed (`statistics/intervals.py`)": module("statistics/intervals.py"),
    "how errors are evaluated (`stages/evaluation.py`)": study_module("stages/evaluation.py"),
    "`evaluation.batch_size`": setting(evaluation={"batch_size": 12}),
    "`evaluation.nmse_paddings`": setting(evaluation={"nmse_paddings": ["zero"]}),
    "`evaluation.nmse_presets`: one more": setting(evaluation={"nmse_presets": ["zero_oc5", "repl"]}),
    "`seams.scenes`": setting(seams={"scenes": 2}),
    "`seams.overlaps`": setting(seams={"overlaps": [3]}),
    "`seams.transfer_paddings`": setting(seams={"transfer_paddings": ["zero"]}),
    "`seams.strategy_presets`: one more": setting(seams={"strategy_presets": ["zero-repl", "repl"]}),
    "how seams are measured (`stages/seams.py`)": study_module("stages/seams.py"),
    "how images are tiled (`tiling/_windows.py`)": module("tiling/_windows.py"),
    "`timing.repeats`": setting(timing={"repeats": 7}),
    "`timing.presets`: one more": setting(timing={"presets": ["zero-repl", "zero_oc5", "repl"]}),
    "how speed is measured (`stages/throughput.py`)": study_module("stages/throughput.py"),
    "`presets`: one more": setting(presets=[*PRESETS, "lp2x3"]),
    "`presets`: one less": setting(presets=["zero-repl", "zero_oc5"]),
    "`seeds`: one more": setting(seeds=[*SEEDS, 2]),
    "`seeds`: one less": setting(seeds=SEEDS[:1]),
    "`training.learning_rate`": setting(training={"learning_rate": 0.01}),
    "`training.seeds_per_job`: two": setting(training={"seeds_per_job": 2}),
    "`training.steps`": setting(training={"steps": 300}),
    "how networks are trained (`training/_loop.py`)": module("training/_loop.py"),
    "a padding (`padding/_copying.py`)": module("padding/_copying.py"),
    "a compiled kernel (`native/predicted_frame.cc`)": edit(
        f"{LIBRARY}/native/predicted_frame.cc", text="// more\n"
    ),
    "the retrieval of scenes (`retrieval/download.py`) while the source is another": module(
        "retrieval/download.py"
    ),
    "`dataset.test_scenes`": setting(dataset={"test_scenes": 2}),
    "`dataset.offset`": setting(dataset={"offset": 0}),
    "`dataset.permutation_seed`": setting(dataset={"permutation_seed": 1}),
    "`dataset.synthetic.seed`": setting(dataset={"synthetic": {"seed": 1}}),
    "`results`: another folder": setting(results="elsewhere"),
}
ORDER = (
    "retrieve_scenes", "build_synthetic_scenes", "build_arrays", "train_model", "export_model",
    "evaluate_mse", "evaluate_bilinear", "evaluate_nmse", "evaluate_crossings", "evaluate_seams",
    "evaluate_strategies", "evaluate_transfer", "gather_evaluation", "benchmark_throughput",
)  # fmt: skip
SHOWN = {"all figures": ("plot_", 15), "all tables": ("tabulate_", 7)}


def _counted(rule, count):
    return f"`{rule}`" if count == 1 else f"`{rule}` {count}"


def row(made, change):
    """The table's row of a change, from a dry run."""
    with CHANGES[change](made):
        counts = made.counts()
    parts = [f"`{rule}` {counts[rule]}" for rule in ORDER if rule in counts]
    for name, (beginning, number) in SHOWN.items():
        rules = sorted(rule for rule in counts if rule.startswith(beginning))
        parts += [name] if len(rules) == number else [_counted(rule, counts[rule]) for rule in rules]
    total = sum(counts.values())
    return f"| {change} | {total} | {', '.join(parts) or 'none'} |"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        study = MadeStudy(Path(folder))
        study.make()
        for each in CHANGES:
            print(row(study, each), flush=True)
