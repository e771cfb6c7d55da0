"""The benchmark for GPUs works in its tiny form on a CPU, and leaves a table wherever it is cut off."""

import json
import subprocess
import sys

import pytest
from tests.helpers import REPOSITORY

SECTIONS = (
    "device", "training", "pytorch", "padding", "largest_batch", "upscaling", "gaussian_process", "linerwkv",
    "paper",
)  # fmt: skip


def run(out, *options):
    """Run it; return its JSON and its Markdown."""
    program = [
        sys.executable,
        str(REPOSITORY / "benchmarks/on_a_gpu.py"),
        "--tiny",
        "--out",
        str(out),
        *options,
    ]
    ran = subprocess.run(program, capture_output=True, text=True, timeout=900)
    assert ran.returncode == 0, ran.stderr
    found = json.loads((out / "on_a_gpu.json").read_text(encoding="utf-8"))
    return found, (out / "on_a_gpu.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_every_section_has_rows_in_the_tiny_form(tmp_path):
    found, text = run(tmp_path, "--seconds", "3600")  # more than a busy machine takes
    sections = {section["name"]: section for section in found["sections"]}
    assert tuple(sections) == SECTIONS
    pytorch = sections.pop("pytorch")
    assert not pytorch["rows"]
    assert "--python" in pytorch["reason"]
    for name, section in sections.items():
        missing = section["reason"] or ""
        if "is not installed" not in missing:  # upscaling, without the extra rasters
            assert section["rows"], f"{name}: {missing}; {(tmp_path / 'log.txt').read_text()[-3000:]}"
            assert missing == "", name
        assert f"## {name}\n" in text
    ways = {row["way"]: row for row in sections["training"]["rows"]}
    assert set(ways) == {"one seed", "2 seeds", "plain"}
    assert all(row["steps/s"] > 0 and row["of the roofline"] > 0 for row in ways.values())
    assert [row["preset"] for row in sections["padding"]["rows"]] == 2 * ["zero-repl", "lp1x1cs"]
    assert [row["outcome"][:9] for row in sections["largest_batch"]["rows"]] == 2 * ["fits", "not tried"]
    assert sections["paper"]["rows"][-1]["presets"] == "whole study"
    assert sections["paper"]["rows"][-1]["runs"] == 6
    assert f"# {found['machine']['device']} (tiny form" in text


def test_a_run_that_is_cut_off_leaves_a_table_with_reasons(tmp_path):
    found, text = run(tmp_path, "--seconds", "0.1")
    assert [section["name"] for section in found["sections"]] == list(SECTIONS)
    assert "took longer" in found["sections"][0]["reason"]
    assert all("no time" in section["reason"] for section in found["sections"][1:])
    assert text.count("Not begun: no time was left.") == len(SECTIONS) - 1


def test_ceilings_of_an_h100_are_those_of_its_data_sheet(monkeypatch):
    monkeypatch.syspath_prepend(str(REPOSITORY / "benchmarks"))
    from gpu import roofline

    found = roofline.of_data_sheet("NVIDIA H100 80GB HBM3")
    assert found == pytest.approx((66.9e12, 3.35e12))
    assert found.bandwidth / roofline.BYTES == pytest.approx(3.27e9, rel=1e-3)  # fused blocks
    assert found.bandwidth / roofline.UNFUSED_BYTES == pytest.approx(0.818e9, rel=1e-3)
    assert found.pixels("inference") == pytest.approx(66.9e12 / 60_256)  # without tensor cores: arithmetic
    assert found.pixels("training") == found.pixels("inference") / 3
    assert roofline.of_data_sheet("cpu") is None
