"""Outcomes of runs: completed or diverged."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.studies.super_resolution.metrics.tidy import read_records

KEYS = ("preset", "seed", "status", "steps", "step", "reason", "seconds", "final_test_loss")
STATUSES = ("completed", "diverged")


def read_runs(paths: Sequence[str | Path]) -> pd.DataFrame:
    """Read run records, one JSON file per run.

    Args:
        paths: files with the keys preset, seed, status, steps (planned), step (last finished, or the failing
            one), reason (null unless diverged), seconds, final_test_loss (null if diverged).

    Returns:
        A table with those columns, one row per file.

    Raises:
        ConfigurationError: when a file lacks a key or its status is neither ``completed`` nor ``diverged``.
    """
    runs = read_records(paths, KEYS, distinct=("preset", "seed"))
    for path, status in zip(paths, runs["status"], strict=True):
        if status not in STATUSES:
            raise ConfigurationError(f"{path}: status is '{status}', must be one of {', '.join(STATUSES)}.")
    return runs


def count_runs(runs: pd.DataFrame, presets: Mapping[str, int]) -> pd.DataFrame:
    """Count tried and successful runs of each preset.

    Args:
        runs: as ``read_runs`` returns them.
        presets: output crop of each preset.

    Returns:
        Columns preset, succeeded, tried; one row for each of ``presets`` in their order.
    """
    tried = runs["preset"].value_counts()
    succeeded = runs.loc[runs["status"] == "completed", "preset"].value_counts()
    names = list(presets)
    return pd.DataFrame(
        {
            "preset": names,
            "succeeded": succeeded.reindex(names, fill_value=0).to_numpy(),
            "tried": tried.reindex(names, fill_value=0).to_numpy(),
        }
    )
