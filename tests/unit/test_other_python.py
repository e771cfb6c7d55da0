"""``tests/other_python.sh`` finds an interpreter of the version asked for, or says that there is none."""

import os
import shutil
import subprocess

import pytest
from tests.helpers import REPOSITORY

# Stand-ins: an interpreter that knows its version, and a `make` whose environment has a talkative one.
INTERPRETER = """#!/bin/sh
echo 3.99
"""
MAKE = """#!/bin/sh
echo "make $*"
mkdir -p .venv-3.99/bin
cp "$INSTALLED" .venv-3.99/bin/python
"""
INSTALLED = """#!/bin/sh
echo "$@"
echo "${PATH%%:*}"
"""


@pytest.fixture
def other_python(tmp_path):
    """Run the script in a folder with nothing but itself; programs of the folder's bin come first on PATH."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "bin").mkdir()
    script = shutil.copy(REPOSITORY / "tests" / "other_python.sh", tmp_path / "tests")

    def run(*arguments, **environment):
        path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            [script, *arguments],
            env=os.environ | {"PATH": path} | environment,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


def write_program(path, text):
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_a_version_that_cannot_be_had_is_told_in_one_line(other_python):
    ended = other_python("3.99")
    assert (ended.returncode, ended.stdout) == (1, "")
    (line,) = ended.stderr.splitlines()
    assert line.startswith("error: no Python 3.99 on PATH or in pyenv; name one: PYTHON=")


@pytest.mark.parametrize("arguments", [(), ("12",), ("-m", "not slow")])
def test_a_version_must_be_named(other_python, arguments):
    ended = other_python(*arguments)
    assert ended.returncode == 2
    assert "tests/other_python.sh 3.12" in ended.stderr


@pytest.mark.parametrize("named", [False, True], ids=["on PATH", "named"])
def test_the_tests_run_in_an_environment_of_that_version(other_python, tmp_path, named):
    write_program(tmp_path / "bin" / "make", MAKE)
    python = write_program(tmp_path / ("own" if named else "bin/python3.99"), INTERPRETER)
    environment = {"INSTALLED": str(write_program(tmp_path / "installed", INSTALLED))}
    if named:
        environment["PYTHON"] = str(python)
    ended = other_python("3.99", "-m", "not slow", **environment)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == [
        f"make setup PYTHON={python if named else 'python3.99'} VENV=.venv-3.99",
        "-m pytest -n 2 -m not slow",
        str(tmp_path / ".venv-3.99/bin"),
    ]


def test_an_interpreter_of_another_version_is_passed_over(other_python, tmp_path):
    write_program(tmp_path / "bin" / "python3.98", INTERPRETER)
    assert other_python("3.98").returncode == 1
