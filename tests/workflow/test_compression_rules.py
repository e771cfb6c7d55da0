"""The compression study by the workflow: asked for as a target or by its key, planned, and made."""

import re
import shutil
from collections import Counter

import pandas as pd
import pytest
import yaml
from PIL import Image
from tests.helpers import REPOSITORY
from tests.workflow.planner import Planner
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
    return {rule: count for rule, count in Counter(jobs).items() if rule != "all"}


DEFAULT = expected(1, 5, 5 * 4 + 12 * 2, 1)


def test_the_study_is_made_when_it_is_named_as_a_target(study):
    planned = counts(job.rule for job in study.planned("compression"))
    assert planned.pop("compression") == 1
    assert planned == DEFAULT


@pytest.fixture(scope="module")
def planned(study):
    """Plan an overlay on the study's section, and others beside it."""
    planner = Planner(study.folder)

    def jobs(section, **others):
        answer = planner.jobs({"studies": ["compression"], "compression": section} | others)
        assert "jobs" in answer, answer
        return answer["jobs"]

    yield jobs
    planner.close()


def rules(jobs):
    return counts(job["rule"] for job in jobs)


def test_the_study_is_made_when_the_configuration_asks_for_it(planned):
    assert rules(planned({})) == DEFAULT


@pytest.fixture(scope="module")
def own_cubes(study):
    """Three raw cubes of one's own, in a folder with a space in its name."""
    folder = study.folder / "my cubes"
    folder.mkdir()
    for name in ("jasper", "potsdam", "third"):
        (folder / f"{name}.bsq").touch()
        (folder / f"{name}.json").touch()
    return {"path": "my cubes"}


def test_cubes_of_ones_own_each_have_a_network_that_saw_the_others(study, planned, own_cubes):
    overlay = yaml.safe_load((study.folder / "config" / "real_cubes.yaml").read_text(encoding="utf-8"))
    section = overlay.pop("compression")
    section["cubes"]["directory"] |= own_cubes
    jobs = planned(section, **overlay)
    assert rules(jobs) == expected(3, 5, 5 * 4 + 12 * 3, 3)
    for job in jobs:
        cubes = re.findall(r"cubes/(\w+)\.safetensors", job["command"] or "")
        if job["rule"] == "train_linerwkv":
            (network,) = re.findall(r"networks/without_(\w+)\.safetensors", job["command"])
            assert cubes == [cube for cube in ("jasper", "potsdam", "third") if cube != network]
        if job["rule"] == "benchmark_codec":
            needed = re.findall(
                r"--network=results/real_cubes/compression/networks/without_(\w+)", job["command"]
            )
            assert needed == (cubes if re.search("--codec=(linerwkv|mixture)", job["command"]) else [])


def test_a_network_is_trained_on_a_folder_of_its_own(planned, own_cubes):
    jobs = planned({"training": {"data": "directory", "directory": own_cubes}})
    assert rules(jobs) == DEFAULT | {"build_cube": 1 + 3}
    (trained,) = (job["command"] for job in jobs if job["rule"] == "train_linerwkv")
    assert re.findall(r"cubes/training/(\w+)\.safetensors", trained) == ["jasper", "potsdam", "third"]


def test_the_published_network_codes_in_place_of_a_trained_one(study, planned):
    def jobs(**published):
        network = {"source": "published", "published": published}
        planned_jobs = planned({"network": network, "training": {"data": "others"}})
        for job in planned_jobs:
            if job["rule"] == "benchmark_codec":
                needed = re.findall(r"--network=results/compression/networks/(\w+)", job["command"])
                assert bool(needed) == bool(re.search("--codec=(linerwkv|mixture)", job["command"]))
                assert set(needed) <= {f"published_{published['size']}"}
        (built,) = (job["command"] for job in planned_jobs if job["rule"] == "build_linerwkv")
        assert f"--size={published['size']}" in built
        return rules(planned_jobs), built

    made = DEFAULT | {"build_linerwkv": 1}
    del made["train_linerwkv"]
    counted, built = jobs(size="s", path=None)
    assert counted == made | {"retrieve_linerwkv": 1}
    assert "--weights=resources/compression/published/linerwkv_s.pth" in built
    (study.folder / "my weights.pth").touch()
    counted, built = jobs(size="xs", path="my weights.pth")
    assert counted == made
    assert "'--weights=my weights.pth'" in built


def test_nothing_is_made_for_predictors_that_nobody_asked_for(planned):
    jobs = rules(planned({"predictors": ["ccsds123"]}))
    assert "train_linerwkv" not in jobs
    assert jobs["benchmark_codec"] == 4 + 24
    jobs = rules(planned({"predictors": []}))
    assert {"evaluate_residuals", "plot_residual_images", "plot_rate_by_band"} & jobs.keys() == set()


@pytest.mark.parametrize(
    ("section", "changed"),
    [
        ({"cubes": {"synthetic": {"noise": 7.0}}}, {"build_cube"}),
        ({"training": {"steps": 2}}, {"train_linerwkv"}),
        ({"training": {"synthetic": {"striping": 0.1}}}, {"train_linerwkv"}),
        ({"repeats": 2}, {"benchmark_codec"}),
    ],
)
def test_settings_stand_in_the_params_of_the_rules_that_use_them(planned, section, changed):
    def params(section):
        return {(job["rule"], *sorted(job["params"])) for job in planned(section)}

    assert {rule for rule, *_ in params({}) - params(section)} == changed


def test_every_param_has_a_name(planned):
    for job in planned({}):
        for text in job["params"]:
            assert text.startswith("--"), f"{job['rule']}: {text}"


@pytest.mark.slow
def test_a_small_study_is_made_whole(tmp_path):
    pytest.importorskip("imagecodecs", reason="the extra peers is not installed")
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
