"""What make hands to the program that runs the study."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from tests.helpers import REPOSITORY

PROGRAM = f"""#!{sys.executable}
import json, sys
print(json.dumps(sys.argv[1:]))
"""

OF_MAKE = ("CONFIG", "ARGS", "STUDY", "MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL")
"""Variables that a make which runs the tests would hand to the one that is tested."""

STUDY = ["workflow/run_study.py"]


@pytest.fixture
def called(tmp_path):
    """A function that calls make where an environment is set up, and returns arguments of its Python."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(REPOSITORY / name, tmp_path / name)
    program = tmp_path / ".venv" / "bin" / "python"
    program.parent.mkdir(parents=True)
    program.write_text(PROGRAM)
    program.chmod(0o755)
    for stamp in (".installed", ".kernels"):
        (tmp_path / ".venv" / stamp).touch()

    def call(*arguments):
        ended = subprocess.run(
            ["make", *arguments], cwd=tmp_path, stdout=subprocess.PIPE, text=True, check=True,
            env={name: value for name, value in os.environ.items() if name not in OF_MAKE},
        )  # fmt: skip
        return json.loads(ended.stdout)

    return call


@pytest.mark.parametrize("name", ["my config.yaml", "one.yaml two.yaml", """it's "mine" & yours; *.yaml"""])
def test_an_overlay_stays_one_argument_whatever_the_shell_makes_of_it(called, name):
    assert called("plan", f"CONFIG={name}") == [*STUDY, f"--configfile={name}", "--plan", "--"]
    assert called("study", f"CONFIG={name}") == [*STUDY, f"--configfile={name}", "--"]


def test_which_study_is_named(called):
    assert called("study", "STUDY=all") == ["workflow/run_study.py", "--study", "all", "--"]


def test_further_arguments_go_to_snakemake(called):
    assert called("study") == [*STUDY, "--"]
    assert called("study", "ARGS=--unlock") == [*STUDY, "--", "--unlock"]
    assert called("study", "ARGS=--until build_arrays") == [*STUDY, "--", "--until", "build_arrays"]
    assert called("plan", "ARGS=--config seeds='[0, 1]'") == [
        *STUDY,
        "--plan",
        "--",
        "--config",
        "seeds=[0, 1]",
    ]
