"""Claim: the default study through SLURM, interrupted on the way, gives the bits of a run without it.

Runs the whole study with the profile, on the machine's SLURM or one started for it; one training is
cancelled and one ended by its time limit once they have checkpoints. Every network and every table of errors
and losses is compared with those of a local run, which is made first unless it is given.

  python -m benchmarks.slurm_study --local results
"""

import argparse
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pandas
from tests.workflow.slurm import PROFILE, cancel, cluster, end_its_time, interrupt, unequal_arrays
from tests.workflow.study import Study

INTERRUPTED = {("repl", 0): cancel, ("lp2x3", 1): end_its_time}
TABLES = ("evaluation/**/*.parquet", "history/**/*.parquet")


def through_slurm(study: Study) -> None:
    """Run the study and report its jobs and interruptions."""
    waiting = dict(INTERRUPTED)
    with cluster(cpus=2), study.started(*PROFILE) as running:
        interrupt(study.folder, running, waiting, seconds=3 * 3600)
    printed = (study.folder / "printed.txt").read_text()
    if running.returncode or waiting:
        sys.exit(f"{printed}\nSnakemake ended with {running.returncode}; not interrupted: {list(waiting)}")
    jobs = re.findall(r"^total +(\d+)$", printed, re.MULTILINE)[0]
    states = Counter(re.findall(r"SLURM status is: '(\w+)'", printed))
    print(
        f"{jobs} jobs in {printed.count('has been submitted with SLURM jobid')} SLURM jobs; ended early:",
        states,
    )
    for preset, seed in INTERRUPTED:
        log = study.folder / f"results/logs/train_model/{preset}/seeds_{seed}.log"
        print(f"  {preset}, seed {seed}:", *re.findall(r"resuming at step \d+.*", log.read_text()))


def compare(results: Path, local: Path) -> bool:
    """Report what is equal, bit for bit."""
    networks = sorted(path.relative_to(local) for path in local.glob("models/**/*.safetensors"))
    different = [name for name in networks if unequal_arrays(results / name, local / name)]
    tables = sorted(path.relative_to(local) for pattern in TABLES for path in local.glob(pattern))
    different += [
        name
        for name in tables
        if not pandas.read_parquet(results / name).equals(pandas.read_parquet(local / name))
    ]
    print(f"{len(networks)} networks and {len(tables)} tables compared; different: {different or 'none'}")
    return bool(networks and tables and not different)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--local", type=Path, help="results of a local run of the default study")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        local = options.local
        if local is None:
            study = Study(Path(folder) / "local")
            study.snakemake("--cores", 2, timeout=3 * 3600).check_returncode()
            local = study.folder / "results"
        study = Study(Path(folder) / "slurm")
        (study.folder / "overlay.yaml").write_text("{}\n")
        through_slurm(study)
        sys.exit(0 if compare(study.folder / "results", local) else 1)


if __name__ == "__main__":
    main()
