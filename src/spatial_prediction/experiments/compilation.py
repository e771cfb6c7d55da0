"""Compiled programs kept on disk, so that the jobs of a study compile each of them once."""

import os
from pathlib import Path

import jax

FOLDER_VARIABLE = "SPATIAL_PREDICTION_COMPILED"


def keep_compiled_programs() -> None:
    """Keep compiled programs in the folder named by ``SPATIAL_PREDICTION_COMPILED``, if it is set.

    Seeds of one preset run the same program, so the second job starts sooner. A program from the folder
    gives the same bits as one compiled afresh on the same machine.
    """
    if folder := os.environ.get(FOLDER_VARIABLE):
        Path(folder).mkdir(parents=True, exist_ok=True)
        jax.config.update("jax_compilation_cache_dir", folder)
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.5)
