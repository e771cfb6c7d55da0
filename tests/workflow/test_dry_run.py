"""What the workflow would do, and whether its rules, scripts and code dependencies agree."""

import importlib
import json
import re
import subprocess
import sys
from collections import Counter

import pytest
import yaml
from tests.helpers import REPOSITORY
from tests.workflow.study import Study

from spatial_prediction.provenance import code_dependencies
from spatial_prediction.studies.super_resolution.presets import PRESETS, PUBLISHED_PRESETS

SCRIPTS = {path.stem: path for path in (REPOSITORY / "scripts").glob("*/*.py")}
RULE = re.compile(r"^use rule run_script as (\w+) with:\n((?:    .*\n|\n)+)", re.MULTILINE)
RULES = {
    name: body
    for path in (REPOSITORY / "workflow" / "rules").rglob("*.smk")
    for name, body in RULE.findall(path.read_text(encoding="utf-8"))
}
PACKAGE = REPOSITORY / "src" / "spatial_prediction"
ON_DEMAND = {
    f"rasters/{name}.py"
    for name in (
        "band_files",
        "envi",
        "envi_header",
        "envi_layout",
        "geotiff",
        "netcdf",
        "netcdf_axes",
        "netcdf_bands",
        "netcdf_classic",
        "netcdf_lock",
        "safe_metadata",
        "tiff_checksums",
    )
}
"""Readers of rasters, which are imported when a file of theirs is opened (the lock also by a writer)."""
ON_DEMAND |= {
    path.relative_to(PACKAGE).as_posix()
    for path in code_dependencies(PACKAGE / "compression" / "methods.py")
    if path.is_relative_to(PACKAGE / "compression")
}
"""And what compresses groups of rows, which is imported when a group is."""
OF_THE_LIBRARY = {
    "native/__main__.py", "__main__.py", "cli/compress.py", "cli/decompress.py", "cli/estimate.py",
    "cli/export.py", "cli/inspect.py", "cli/interpolate.py", "compression/zarr_codec.py",
    "compression/integer_linerwkv/definition.py", "models/portable.py", "gaussian_process/iterative.py",
    "studies/super_resolution/stages/estimate.py",
}  # fmt: skip
"""Modules for those who use the library without the study."""
ROOMS_WITHOUT_A_STUDY = {"cube_files", "interpolation"}

PAPER = REPOSITORY / "config" / "paper.yaml"
ONCE = (
    "build_synthetic_scenes", "build_arrays", "evaluate_bilinear", "evaluate_crossings", "all",
    "plot_blur_theory", "plot_inputs_and_targets", "plot_loss_histories", "plot_lp6x7_samples",
    "plot_padded_samples", "plot_padding_nmse", "plot_seams", "plot_shell_mse", "plot_strategies",
    "plot_test_mse", "plot_throughput", "plot_transfer", "plot_upscaled_samples", "evaluate_strategies",
    "tabulate_provenance", "tabulate_results", "tabulate_runs", "tabulate_seams", "tabulate_shells",
    "tabulate_strategies", "tabulate_transfer",
)  # fmt: skip


def counts(jobs):
    return dict(Counter(job.rule for job in jobs))


@pytest.fixture(scope="module")
def default_jobs(study):
    """All jobs of the default study."""
    return study.planned()


def test_the_default_study_is_so_many_jobs_of_each_rule(default_jobs):
    assert len(default_jobs) == 111
    assert counts(default_jobs) == {
        "train_model": 16,
        "export_model": 16,
        "evaluate_mse": 16,
        "evaluate_nmse": 4,
        "evaluate_seams": 8,
        "evaluate_transfer": 8,
        "gather_evaluation": 3,
        "benchmark_throughput": 10,
        "plot_shift_deviation": 2,
        "plot_stitched_corners": 2,
    } | dict.fromkeys(ONCE, 1)


def test_no_file_is_made_by_two_jobs(default_jobs):
    outputs = [output for job in default_jobs for output in job.outputs]
    assert len(outputs) > len(default_jobs)
    assert len(outputs) == len(set(outputs))


def test_a_study_without_padding_nmse_plans_none(study):
    (study.folder / "overlay.yaml").write_text("evaluation: {nmse_presets: []}\n")
    planned = counts(study.planned("--configfile", "overlay.yaml"))
    assert planned["train_model"] == 16
    assert not {"evaluate_nmse", "plot_padding_nmse"} & planned.keys()


def test_a_study_without_seams_plans_none(study):
    none = "seams: {presets: [], strategy_presets: [], transfer_presets: []}\n"
    (study.folder / "overlay.yaml").write_text(none)
    planned = counts(study.planned("--configfile", "overlay.yaml"))
    assert planned["train_model"] == 16
    assert [rule for rule in planned if re.search("seams|strategies|transfer", rule)] == []


ANOTHER_STUDY = """
rule build_answer:
    output:
        f"{RESULTS}/{config['another']}.txt",
    shell:
        "touch {output:q}"
WANTED += rules.build_answer.output
"""


def test_a_study_that_is_not_asked_for_is_neither_checked_nor_planned(tmp_path):
    study = Study(tmp_path / "study")
    rules = study.folder / "workflow" / "rules" / "another" / "study.smk"
    rules.parent.mkdir()
    rules.write_text(ANOTHER_STUDY)
    schema = study.folder / "workflow" / "schemas" / "config.schema.yaml"
    text = schema.read_text(encoding="utf-8").replace("[super_resolution, ", "[super_resolution, another, ")
    schema.write_text(f"{text}  another: {{type: integer}}\n", encoding="utf-8")
    assert counts(study.planned("--config", "another=many"))["train_model"] == 16
    faulty = "presets: [wavelet]\nanother: 42\nstudies: [another]\n"
    (study.folder / "overlay.yaml").write_text(faulty)
    assert counts(study.planned("--configfile", "overlay.yaml")) == {"build_answer": 1, "all": 1}
    ended = study.run_study("--study", "another", "--", "--dry-run", "--config", "another=6")
    assert ended.returncode == 0, ended.stdout
    assert "results/6.txt" in ended.stdout
    assert "train_model" not in ended.stdout


def test_the_published_study_is_22_presets_with_12_seeds_each(study):
    if not PAPER.exists():
        pytest.skip("no config/paper.yaml")
    jobs = study.planned("--configfile", "config/paper.yaml", timeout=120)
    planned = counts(jobs)
    assert planned["train_model"] == planned["export_model"] == planned["evaluate_mse"] == 22 * 12
    assert planned["benchmark_throughput"] >= 2
    assert planned["retrieve_scenes"] == 1
    assert "build_synthetic_scenes" not in planned
    trained = Counter(
        output.split("/")[-2] for job in jobs if job.rule == "train_model" for output in job.outputs
    )
    assert trained == dict.fromkeys(PUBLISHED_PRESETS, 12)


@pytest.mark.parametrize("overlay", sorted(path.name for path in (REPOSITORY / "config").glob("*.yaml")))
def test_every_overlay_has_places_of_its_own_and_known_presets(overlay):
    default = yaml.safe_load((REPOSITORY / "config.yaml").read_text(encoding="utf-8"))
    changed = yaml.safe_load((REPOSITORY / "config" / overlay).read_text(encoding="utf-8"))
    assert set(changed) <= set(default)
    for place in ("results", "resources"):
        assert changed[place] != default[place]
    assert set(changed.get("presets", [])) <= set(PRESETS) | set(changed.get("custom_presets", {}))


def test_every_rule_has_a_script_of_its_name_and_every_script_a_rule():
    assert set(RULES) == set(SCRIPTS)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_runs_its_script_and_depends_on_its_code(rule):
    assert f'code=code("{SCRIPTS[rule].parent.name}/{rule}")' in RULES[rule]
    assert f'log:\n        f"{{LOGS}}/{rule}' in RULES[rule]


@pytest.mark.parametrize("rule", [name for name in RULES if name.startswith("plot_")])
def test_a_figure_has_one_name_in_rule_module_function_and_output(rule):
    name = rule.removeprefix("plot_")
    figures = f"spatial_prediction.studies.{SCRIPTS[rule].parent.name}.figures"
    assert callable(importlib.import_module(f"{figures}.{name}").__dict__[name])
    assert f'figure("{name}",' in RULES[rule]


LOADED = """
import json, pathlib, runpy, sys
loaded = {}
for script in sys.argv[1:]:
    for name in [name for name in sys.modules if name.split(".")[0] == "spatial_prediction"]:
        del sys.modules[name]
    runpy.run_path(script, run_name="imported")
    loaded[script] = sorted(
        str(pathlib.Path(module.__file__))
        for name, module in sys.modules.items()
        if name.split(".")[0] == "spatial_prediction"
    )
print(json.dumps(loaded))
"""


@pytest.fixture(scope="module")
def loaded_modules():
    """The library's files that each script really loads."""
    command = [sys.executable, "-c", LOADED, *map(str, SCRIPTS.values())]
    ended = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    return json.loads(ended.stdout)


@pytest.mark.parametrize("script", sorted(SCRIPTS))
def test_a_script_loads_exactly_the_modules_that_its_rule_depends_on(script, loaded_modules):
    loaded = set(loaded_modules[str(SCRIPTS[script])])
    assert len(loaded) > 2
    depended = {str(path) for path in code_dependencies(SCRIPTS[script]) if path.suffix == ".py"}
    assert loaded <= depended
    assert depended - loaded <= {str(PACKAGE / name) for name in ON_DEMAND}


def test_every_module_is_used_by_a_script_or_by_the_workflow_itself(loaded_modules):
    used = {path for paths in loaded_modules.values() for path in paths}
    used |= {str(PACKAGE / name) for name in ON_DEMAND}
    for checks in PACKAGE.glob("studies/*/validation.py"):  # which the workflow itself imports
        used |= {str(path) for path in (checks, *code_dependencies(checks))}
    unused = [path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py") if str(path) not in used]
    assert {
        path.as_posix() for path in unused if path.parts[0] not in ROOMS_WITHOUT_A_STUDY
    } == OF_THE_LIBRARY


@pytest.mark.parametrize(
    ("overlay", "messages"),
    [
        (
            "presets: [zero-repl, lp2x3_oc6]",
            ["presets: no preset is called 'lp2x3_oc6'; did you mean 'lp2x3_oc5'?"],
        ),
        (
            "dataset: {source: directory, directory: {path: nowhere}}",
            ["dataset.directory: nowhere: no such folder; name the folder"],
        ),
        (
            "training: {steps: -5, batch_sizes: 4}",
            [
                "training: unknown key 'batch_sizes'; did you mean 'batch_size'?",
                "training.steps: is -5; must be at least 1",
            ],
        ),
    ],
    ids=["unknown preset", "folder without scenes", "wrong shape"],
)
def test_a_configuration_that_cannot_be_used_ends_a_dry_run_with_all_its_faults(study, overlay, messages):
    (study.folder / "overlay.yaml").write_text(overlay + "\n")
    ended = study.snakemake("--dry-run", "--configfile", "overlay.yaml")
    assert ended.returncode == 1
    assert [message for message in messages if message not in ended.stdout] == []
    assert "Traceback" not in ended.stdout


def test_scenes_of_the_least_size_are_planned(study):
    assert len(study.planned("--config", "dataset={scene_size: 200}")) == 111


def test_lists_and_mappings_on_the_command_line_are_read_as_in_the_documentation(study):
    for document in ("docs/configuration.md", "config/README.md"):
        assert "--config seeds='[0,1,2]'" in (REPOSITORY / document).read_text(encoding="utf-8")
    jobs = study.planned("--config", "seeds=[0,1,2]", "training={steps: 300, clip_gradient_norm: 0.5}")
    assert counts(jobs)["train_model"] == 8 * 3
    ended = study.snakemake("--dry-run", "--config", "training={steps: many}")
    assert "training.steps: is 'many'; must be a whole number" in ended.stdout


def test_the_log_line_of_a_job_counts_library_modules_instead_of_naming_them(study):
    printed = study.snakemake("--dry-run").stdout
    assert re.search(
        r"^    input: results/training/.*, scripts/super_resolution/export_model\.py, \d+ files of src$",
        printed,
        re.M,
    )
    assert "src/spatial_prediction/" not in printed


def test_settings_that_only_show_when_files_are_looked_at_are_refused_when_planned(study):
    (study.folder / "my scenes").mkdir()
    for name in ("a.nc", "b.nc"):
        (study.folder / "my scenes" / name).touch()
    (study.folder / "my order.txt").write_text("0\n0\n")
    (study.folder / "a file").touch()
    (study.folder / "a link").symlink_to("far/away")
    (study.folder / "my scenes" / "scene 0 {x} é.txt").touch()
    own = {"source": "directory", "directory": {"path": "my scenes"}, "permutation_file": "my order.txt"}
    for changes, message in (
        (
            {"dataset": own | {"directory": {"path": "my scenes", "pattern": "*.txt"}}},
            "dataset.directory: the scene 'my scenes/scene 0 {x} é.txt' has braces in its name",
        ),
        ({"dataset": own}, "dataset.test_scenes is 6 of the 2 scenes in 'my scenes'; leave at least one"),
        (
            {"dataset": own | {"test_scenes": 1}, "figures": {"sample_scenes": [0]}},
            "dataset.permutation_file: my order.txt: line 2: 0 stands on line 1 already",
        ),
        (
            {"dataset": {"permutation_file": "my order.txt"}},
            "dataset.permutation_file: my order.txt: line 2: 0",
        ),
        ({"results": "a file/x"}, "results: is 'a file/x', but 'a file' is a file; name a folder"),
        (
            {"resources": "a link/x"},
            "resources: is 'a link/x', but 'a link' leads to 'far/away', which is not there; make",
        ),
    ):
        (study.folder / "overlay.yaml").write_text(yaml.safe_dump(changes))
        ended = study.snakemake("--dry-run", "--configfile", "overlay.yaml")
        assert ended.returncode == 1
        assert message in ended.stdout
