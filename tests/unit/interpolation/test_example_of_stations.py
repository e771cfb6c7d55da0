"""The example of docs/fill_gaps.md, run as it stands there."""

import re
import runpy
import shlex

import pytest
import xarray
from tests.helpers import REPOSITORY

from spatial_prediction.__main__ import main

pytestmark = pytest.mark.usefixtures("quick_compilation")


def block(language):
    """The first block of code of a language in the section of stations."""
    page = (REPOSITORY / "docs/fill_gaps.md").read_text(encoding="utf-8")
    return re.search(rf"## Stations.*?```{language}\n(.*?)```", page, re.DOTALL)[1]


def test_the_command_and_the_function_of_the_page_do_the_same(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stations.csv").write_text(block("csv"))
    program, *arguments = shlex.split(block("sh"))
    assert program == "spatial-prediction"
    main(arguments)
    (tmp_path / "example.py").write_text(block("python"))
    field = runpy.run_path(str(tmp_path / "example.py"))["field"]
    with xarray.open_dataset(tmp_path / "field.nc") as written:
        xarray.testing.assert_allclose(written, field)
        assert written["temperature"].attrs["units"] == "degC"
    validation, value = capsys.readouterr().out.splitlines()
    assert re.match(r"\d observations of 2 stations held out: MAE \d", validation)
    assert 0.0 < float(value) < 3.0
