"""Every configuration that passes the check is planned, its commands understood, and it runs to the end."""

import argparse
import importlib.util
import os
import re
import shlex
import subprocess
import sys

import pytest
import yaml
from hypothesis import HealthCheck, event, given, settings
from tests.helpers import REPOSITORY
from tests.workflow.odd_configurations import ODD, TINY, configurations, write_inputs
from tests.workflow.planner import Planner
from tests.workflow.study import Study, merged

from spatial_prediction.compiled_programs import FOLDER_VARIABLE
from spatial_prediction.errors import ConfigurationError
from spatial_prediction.studies.super_resolution.validation import validated

pytestmark = pytest.mark.slow

SCHEMA = yaml.safe_load((REPOSITORY / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def planner(tmp_path_factory):
    planner = Planner(Study(tmp_path_factory.mktemp("study")).folder)
    yield planner
    planner.close()


class UnderstoodError(Exception):
    """A script has parsed its arguments."""


@pytest.fixture(scope="module")
def scripts():
    """Every script's main, which ends with UnderstoodError instead of doing anything."""
    mains = {}
    for path in (REPOSITORY / "scripts" / "super_resolution").glob("*.py"):
        specification = importlib.util.spec_from_file_location(f"script_{path.stem}", path)
        module = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(module)
        mains[path.name] = module.main
    parse = argparse.ArgumentParser.parse_args

    def parse_only(parser, arguments=None, namespace=None):
        raise UnderstoodError(parse(parser, arguments, namespace))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, "parse_args", parse_only)
        yield mains


def words_of(command):
    """Arguments of a job's script as the shell gives them; the script's name is the first."""
    words = shlex.split(command)
    begin = words.index("python") + 1
    end = words.index("2>")
    assert end == len(words) - 2, command
    return words[begin:end]


def check_jobs(jobs, scripts):
    for job in jobs:
        if job["command"]:
            script, *arguments = words_of(job["command"])
            with pytest.raises(UnderstoodError):
                scripts[os.path.basename(script)](arguments)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(configurations(SCHEMA))
def test_any_valid_configuration_is_planned_and_its_commands_are_understood(planner, scripts, config):
    config |= {"studies": ["super_resolution"]}
    if (refusal := refused(config)) is not None:
        event("refused")
        assert re.search(rf"\b({'|'.join(config)})\b", refusal), refusal
        assert refusal in planner.jobs(config)["refused"]
        return
    event("valid")
    answer = planner.jobs(config)
    assert "jobs" in answer, answer
    check_jobs(answer["jobs"], scripts)


def refused(config):
    """What the check says against a configuration, or None."""
    try:
        validated(config, SCHEMA)
    except ConfigurationError as error:
        return str(error)
    return None


@pytest.mark.parametrize("name", ODD)
def test_an_odd_configuration_runs_to_the_end(name, tmp_path, compiled_programs):
    study = Study(tmp_path / "study")
    write_inputs(study.folder)
    overlay = yaml.safe_dump(merged(TINY, ODD[name]), allow_unicode=True)
    (study.folder / "my overlay.yaml").write_text(
        overlay.replace("{folder}", str(study.folder)), encoding="utf-8"
    )
    before = set(os.listdir(study.folder))
    environment = {
        "HOME": str(study.folder / "home"),
        "PATH": f"{os.path.dirname(sys.executable)}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(study.folder / "src"),
        "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",  # there is more to compile than to run
        FOLDER_VARIABLE: str(compiled_programs),
    }
    ended = subprocess.run(
        [sys.executable, "workflow/run_study.py", "--configfile", "my overlay.yaml"],
        cwd=study.folder, env=os.environ | environment, timeout=900,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout[-6000:]
    assert len(list(study.folder.rglob("report.html"))) == 1
    places = ODD[name].get("results", "results"), ODD[name].get("resources", "resources")
    assert set(os.listdir(study.folder)) - before <= {*places, "far away", ".snakemake"}
