"""Claim: training that is killed at any moment and started again ends with the same bits.

Trains a small network to the end once. Then, repeatedly, starts it afresh, ends it with a signal at a
random moment, starts it again, and compares all weights and losses bit by bit.

  python benchmarks/kill_and_resume.py
  python benchmarks/kill_and_resume.py --signal TERM
"""

import argparse
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from spatial_prediction.command import INTERRUPTED
from spatial_prediction.named_arrays import load_arrays

SCRIPT = Path(__file__).parent.parent / "scripts" / "train_model.py"
SETTINGS = {
    "preset": "zero-repl", "padding": "zero", "upscale-padding": "repl", "seeds": 0,
    "hidden-channels": 4, "blocks": 1, "steps": 300, "batch-size": 2, "warmup-steps": 5, "decay-start": 200,
    "test-every": 50, "checkpoint-every": 5,
}  # fmt: skip


def started(folder: Path, name: str) -> subprocess.Popen:
    options = SETTINGS | {
        **{kind: folder / f"{kind}.npy" for kind in ("train", "test")},
        "summary": folder / "summary.json",
        "checkpoints": folder / name / "checkpoints",
        "output": folder / name / "result",
    }
    words = [word for option, value in options.items() for word in (f"--{option}", str(value))]
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), *words],
        stderr=subprocess.DEVNULL,
        env=os.environ | {"SPATIAL_PREDICTION_COMPILED": str(folder / "compiled")},
    )


def fingerprint(folder: Path, name: str) -> str:
    arrays, _ = load_arrays(folder / name / "result" / "seed_0.safetensors")
    digest = hashlib.sha256()
    for key in sorted(arrays):
        digest.update(key.encode() + arrays[key].tobytes())
    return digest.hexdigest()


def newest_step(folder: Path, name: str) -> int:
    steps = (folder / name / "checkpoints").rglob("step_*.safetensors")
    return max((int(path.stem.removeprefix("step_")) for path in steps), default=0)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--signal", choices=["KILL", "TERM"], default="KILL")
    parser.add_argument("--runs", type=int, default=20)
    options = parser.parse_args()
    number = signal.Signals[f"SIG{options.signal}"]
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind in ("train", "test"):
            np.save(folder / f"{kind}.npy", rng.integers(0, 5000, (4, 200, 200, 3)).astype(np.int16))
        hashes = {kind: {"sha256": kind} for kind in ("train", "test")}
        (folder / "summary.json").write_text(json.dumps(hashes))
        assert started(folder, "compiling").wait() == 0
        process, begun = started(folder, "whole"), time.monotonic()
        while newest_step(folder, "whole") == 0:
            time.sleep(0.01)
        first = time.monotonic() - begun
        assert process.wait() == 0
        whole = time.monotonic() - begun
        expected = fingerprint(folder, "whole")
        equal = 0
        for run in range(options.runs):
            process = started(folder, f"run_{run}")
            while newest_step(folder, f"run_{run}") == 0 and process.poll() is None:
                time.sleep(0.005)
            time.sleep(rng.uniform(0, 0.9 * (whole - first)))
            process.send_signal(number)
            ended = process.wait()
            reached = newest_step(folder, f"run_{run}")
            assert ended in {0, -number} | ({INTERRUPTED} if options.signal == "TERM" else set())
            assert started(folder, f"run_{run}").wait() == 0
            same = fingerprint(folder, f"run_{run}") == expected
            equal += same
            how = "had finished" if ended == 0 else f"exit code {ended}, checkpoint at step {reached}"
            print(f"run {run}: {how}; resumed: {'the same bits' if same else 'DIFFERENT'}", flush=True)
    print(f"{equal} of {options.runs} runs, ended by SIG{options.signal}, have the bits of the whole run")


if __name__ == "__main__":
    main()
