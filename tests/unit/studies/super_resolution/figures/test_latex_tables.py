"""Every table as LaTeX: plain, whole, and compiled where there is a LaTeX."""

import re
import shutil
import subprocess

import pandas as pd
import pytest
from tests.study_tables import PUBLISHED, SUMMARY, run_record, study_tables

from spatial_prediction.plotting import formatting
from spatial_prediction.plotting.table_files import Table, write_table
from spatial_prediction.studies.super_resolution.figures import (
    general_table,
    provenance_table,
    run_table,
    shell_table,
    study_warnings,
)
from spatial_prediction.studies.super_resolution.metrics import bilinear_by_shell

ODD = r"""a_b & 50 % of $3, #1 {x} ~ ^ \ <y> |z| [0] "q" 'r' é ± 10⁻⁶"""


def _tables():
    study = study_tables(PUBLISHED, level=3650e-6, spread=0.05, bilinear=3600e-6, diverged=["repl"])
    warnings = study_warnings(study.runs, study.against, PUBLISHED)
    return {
        "results": general_table(study.results, study.bilinear, warnings),
        "runs": run_table(study.runs, PUBLISHED, study.against, study.bilinear),
        "shells": shell_table(
            study.shells, PUBLISHED, {0: [0, 1], 1: [], 5: [0]}, bilinear_by_shell(study.bilinear_errors)
        ),
        "provenance": provenance_table([run_record(commit="0123abcd" * 5)], [], SUMMARY),
        "odd": Table(
            cells=pd.DataFrame(
                {
                    "[odd] header_1": [ODD, "[0] begins a row"],
                    "MSE (10⁻⁶)": ["-1.0 ± 0.5 !", formatting.MISSING],
                }
            ),
            alignment={"[odd] header_1": "long", "MSE (10⁻⁶)": "right"},
            caption=f"Odd: {ODD}",
            notes=(ODD,),
            italic=frozenset({(0, "MSE (10⁻⁶)")}),
            warned=frozenset({(0, "[odd] header_1"), (0, "MSE (10⁻⁶)")}),
            warnings=(ODD,),
        ),
    }


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    for name, table in _tables().items():
        write_table(table, folder / name)
    return {name: folder / f"{name}.tex" for name in _tables()}


@pytest.mark.parametrize("name", ["results", "runs", "shells", "provenance", "odd"])
def test_tables_need_no_package_and_have_equally_many_cells_in_each_row(written, name):
    text = written[name].read_text(encoding="utf-8")
    assert "usepackage" not in text
    assert "rule" not in "".join(re.findall(r"\\[a-z]+", text))
    columns = len(_tables()[name].cells.columns)
    (body,) = re.findall(r"\\begin\{tabular\}\{.*\}\n(.*)\\end\{tabular\}", text, re.DOTALL)
    rows = [line for line in body.splitlines() if line != r"\hline"]
    assert len(rows) == 1 + len(_tables()[name].cells)
    for row in rows:
        assert row.endswith(r" \\")
        assert len(re.findall(r"(?<!\\)&", row)) == columns - 1
        assert not re.search(r"(?<![\\{])[_%#^]", re.sub(r"\$\^\{-?6\}\$", "", row))


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="no pdflatex on PATH")
def test_tables_compile_in_a_bare_document(written, tmp_path):
    inputs = "\n".join(rf"\input{{{path}}}" for path in written.values())
    document = "\n".join([r"\documentclass{article}", r"\begin{document}", inputs, r"\end{document}"])
    (tmp_path / "all.tex").write_text(document, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    made = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False
    )
    assert made.returncode == 0, made.stdout[-2000:]
    assert (tmp_path / "all.pdf").stat().st_size > 10_000
