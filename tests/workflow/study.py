"""A copy of the study in a folder of its own, to plan, to make in no time, and to change."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import yaml
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
        folder.mkdir(parents=True, exist_ok=True)
        hidden = shutil.ignore_patterns("__pycache__", "*.egg-info", ".*")
        for part in PARTS:
            source = REPOSITORY / part
            if source.is_dir():
                shutil.copytree(source, folder / part, ignore=hidden)
            elif source.exists():
                shutil.copy(source, folder / part)

    def _call(self, arguments, path=None):
        environment = os.environ | {"PYTHONPATH": str(self.folder / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
        if path is not None:
            environment["PATH"] = f"{path}{os.pathsep}{environment['PATH']}"
        command = [sys.executable, "-m", "snakemake", *map(str, arguments)]
        return {
            "args": command,
            "cwd": self.folder,
            "env": environment,
            "stderr": subprocess.STDOUT,
            "text": True,
        }

    def run_study(self, *arguments, path=None, timeout=100):
        """Run the study as make does."""
        call = self._call((), path)
        call["args"] = [sys.executable, "workflow/run_study.py", *map(str, arguments)]
        return subprocess.run(**call, stdout=subprocess.PIPE, timeout=timeout)

    def snakemake(self, *arguments, path=None, timeout=60):
        """Run Snakemake in the copy, importing the copy's library; ``path`` comes first on PATH."""
        return subprocess.run(**self._call(arguments, path), stdout=subprocess.PIPE, timeout=timeout)

    @contextlib.contextmanager
    def started(self, *arguments):
        """Start Snakemake; what it prints goes to ``printed.txt``, and it ends with the block."""
        with (
            open(self.folder / "printed.txt", "w") as printed,
            subprocess.Popen(**self._call(arguments), stdout=printed) as running,
        ):
            try:
                yield running
            finally:
                if running.poll() is None:
                    running.kill()

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


PRESETS = ["zero-repl", "repl", "zero_oc5"]
SEEDS = [0, 1]
OVERLAY = {
    "dataset": {"test_scenes": 1, "synthetic": {"scenes": 3}},
    "presets": PRESETS,
    "seeds": SEEDS,
    "evaluation": {"nmse_presets": ["zero_oc5"]},
    "timing": {"presets": ["zero-repl", "zero_oc5"]},
    "figures": {"sample_scenes": [0]},
}

MAKER = """
# Make every file that the arguments name and that is not there: before a job, its outputs are not.
import base64, os, pathlib, sys
assert pathlib.Path(os.environ["PYTHONPATH"].partition(":")[0]).samefile("src")
options, name = {}, None
for argument in sys.argv[2:]:
    if argument.startswith("--"):
        name, given, value = argument[2:].partition("=")
        options[name] = [value] if given else []
    else:
        options[name].append(argument)
names = ("output", "train", "test", "summary", "model", "history", "run", "manifest", "costs")
files = [path for name in names for path in options.get(name, [])]
files += [f"{options['figure'][0]}.{format}" for format in options.get("formats", []) if "figure" in options]
files += [f"{options['table'][0]}.{format}" for format in ("csv", "html", "md", "tex") if "table" in options]
if "directory" in options:
    files += [f"{options['directory'][0]}/{index:06d}.nc" for index in range(int(options["scenes"][0]))]
files += options.get("note", [])
if "seeds" in options:
    folder = pathlib.Path(options["output"][0])
    folder.mkdir(parents=True)
    files = [folder / f"seed_{seed}.safetensors" for seed in options["seeds"]]
picture = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
for path in map(pathlib.Path, files):
    if not path.exists():
        path.write_bytes(base64.b64decode(picture) if path.suffix == ".png" else str(path).encode())
"""


class MadeStudy(Study):
    """A study that is up to date, and changes of it that last for one block.

    A stand-in for Python makes every declared output at once, so that Snakemake records a whole study in
    seconds.
    """

    def __init__(self, folder):
        super().__init__(folder)
        self.configure()

    def configure(self, **changes):
        """Write the overlay with other values; mappings are merged, all else is replaced."""
        (self.folder / "overlay.yaml").write_text(yaml.safe_dump(merged(OVERLAY, changes)))

    def make(self, *arguments):
        """Make all files."""
        return self.run_with_stand_in("--cores", 2, "--configfile", "overlay.yaml", *arguments)

    def run_with_stand_in(self, *arguments, timeout=300):
        """Run Snakemake with a Python that makes outputs and nothing else."""
        ended = self.snakemake(*arguments, path=self.stand_in(), timeout=timeout)
        assert ended.returncode == 0, ended.stdout
        return ended.stdout

    def stand_in(self):
        """Folder of that Python."""
        tools = self.folder / "tools"
        tools.mkdir(exist_ok=True)
        (tools / "maker.py").write_text(MAKER)
        (tools / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" -IS "{tools}/maker.py" "$@"\n')
        (tools / "python").chmod(0o755)
        return tools

    def jobs(self, *arguments):
        """What is to be made anew; the target that only names others is left out."""
        planned = self.planned("--configfile", "overlay.yaml", *arguments)
        return [job for job in planned if job.rule != "all"]

    def counts(self, *arguments):
        """Number of jobs of each rule that has any."""
        return dict(Counter(job.rule for job in self.jobs(*arguments)))

    @contextlib.contextmanager
    def edited(self, path, text="\nEDITED = True\n"):
        """Append ``text`` to a file of the copy."""
        file = self.folder / path
        content, times = file.read_bytes(), file.stat()
        file.write_bytes(content + text.encode())
        try:
            yield
        finally:
            file.write_bytes(content)
            os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))

    @contextlib.contextmanager
    def deleted(self, path):
        """Take a file away."""
        file = self.folder / path
        aside = file.with_name(f"{file.name}.aside")
        file.rename(aside)
        try:
            yield
        finally:
            aside.rename(file)

    @contextlib.contextmanager
    def touched(self, *patterns, by=0.0):
        """Give files one time, which it is or would be ``by`` seconds later."""
        now = time.time() + by
        paths = [path for pattern in patterns for path in self.folder.glob(pattern) if path.is_file()]
        before = {path: path.stat() for path in paths}
        for path in paths:
            os.utime(path, times=(now, now))
        try:
            yield
        finally:
            for path, times in before.items():
                os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    @contextlib.contextmanager
    def configured(self, **changes):
        """Have other values in the overlay."""
        self.configure(**changes)
        try:
            yield
        finally:
            self.configure()


def merged(base, changes):
    both = {
        key: merged(base.get(key, {}), value) for key, value in changes.items() if isinstance(value, dict)
    }
    return base | changes | both
