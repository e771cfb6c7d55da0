"""The interpolation study by the workflow: asked for as a target or by its key, planned, and made."""

import re
from collections import Counter

import pandas as pd
import pytest
from PIL import Image
from tests.browser import Browser, chromium
from tests.workflow.study import Study
from tests.workflow.test_report import ROWS, opened

EACH = {"train_process": 1, "evaluate_process": 1, "export_reconstructions": 1}
"""Jobs for a model on a choice of masks."""

ONCE = (
    "build_field", "gather_scores", "plot_field_errors", "plot_uncertainty", "plot_calibration",
    "tabulate_scores", "tabulate_fits",
)  # fmt: skip
SMALL = """
studies: [interpolation]
interpolation:
  field: {synthetic: {frames: 8, rows: 4, columns: 5}}
  frames: {train: 4, validation: 2, test: 2}
  masks: {types: [dynamic], probabilities: [0.5]}
  models: {time_kernels: [matern], space_kernels: [rbf], weather: []}
  fitting: {steps: 3}
  figures: {formats: [png], pages: [test]}
"""


def expected(models, masks):
    """Jobs by rule."""
    return (
        dict.fromkeys(EACH, models * masks)
        | dict.fromkeys(("build_masks", "evaluate_baselines", "plot_frame_strip", "build_animation"), masks)
        | dict.fromkeys(ONCE, 1)
    )


def counts(jobs):
    return {rule: count for rule, count in Counter(job.rule for job in jobs).items() if rule != "all"}


def test_the_study_is_made_when_it_is_named_as_a_target(study):
    planned = counts(study.planned("interpolation"))
    assert planned.pop("interpolation") == 1
    assert planned == expected(6, 2)


def test_the_study_is_made_when_the_configuration_asks_for_it(study):
    assert counts(study.planned("--config", "studies=[interpolation]")) == expected(6, 2)


def test_every_study_is_a_target_of_its_name(study):
    assert counts(study.planned("super_resolution")).pop("train_model") == 16


def test_the_reference_study_is_144_fits_of_a_file_that_is_downloaded(study):
    overlay = ("--configfile", "config/interpolation_reference.yaml")
    planned = counts(study.planned(*overlay, timeout=120))
    assert planned == expected(24, 6) | {"retrieve_field": 1}
    own = "interpolation={field: {source: netcdf, netcdf: {path: Snakefile}}}"
    assert "retrieve_field" not in counts(study.planned(*overlay, "--config", own, timeout=120))


def test_seeds_are_cases_and_averages_are_of_what_is_fitted(study):
    planned = counts(study.planned("--configfile", "config/interpolation_weather.yaml", timeout=120))
    assert planned == expected(4, 5) | {
        "retrieve_field": 1, "evaluate_average": 5, "export_reconstructions": 25, "tabulate_seeds": 1,
    }  # fmt: skip


def test_faults_of_a_study_that_is_not_asked_for_do_not_matter(study):
    (study.folder / "overlay.yaml").write_text("interpolation: {masks: {seeds: [many]}}\n")
    assert study.planned("--configfile", "overlay.yaml")
    ended = study.snakemake("--dry-run", "interpolation", "--configfile", "overlay.yaml")
    assert ended.returncode == 1
    assert "interpolation.masks.seeds.0: is 'many'; must be a whole number" in ended.stdout


@pytest.mark.parametrize(
    ("key", "rules"),
    [
        ("figures: {pages: [validation]}", {"export_reconstructions"}),
        ("fitting: {steps: 4}", {"train_process"}),
        ("masks: {seeds: [1]}", {"build_masks"}),
        ("field: {synthetic: {seed: 1}}", {"build_field"}),
        ("evaluation: {headline: train}", {"evaluate_process", "plot_calibration", "build_animation"}),
    ],
)
def test_settings_stand_in_the_params_of_the_rules_that_use_them(study, key, rules):
    def params(*overlays):
        ended = study.snakemake("--dry-run", "--printshellcmds", "--configfile", *overlays)
        assert ended.returncode == 0, ended.stdout
        return {line for line in ended.stdout.splitlines() if "scripts/interpolation/" in line}

    (study.folder / "small.yaml").write_text(SMALL)
    (study.folder / "changed.yaml").write_text(f"interpolation: {{{key}}}\n")
    changed = params("small.yaml") - params("small.yaml", "changed.yaml")
    assert {rule for rule in rules if any(f"/{rule}.py" in line for line in changed)} == rules


@pytest.fixture(scope="module")
def made_whole(tmp_path_factory):
    """A small study, really made, with its report."""
    study = Study(tmp_path_factory.mktemp("study") / "copy")
    (study.folder / "small.yaml").write_text(SMALL)
    ended = study.run_study("--configfile", "small.yaml", "--", "--cores", "1", timeout=600)
    assert ended.returncode == 0, ended.stdout
    assert not re.search(r"\((ERROR|WARNING|SEVERE)/", ended.stdout), ended.stdout
    return study


@pytest.mark.slow
def test_a_small_study_is_made_whole(made_whole):
    results = made_whole.folder / "results" / "interpolation"
    scores = pd.read_parquet(results / "scores.parquet")
    model = scores[scores["kind"] == "model"]
    assert set(model["model"]) == {"matern-rbf"}
    assert model["mae"].notna().all()
    assert model["coverage"].between(0, 1).all()
    mask = "dynamic_0.5_seed0"
    for picture in ("field_errors", f"frame_strip_{mask}", f"animation_{mask}"):
        with Image.open(results / "figures" / f"{picture}.png") as image:
            image.load()
    assert (results / "figures" / mask / "matern-rbf.pdf").read_bytes().count(b"/Type /Page ") == 2
    assert "MAE hidden" in (results / "tables" / "scores.md").read_text()
    assert pd.read_csv(results / "tables" / "fits.csv")["Status"].tolist() in (["steps"], ["converged"])
    assert (results / "report.html").exists()
    assert not (made_whole.folder / "results" / "report.html").exists()
    assert made_whole.planned("--configfile", "small.yaml") == []


@pytest.mark.slow
def test_the_report_of_the_study_opens_and_asks_for_nothing(made_whole, tmp_path):
    if chromium() is None:
        pytest.skip("no Chromium on this machine: no program chromium, chromium-browser or google-chrome")
    with Browser(tmp_path / "profile") as page:
        page.address = (made_whole.folder / "results" / "interpolation" / "report.html").as_uri()
        page.call("Page.navigate", url=page.address)
        text = "Fields from few observed pixels"
        page.wait_for(f"document.body && document.body.innerText.includes('{text}')")
        assert "Boundary handling" not in page.evaluate("document.body.innerText")
        results = opened(page, "Results")  # what Snakemake calls a single category
        assert sorted(results) == [
            "Animation, dynamic_0.5_seed0",
            "Calibration",
            "Errors",
            "Fits (table)",
            "Scores (table)",
            "Test frames, dynamic_0.5_seed0",
            "Uncertainty",
        ]
        for index, result in enumerate(results):
            page.evaluate(f"{ROWS}[{index}].querySelector('a[iconname=eye]').click()")
            if result.endswith("(table)"):
                page.wait_for("document.querySelector('iframe') !== null")
            else:
                loaded = "[...document.images].filter(image => image.complete && image.naturalWidth > 0)"
                page.wait_for(f"{loaded}.some(image => image.src.startsWith('data:image/png'))")
        asked = {
            event["request"]["url"] for name, event in page.events if name == "Network.requestWillBeSent"
        }
        assert [
            url for url in asked - {page.address} if not url.startswith(("about:", "data:", "blob:"))
        ] == []
