"""The compression study by the workflow: asked for as a target or by its key, planned, and made."""

import re
import shutil
from collections import Counter

import pandas as pd
import pytest
from PIL import Image
from tests.helpers import REPOSITORY
from tests.workflow.study import Study

ONCE = (
    "gather_measurements", "plot_rate_by_band", "plot_rate_distortion", "plot_compression_speed",
    "tabulate_rates", "tabulate_costs",
)  # fmt: skip
SMALL = """
studies: [compression]
compression:
  cubes: {synthetic: {rows: 8, columns: 6, bands: 5}}
  predictors: [ccsds123, linerwkv]
  deltas: [0]
  peers: {codecs: [jpegls-pixels], deltas: [0, 2]}
  training:
    {steps: 1, batch_size: 1, lines: 3, columns: 2, bands: 3,
     synthetic: {cubes: 1, rows: 4, columns: 4, bands: 5}}
  repeats: 1
  figures: {formats: [png]}
"""


def expected(cubes, predictors, codecs, networks):
    """Jobs by rule; ``codecs`` are pairs of codec and largest error."""
    return {
        "build_cube": cubes,
        "train_linerwkv": networks,
        "benchmark_codec": cubes * codecs,
        "evaluate_residuals": cubes * predictors,
        "plot_residual_images": cubes,
    } | dict.fromkeys(ONCE, 1)


def counts(jobs):
    return {rule: count for rule, count in Counter(job.rule for job in jobs).items() if rule != "all"}


DEFAULT = expected(1, 5, 5 * 4 + 12 * 2, 1)


def test_the_study_is_made_when_it_is_named_as_a_target(study):
    planned = counts(study.planned("compression"))
    assert planned.pop("compression") == 1
    assert planned == DEFAULT


def test_the_study_is_made_when_the_configuration_asks_for_it(study):
    assert counts(study.planned("--config", "studies=[compression]")) == DEFAULT


@pytest.fixture
def own_cubes(study):
    """An overlay on two raw cubes of one's own, in a folder with a space in its name."""
    folder = study.folder / "my cubes"
    folder.mkdir(exist_ok=True)
    for name in ("jasper", "potsdam", "third"):
        (folder / f"{name}.bsq").touch()
        (folder / f"{name}.json").touch()
    return "compression={cubes: {directory: {path: my cubes}}}"


def test_cubes_of_ones_own_each_have_a_network_that_saw_the_others(study, own_cubes):
    jobs = study.planned("--configfile", "config/real_cubes.yaml", "--config", own_cubes)
    assert counts(jobs) == expected(3, 5, 5 * 4 + 12 * 3, 3)
    plan = study.snakemake(
        "--dry-run", "--printshellcmds", "--configfile", "config/real_cubes.yaml", "--config", own_cubes
    ).stdout
    (trained,) = (
        line
        for line in plan.splitlines()
        if "train_linerwkv.py" in line and "without_jasper.safetensors" in line and "python" in line
    )
    assert re.findall(r"cubes/(\w+)\.safetensors", trained) == ["potsdam", "third"]
    coded = [
        line for line in plan.splitlines() if "/benchmark_codec.py" in line and "--codec=mixture" in line
    ]
    assert len(coded) == 3 * 4
    for line in coded:
        (cube,) = re.findall(r"cubes/(\w+)\.safetensors", line)
        assert f"--network=results/real_cubes/compression/networks/without_{cube}.safetensors" in line


def test_a_network_is_trained_on_a_folder_of_its_own(study, own_cubes):
    config = "compression={training: {data: directory, directory: {path: my cubes}}}"
    planned = counts(study.planned("--config", "studies=[compression]", config))
    assert planned == DEFAULT | {"build_cube": 1 + 3}


def test_nothing_is_trained_where_no_predictor_needs_it(study):
    config = "compression={predictors: [ccsds123]}"
    planned = counts(study.planned("--config", "studies=[compression]", config))
    assert "train_linerwkv" not in planned
    assert planned["benchmark_codec"] == 4 + 24
    none = "compression={predictors: []}"
    planned = counts(study.planned("--config", "studies=[compression]", none))
    assert {"evaluate_residuals", "plot_residual_images", "plot_rate_by_band"} & planned.keys() == set()


@pytest.mark.parametrize(
    ("key", "rules"),
    [
        ("cubes: {synthetic: {noise: 7.0}}", {"build_cube"}),
        ("training: {steps: 2}", {"train_linerwkv"}),
        ("training: {synthetic: {striping: 0.1}}", {"train_linerwkv"}),
        ("repeats: 2", {"benchmark_codec"}),
        ("figures: {formats: [png, svg]}", {"plot_rate_by_band", "plot_residual_images"}),
    ],
)
def test_settings_stand_in_the_params_of_the_rules_that_use_them(study, key, rules):
    def params(*overlays):
        ended = study.snakemake("--dry-run", "--printshellcmds", "--configfile", *overlays)
        assert ended.returncode == 0, ended.stdout
        return {line for line in ended.stdout.splitlines() if "scripts/compression/" in line}

    (study.folder / "small.yaml").write_text(SMALL)
    (study.folder / "changed.yaml").write_text(f"compression: {{{key}}}\n")
    changed = params("small.yaml") - params("small.yaml", "changed.yaml")
    assert {rule for rule in rules if any(f"/{rule}.py" in line for line in changed)} == rules


@pytest.mark.slow
def test_a_small_study_is_made_whole(tmp_path):
    pytest.importorskip("imagecodecs", reason="the extra compression_peers is not installed")
    study = Study(tmp_path / "copy")
    shutil.rmtree(study.folder / "src")
    (study.folder / "src").symlink_to(REPOSITORY / "src")  # where compiled loops are kept
    (study.folder / "small.yaml").write_text(SMALL)
    ended = study.run_study("--configfile", "small.yaml", "--", "--cores", "1", timeout=600)
    assert ended.returncode == 0, ended.stdout
    assert not re.search(r"\((ERROR|WARNING|SEVERE)/", ended.stdout), ended.stdout
    results = study.folder / "results" / "compression"
    measured = pd.read_parquet(results / "measurements.parquet")
    assert list(zip(measured["codec"], measured["delta"], strict=True)) == [
        ("ccsds123", 0), ("linerwkv", 0), ("jpegls-pixels", 0), ("jpegls-pixels", 2),
    ]  # fmt: skip
    assert measured["verified"].all()
    assert (measured["largest_error"] <= measured["delta"]).all()
    assert (measured["model_bytes"] == 0).all()
    for picture in ("residual_images_synthetic", "rate_by_band", "rate_distortion", "compression_speed"):
        with Image.open(results / "figures" / f"{picture}.png") as image:
            image.load()
    rates = pd.read_csv(results / "tables" / "rates.csv").set_index("Codec")
    assert rates.loc["LineRWKV", "Trained on"] == "1 synthetic cubes, seeds 100 to 100"
    assert rates.loc["CCSDS 123.0-B-2", "Against CCSDS-123, %"] == 0
    assert "Cubes of spectrometers in few bits" in (results / "report.html").read_text(encoding="utf-8")
    assert study.planned("--configfile", "small.yaml") == []
