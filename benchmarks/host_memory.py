"""Claim: the memory of training does not grow with the number of scenes, here the published 10,000.

Trains some steps at the published batch size from sparse files of the published size, as a study does, and
prints the peak memory of the process, including device buffers if the device is the CPU.

  python benchmarks/host_memory.py
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from peers.peak_memory import peak_memory

from spatial_prediction import command
from spatial_prediction.studies.super_resolution.config import ModelSettings
from spatial_prediction.studies.super_resolution.presets import PRESETS
from spatial_prediction.studies.super_resolution.stages.training_run import train_runs
from spatial_prediction.training_settings import TrainingSettings


def sparse_scenes(path: Path, count: int) -> None:
    shape = (count, 512, 512, 3)
    with open(path, "wb") as file:
        header = {"descr": "<i2", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.tell() + 2 * int(np.prod(shape)))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--preset", default="zero-repl")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--batch", type=int, default=64)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sparse_scenes(folder / "train.npy", 9000)
        sparse_scenes(folder / "test.npy", 1000)
        started = time.perf_counter()
        train_runs(
            options.preset,
            PRESETS[options.preset],
            seeds=[0],
            model_settings=ModelSettings(),
            settings=TrainingSettings(
                steps=options.steps, batch_size=options.batch, warmup_steps=1, decay_start=options.steps - 1
            ),
            train_path=folder / "train.npy",
            test_path=folder / "test.npy",
            data_hash="",
            code_hash="",
            checkpoint_root=folder / "checkpoints",
            output=folder / "output",
        )
    peak = peak_memory() * 1024**2
    print(
        f"peak host memory {peak / 1e9:.2f} GB, {options.steps} steps of {options.batch} tiles and tests of "
        f"1,000 in {time.perf_counter() - started:.0f} s"
    )


if __name__ == "__main__":
    command.take_job_environment()
    main()
