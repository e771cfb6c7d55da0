import csv
import math

import pandas as pd
import pytest
from tests.study_tables import SUMMARY, run_record, study_tables

from spatial_prediction.plotting import formatting
from spatial_prediction.plotting.table_files import Table, write_table
from spatial_prediction.studies.super_resolution.figures import (
    general_table,
    provenance_table,
    run_table,
    shell_table,
    study_warnings,
    write_note,
)
from spatial_prediction.studies.super_resolution.metrics import bilinear_by_shell

NAN = math.nan


@pytest.mark.parametrize(
    ("interval", "text"),
    [
        ((546.64e-6, 544.7e-6, 548.5e-6), "546.6 ± 1.9"),
        ((10572.3e-6, 10377e-6, 10767e-6), "10572 ± 195"),
        ((0.00012e-6, NAN, NAN), "0.0001200"),
        ((NAN, NAN, NAN), "\N{EN DASH}"),
    ],
)
def test_intervals_show_four_significant_digits(interval, text):
    assert formatting.interval(*interval, unit=1e-6) == text


def test_differences_carry_their_sign():
    assert formatting.percent(-0.391, -0.69, -0.09) == "-0.39 ± 0.30"
    assert formatting.percent(2.0, NAN, NAN) == "+2.00"
    assert formatting.percent(NAN, NAN, NAN) == formatting.MISSING


def test_latex_escapes_text_and_sets_numbers_as_mathematics():
    assert formatting.latex("zero_oc5 & 50 %") == r"zero\_oc5 \& 50 \%"
    assert formatting.latex("-0.39 ± 0.30") == r"$-0.39 \pm 0.30$"
    assert formatting.latex("813.2 ± 14.0", italic=True) == r"$\mathit{813.2 \pm 14.0}$"
    assert formatting.latex("MSE (10⁻⁶)") == r"MSE (10$^{-6}$)"
    assert formatting.latex(formatting.MISSING) == "--"
    assert formatting.latex("a\\{b}", italic=True) == r"\textit{a\textbackslash{}\{b\}}"


def test_markdown_escapes_what_would_end_a_cell_or_emphasise():
    assert formatting.markdown("a|b_c*") == r"a\|b\_c\*"
    assert formatting.markdown("1.0", italic=True) == "*1.0*"


def _write(table: Table, tmp_path) -> dict[str, str]:
    return {path.suffix[1:]: path.read_text() for path in write_table(table, tmp_path / "new" / "table")}


def test_table_in_three_formats(tmp_path):
    table = Table(
        cells=pd.DataFrame({"Preset": ["zero_oc5"], "MSE (10⁻⁶)": ["1.0 ± 0.5"]}),
        alignment={"Preset": "left", "MSE (10⁻⁶)": "right"},
        caption="What it shows.",
        notes=("A note.",),
        italic=frozenset({(0, "MSE (10⁻⁶)")}),
    )
    written = _write(table, tmp_path)
    assert written["csv"] == "Preset,MSE (10⁻⁶)\nzero_oc5,1.0 ± 0.5\n"
    assert written["md"].splitlines() == [
        "What it shows.",
        "",
        "| Preset | MSE (10⁻⁶) |",
        "| :--- | ---: |",
        r"| zero\_oc5 | *1.0 ± 0.5* |",
        "",
        "- A note.",
    ]
    assert "<tr><td>zero_oc5</td><td><i>1.0 ± 0.5</i></td></tr>" in written["html"]
    assert ":nth-child(2) { text-align: right }" in written["html"]
    assert r"\begin{tabular}{lr}" in written["tex"]
    assert r"zero\_oc5 & $\mathit{1.0 \pm 0.5}$ \\" in written["tex"]


def test_runs_are_counted_and_failures_told(tmp_path):
    runs = pd.DataFrame(
        [
            ("a", 2, "diverged", 70, "loss is NaN"),
            ("a", 0, "completed", 99, None),
            ("a", 1, "diverged", 5, None),
            ("elsewhere", 0, "diverged", 5, "no preset of the study"),
        ],
        columns=["preset", "seed", "status", "step", "reason"],
    )
    table = run_table(runs, {"a": 0, "untried": 5})
    assert table.cells.to_numpy().tolist() == [
        ["a", "3", "1", "2", "1 (step 5: reason unknown); 2 (step 70: loss is NaN)"],
        ["untried", "0", "0", "0", ""],
        ["all", "3", "1", "2", ""],
    ]
    rows = list(csv.reader(_write(table, tmp_path)["csv"].splitlines()))
    assert rows[1][4] == "1 (step 5: reason unknown); 2 (step 70: loss is NaN)"


STUDY = {"zero-repl": 0, "repl": 0, "zero_oc5": 5}


def test_run_table_tells_what_does_not_beat_bilinear_upscaling(tmp_path):
    study = study_tables(STUDY, level=3650e-6, spread=0.05, bilinear=3600e-6, diverged=["repl"])
    table = run_table(study.runs, STUDY, study.against, study.bilinear)
    expected = {
        preset: [seed for _, p, seed, beaten in _rows(study.against) if p == preset and not beaten]
        for preset in STUDY
    }
    assert expected["zero-repl"] or expected["zero_oc5"]
    cells = table.cells.set_index("Preset")
    for preset, seeds in expected.items():
        named = [
            part.split(" (")[0] for part in cells["Seeds not below bilinear"][preset].split("; ") if part
        ]
        assert named == [str(seed) for seed in seeds]
    assert cells["Test MSE (10⁻⁶)"]["repl"] == formatting.MISSING
    for crop in (0, 5):
        value = cells["Test MSE (10⁻⁶)"][f"bilinear upscaling, output crop {crop}"]
        assert float(value) == pytest.approx(study.bilinear[crop] * 1e6, rel=1e-3)
    written = _write(table, tmp_path)
    assert "2 of 6 runs diverged: repl 2 of 2." in written["html"]
    assert "do not beat bilinear upscaling" in written["html"] or "does not beat" in written["html"]
    assert "> **Warning:** 2 of 6 runs diverged" in written["md"]
    assert "Warning: 2 of 6 runs diverged" in written["tex"]
    assert len(list(csv.reader(written["csv"].splitlines()))) == len(table.cells) + 1


def _rows(against):
    return against[["preset", "seed", "beaten"]].itertuples()


def test_no_warning_where_every_network_beats_bilinear_upscaling():
    study = study_tables(STUDY, level=3000e-6, bilinear=3600e-6)
    table = run_table(study.runs, STUDY, study.against, study.bilinear)
    assert table.warnings == ()
    assert table.warned == frozenset()
    results = general_table(study.results, study.bilinear)
    assert results.warned == frozenset()
    assert not any("!" in text for text in results.cells["MSE v bilinear (%)"])


def test_results_have_a_row_of_bilinear_upscaling_for_each_crop_and_a_mark(tmp_path):
    study = study_tables(STUDY, level=4200e-6, bilinear=3600e-6, diverged=["repl"])
    table = general_table(study.results, study.bilinear, study_warnings(study.runs, study.against, STUDY))
    cells = table.cells
    assert cells["Preset"].tolist()[3:] == ["bilinear upscaling"] * 2
    assert cells["Output crop (px)"].tolist()[3:] == ["0", "5"]
    assert cells["Test MSE (10⁻⁶)"].tolist()[3:] == [f"{study.bilinear[crop] * 1e6:.0f}" for crop in (0, 5)]
    assert cells["Inference (10⁶ px/s)"].tolist()[3:] == [formatting.MISSING] * 2
    marks = cells["MSE v bilinear (%)"].tolist()
    assert [text.endswith(" !") for text in marks] == [True, False, True, False, False]
    assert marks[1] == formatting.MISSING
    written = _write(table, tmp_path)
    assert f"<b>{marks[0]}</b>" in written["html"]
    assert f"**{marks[0]}**" in written["md"]
    assert r"\;!$}" in written["tex"]
    assert written["html"].index("Warning:") < written["html"].index("<table>")


def test_shell_table_has_a_column_of_bilinear_upscaling():
    study = study_tables(STUDY, level=3000e-6, bilinear=3600e-6)
    limits = bilinear_by_shell(study.bilinear_errors)
    table = shell_table(study.shells, STUDY, {0: [0, 1], 5: [0, 1]}, limits)
    column = [float(text) for text in table.cells["bilinear upscaling"]]
    assert column == pytest.approx((limits["mse"] * 1e6).tolist(), rel=1e-3)
    marked = [text.endswith("!") for text in table.cells["zero_oc5"]]
    assert marked == [True] * 5 + [False] * 6
    assert {place for place in table.warned if place[1] == "zero_oc5"} == {(n, "zero_oc5") for n in range(5)}


@pytest.mark.parametrize(
    ("diverged", "level", "sentences"),
    [
        ([], 3000e-6, []),
        (list(STUDY), 3000e-6, ["Every run diverged: zero-repl 2 of 2, repl 2 of 2, zero_oc5 2 of 2."]),
        ([("repl", 1)], 3000e-6, ["1 of 6 runs diverged: repl 1 of 2."]),
        (
            [],
            7200e-6,
            ["6 of 6 networks do not beat bilinear upscaling of the same output crop: zero-repl 2"],
        ),
    ],
)
def test_what_a_study_is_warned_of(diverged, level, sentences):
    study = study_tables(STUDY, level=level, bilinear=3600e-6, diverged=diverged)
    warnings = study_warnings(study.runs, study.against, STUDY)
    assert len(warnings) == len(sentences)
    assert all(found.startswith(wanted) for found, wanted in zip(warnings, sentences, strict=True))


def test_the_note_for_the_report_is_restructured_text_that_keeps_names(tmp_path):
    core = pytest.importorskip("docutils.core")
    path = tmp_path / "new" / "warnings.rst"
    write_note(path, ["1 of 2 runs diverged: mine_ 1 of 2, zero_oc5*.", "More."])
    parsed = core.publish_parts(path.read_text(), settings_overrides={"halt_level": 2})["whole"]
    assert "<warning>" in parsed
    assert "1 of 2 runs diverged: mine_ 1 of 2, zero_oc5*." in parsed
    assert "More." in parsed
    write_note(path, [])
    parsed = core.publish_parts(path.read_text(), settings_overrides={"halt_level": 2})["whole"]
    assert "<comment" in parsed
    assert "<paragraph>" not in parsed


def _result(preset, crop, baseline, mse, difference):
    return {
        "preset": preset,
        "output_crop": crop,
        "baseline": baseline,
        "succeeded": 2,
        "tried": 3,
        "training_batch_size": 263,
        "training_images_per_second": 471.61,
        "training_relative_time": 1.0,
        "inference_batch_size": NAN,
        "inference_pixels_per_second": 964.2e6,
        "inference_relative_time": NAN,
        **dict(zip(("mse_mean", "mse_low", "mse_high"), mse, strict=True)),
        **{f"difference_{end}": difference for end in ("mean", "low", "high")},
        **{f"shell_difference_{end}": difference for end in ("mean", "low", "high")},
    }


def test_general_table_shows_dashes_where_there_is_nothing_to_say():
    results = pd.DataFrame(
        [
            _result("zero-repl", 0, "zero-repl", (546.6e-6, 544.7e-6, 548.5e-6), 0.0),
            _result("lost_oc3", 3, None, (NAN, NAN, NAN), NAN),
        ]
    )
    cells = general_table(results).cells
    assert cells.iloc[0].tolist() == [
        *("0", "zero-repl *", "2/3", "263", "471.6", "1.00"),
        *("\N{EN DASH}", "964.2", "\N{EN DASH}", "546.6 ± 1.9", "0", "0"),
    ]
    assert cells.iloc[1].tolist()[-3:] == ["\N{EN DASH}"] * 3
    assert cells.iloc[1]["Preset"] == "lost_oc3"


def test_shell_table_has_italics_where_the_loss_did_not_reach():
    rows = [("lp_oc1", shell, 5e-4, 4e-4, 6e-4) for shell in range(11)]
    shells = pd.DataFrame(rows, columns=["preset", "shell", "mean", "low", "high"])
    table = shell_table(shells, {"lp_oc1": 1, "lost": 0}, {0: [], 1: [0, 3]})
    assert table.cells["lp_oc1"].tolist() == ["500.0 ± 100.0"] * 11
    assert table.cells["lost"].tolist() == [formatting.MISSING] * 11
    assert table.italic == {(0, "lp_oc1")}
    assert any("output crop 0: none; output crop 1: 0, 3" in note for note in table.notes)


def test_provenance_is_one_value_an_item_or_each_with_its_number_of_files():
    longer = run_record() | {"seconds": 7200.0, "status": "diverged", "preset": "repl", "seed": 0}
    runs = [run_record(), run_record(commit="def", settings={"training": {"steps": 500}}), longer]
    table = provenance_table(runs, [run_record(device="gpu", compiled_kernels=None)], SUMMARY)
    values = {item: value for _, item, value in table.cells.itertuples(index=False)}
    assert values["commit"] == "abc (3), def (1)"
    assert values["jax"] == "0.10.2"
    assert (values["of training"], values["of timing"]) == ("cpu", "gpu")
    assert values["compiled kernels"] == "yes (3), not recorded (1)"
    assert (values["presets"], values["seeds"]) == ("lp2x3, repl", "0, 1")
    assert values["training.steps"] == "240 (2), 500 (1)"
    assert values["training.learning_rate"] == "5e-06 (2), not recorded (1)"
    assert values["scenes"] == "24 train, 6 test, 1 skipped"
    assert values["offset added to DN"] == "0 (30 scenes)"
    assert values["offset stated by"] == "nothing (30 scenes)"
    assert values["doubt about 1 scenes"] == "DN may carry +1000"
    assert values["means of red, green, blue, train"] == "-0.500, -0.250, 0.125"
    assert values["SHA-256 of the array, test"] == 64 * "b"
    assert values["training runs"] == "2 completed, 1 diverged"
    assert values["of a training run"] == "30 s (30 s to 2.0 h)"
