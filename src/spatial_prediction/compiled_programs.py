"""Compiled programs kept on disk, so that the jobs of a study compile each of them once."""

import hashlib
import os
import platform
from pathlib import Path

import jax

from spatial_prediction.files import write_errors_named

FOLDER_VARIABLE = "SPATIAL_PREDICTION_COMPILED"

PROCESSORS = Path("/proc/cpuinfo")


def keep_compiled_programs() -> None:
    """Keep compiled programs in the folder named by ``SPATIAL_PREDICTION_COMPILED``, if it is set.

    Seeds of one preset run the same program, so the second job starts sooner. A program from the folder
    gives the same bits as one compiled afresh on the same machine. Each kind of processor has a folder of its
    own within, because a program may use instructions that another node of a cluster does not have.
    """
    if folder := os.environ.get(FOLDER_VARIABLE):
        programs = Path(folder, kind_of_processor())
        with write_errors_named(programs):
            programs.mkdir(parents=True, exist_ok=True)
        jax.config.update("jax_compilation_cache_dir", str(programs))
        # Small ones too: a job has dozens, and they add up to seconds.
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)


def kind_of_processor() -> str:
    """Name what programs are compiled for: the architecture, and a hash of what the processor can do."""
    can_do = ""
    if PROCESSORS.exists():
        lines = PROCESSORS.read_text(encoding="utf-8").splitlines()
        wanted = ("flags", "Features", "model name", "CPU part")
        can_do = "\n".join(sorted({line for line in lines if line.startswith(wanted)}))
    return f"{platform.machine()}-{hashlib.sha256(can_do.encode()).hexdigest()[:8]}"
