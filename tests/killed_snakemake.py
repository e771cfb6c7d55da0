"""Kill Snakemake in the middle of a small study, start the study again, and compare all bits.

A study runs to its end once. Then, time after time, a fresh one is started as make study does, its Snakemake
is killed (SIGKILL) at a random moment, and it is started once more. Models, histories and evaluations must
have the bits of the first. The jobs of a Snakemake that is killed live on as orphans, or are killed with it.

  python -m tests.killed_snakemake --trials 20
"""

import argparse
import contextlib
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import psutil
import yaml

from spatial_prediction.named_arrays import load_arrays
from tests.workflow.odd_configurations import TINY
from tests.workflow.study import Study, merged

SETTINGS = merged(
    TINY,
    {
        "seeds": [0, 1],
        "training": {
            "steps": 120,
            "decay_start": 80,
            "test_every": 40,
            "checkpoint_every": 10,
            "seeds_per_job": 2,
        },
        "results": "my results",
        "resources": "my resources",
    },
)
TARGETS = ("my results/evaluation/mse.parquet",)
MODES = ("orphaned", "killed")


def prepared(folder: Path) -> Study:
    """A study that nothing has been made of."""
    study = Study(folder)
    (folder / "overlay.yaml").write_text(yaml.safe_dump(SETTINGS))
    return study


def started(study: Study) -> subprocess.Popen:
    """Start it, in a process group of its own."""
    command = [sys.executable, "workflow/run_study.py", "--configfile", "overlay.yaml", "--", *TARGETS]
    environment = {
        "PYTHONPATH": str(study.folder / "src"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
    }
    with open(study.folder / "printed.txt", "ab") as printed:
        return subprocess.Popen(
            command,
            cwd=study.folder,
            env=os.environ | environment,
            stdout=printed,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def fingerprint(folder: Path) -> dict[str, str]:
    """Hashes of what the study has made, without the times that some files record."""
    hashes = {}
    results = folder / "my results"
    for path in sorted(results.glob("models/**/*.safetensors")):
        digest = hashlib.sha256()
        arrays, _ = load_arrays(path)
        for name in sorted(arrays):
            digest.update(name.encode() + str(arrays[name].dtype).encode() + arrays[name].tobytes())
        hashes[str(path.relative_to(results))] = digest.hexdigest()
    for path in sorted([*results.glob("evaluation/**/*.parquet"), *results.glob("history/**/*.parquet")]):
        table = pd.read_parquet(path)
        digest = hashlib.sha256(pd.util.hash_pandas_object(table).to_numpy().tobytes())
        hashes[str(path.relative_to(results))] = digest.hexdigest()
    return hashes


def kill(running: subprocess.Popen, mode: str) -> list[str]:
    """Kill the study's Snakemake, and its jobs unless they are to be orphaned; return what scripts ran."""
    commands = {}
    for child in psutil.Process(running.pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it has ended by now
            commands[child] = child.cmdline()
    words = [word for command in commands.values() for word in command]
    scripts = {word for word in words if word.startswith("scripts/") and word.endswith(".py")}
    if mode == "killed":
        os.killpg(running.pid, signal.SIGKILL)
    else:
        snakemake = next(child for child, command in commands.items() if "snakemake" in command)
        snakemake.kill()
    running.wait()
    return sorted(scripts)


def trial(folder: Path, mode: str, wait: float, compiled: Path) -> tuple[dict[str, str], str]:
    """Kill a fresh study after so many seconds, start it again; return its fingerprint and what happened."""
    study = prepared(folder)
    shutil.copytree(compiled, folder / compiled.relative_to(compiled.parents[1]))
    running = started(study)
    end = time.monotonic() + wait
    while time.monotonic() < end and running.poll() is None:
        time.sleep(0.05)
    if running.poll() is not None:
        return fingerprint(folder), f"had finished with exit code {running.returncode}"
    at_work = kill(running, mode)
    locked = any((folder / ".snakemake/locks").glob("*"))
    code = started(study).wait()
    printed = (folder / "printed.txt").read_text()
    told = [word for word in ("Removing a lock", "waiting for them to end") if word in printed]
    what = f"{', '.join(at_work) or 'no job'} at work, {'locked' if locked else 'not locked'}"
    return fingerprint(folder), f"{what}; said {told}; again: exit code {code}"


def main() -> None:
    """Run the trials that the arguments ask for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=20, help="kills, of either kind in turn")
    parser.add_argument("--seed", type=int, default=0, help="of the moments at which to kill")
    options = parser.parse_args()
    moments = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as name:
        whole = Path(name, "whole")
        compiled = whole / "my resources" / "compiled_programs"
        assert started(prepared(whole)).wait() == 0, (whole / "printed.txt").read_text()
        for part in ("my results", ".snakemake", "my resources/checkpoints", "my resources/arrays"):
            shutil.rmtree(whole / part)  # once more, with all programs compiled: so long a study takes
        begun = time.monotonic()
        assert started(prepared_again(whole)).wait() == 0
        seconds = time.monotonic() - begun
        expected = fingerprint(whole)
        print(f"a study without interruption: {seconds:.0f} s, {len(expected)} files compared", flush=True)
        equal = 0
        for number in range(options.trials):
            mode, wait = MODES[number % 2], moments.uniform(0.15, 0.85) * seconds
            found, what = trial(Path(name, f"trial_{number}"), mode, wait, compiled)
            equal += found == expected
            same = "the same bits" if found == expected else "DIFFERENT"
            print(f"{number}: jobs {mode} after {wait:.1f} s, {what}: {same}", flush=True)
            shutil.rmtree(Path(name, f"trial_{number}"), ignore_errors=True)
    print(f"{equal} of {options.trials} studies whose Snakemake was killed have the bits of the whole one")
    sys.exit(equal != options.trials)


def prepared_again(folder: Path) -> Study:
    """The study that lies in the folder already."""
    study = object.__new__(Study)
    study.folder = folder
    return study


if __name__ == "__main__":
    main()
