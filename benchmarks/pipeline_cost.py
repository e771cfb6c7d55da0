"""Claim: the pipeline itself costs little: planning, doing nothing, starting jobs, compiling.

Measures dry runs of the default and of the published study, a run with nothing to do, the start of every
script (imports, up to its arguments), and a training and an evaluation job with an empty and with a filled
folder of compiled programs. Times are the least of some runs; CPU times are user plus system time.

  python -m benchmarks.pipeline_cost
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.helpers import REPOSITORY
from tests.workflow.study import MadeStudy

PAPER = ("--dry-run", "--configfile", "config/paper.yaml", "--quiet")
DEFAULT = ("--dry-run", "--quiet")
TINY_DATA = ("--size", "512", "--test-scenes", "1", "--permutation-seed", "0")
TINY_TRAINING = (
    "--preset", "lp2x3", "--padding", "lp2x3", "--upscale-padding", "lp2x3", "--steps", "2",
    "--batch-size", "4", "--warmup-steps", "1", "--decay-start", "1", "--test-every", "1",
)  # fmt: skip


def measured(command: list[object], folder: Path, **environment: str) -> tuple[float, float]:
    """Run a command; return wall-clock seconds and CPU seconds."""

    def processors() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    clock, before = time.perf_counter(), processors()
    ended = subprocess.run(
        list(map(str, command)), cwd=folder, env=os.environ | environment, capture_output=True, text=True
    )
    if ended.returncode:
        sys.exit(f"{command}: {ended.stderr}{ended.stdout}")
    return time.perf_counter() - clock, processors() - before


def least(command: list[object], folder: Path, times: int, **environment: str) -> tuple[float, float]:
    runs = [measured(command, folder, **environment) for _ in range(times)]
    return min(clock for clock, _ in runs), min(processors for _, processors in runs)


def show(what: str, seconds: tuple[float, float]) -> None:
    print(f"| {what} | {seconds[0]:.2f} | {seconds[1]:.2f} |", flush=True)


def planning(folder: Path, times: int) -> None:
    made = MadeStudy(folder)
    snakemake = [sys.executable, "-m", "snakemake"]
    environment = {"PYTHONPATH": str(folder / "src")}
    show("dry run, published study (877 jobs)", least([*snakemake, *PAPER], folder, times, **environment))
    show("dry run, default study (80 jobs)", least([*snakemake, *DEFAULT], folder, times, **environment))
    (folder / "overlay.yaml").write_text("{}\n")
    made.make()
    nothing = [*snakemake, "--cores", "2", "--configfile", "overlay.yaml", "--quiet", "all"]
    show("run with nothing to do, default study", least(nothing, folder, times, **environment))


def starting(folder: Path, times: int) -> None:
    show("start of Python", least([sys.executable, "-c", ""], folder, times))
    for script in sorted((REPOSITORY / "scripts" / "super_resolution").glob("*.py")):
        show(f"start of `{script.stem}`", least([sys.executable, script, "--help"], folder, times))


def compiling(folder: Path) -> None:
    def script(name: str, *arguments: object, **environment: str) -> tuple[float, float]:
        return measured(
            [sys.executable, REPOSITORY / "scripts" / "super_resolution" / f"{name}.py", *arguments],
            folder,
            **environment,
        )

    arrays = ("--train", "train.npy", "--test", "test.npy", "--summary", "summary.json")
    script("build_synthetic_scenes", "--directory", "scenes", "--scenes", 3, "--seed", 0)
    script("build_arrays", "--scenes", "scenes", *TINY_DATA, *arrays)
    for seed, folder_of_programs in enumerate(("empty", "filled")):
        programs = {"SPATIAL_PREDICTION_COMPILED": str(folder / "programs")}
        trained = f"trained_{seed}"
        seconds = script(
            "train_model", *TINY_TRAINING, *arrays, "--seeds", seed, "--checkpoints", "checkpoints",
            "--output", trained, **programs,
        )  # fmt: skip
        show(f"training of 2 steps, {folder_of_programs} folder of programs", seconds)
        model = f"model_{seed}.safetensors"
        exported = ("--model", model, "--history", "history.parquet", "--run", "run.json")
        script("export_model", "--training", f"{trained}/seed_{seed}.safetensors", *exported)
        seconds = script(
            "evaluate_mse", "--models", model, *arrays[2:], "--low-res-size", 48, "--batch-size", 24,
            "--output", "mse.parquet", **programs,
        )  # fmt: skip
        show(f"evaluation of 1 scene, {folder_of_programs} folder of programs", seconds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure what the pipeline itself costs.")
    parser.add_argument("--times", type=int, default=3, help="runs, of which the least time counts")
    options = parser.parse_args()
    print("| what | seconds | of processors |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as study, tempfile.TemporaryDirectory() as files:
        planning(Path(study), options.times)
        starting(Path(files), options.times)
        compiling(Path(files))
