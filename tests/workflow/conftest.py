"""A copy of the study in a folder of its own, to plan and to change."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.helpers import REPOSITORY

PARTS = ("Snakefile", "config.yaml", "config", "envs", "profiles", "scripts", "src", "workflow")


class Job(NamedTuple):
    """One planned job."""

    rule: str
    outputs: tuple[str, ...]


class Study:
    """A copy of what the workflow consists of, with its library code in use.

    Args:
        folder: where to put the copy.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        hidden = shutil.ignore_patterns("__pycache__", "*.egg-info", ".*")
        for part in PARTS:
            source = REPOSITORY / part
            if source.is_dir():
                shutil.copytree(source, folder / part, ignore=hidden)
            elif source.exists():
                shutil.copy(source, folder / part)

    def snakemake(self, *arguments, path=None, timeout=60):
        """Run Snakemake in the copy, importing the copy's library; ``path`` comes first on PATH."""
        environment = os.environ | {"PYTHONPATH": str(self.folder / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
        if path is not None:
            environment["PATH"] = f"{path}{os.pathsep}{environment['PATH']}"
        return subprocess.run(
            [sys.executable, "-m", "snakemake", *map(str, arguments)],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
        )

    def planned(self, *arguments, timeout=60) -> list[Job]:
        """What a run would do."""
        ended = self.snakemake("--dry-run", *arguments, timeout=timeout)
        assert ended.returncode == 0, ended.stdout
        jobs = [
            Job(rule, tuple(outputs.split(", ")) if outputs else ())
            for rule, outputs in re.findall(
                r"^(?:local)?rule (\w+):\n(?:    input: .*\n)?(?:    output: (.*)\n)?",
                ended.stdout,
                re.MULTILINE,
            )
        ]
        if "Nothing to be done" in ended.stdout:
            assert jobs == []
        else:
            assert f"\ntotal {len(jobs)}\n" in re.sub(" +", " ", ended.stdout)
        return jobs


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A fresh copy, in which nothing has been made."""
    return Study(tmp_path_factory.mktemp("study"))
