"""Comparing presets with the baseline of the same output crop, on the seeds they share."""

from collections.abc import Mapping

import pandas as pd

from spatial_prediction.statistics.intervals import relative_difference

BASELINES: Mapping[int, str] = {0: "zero-repl", 1: "zero_oc1", 5: "zero_oc5"}
"""For each output crop, the preset that others are compared with, as published."""


def baseline_of(
    preset: str, presets: Mapping[str, int], baselines: Mapping[int, str] = BASELINES
) -> str | None:
    """Return the baseline of a preset, or None if the study has none for its output crop.

    Args:
        preset: one of ``presets``.
        presets: output crop of each preset.
        baselines: baseline of each output crop.
    """
    baseline = baselines.get(presets[preset])
    return baseline if baseline in presets else None


def common_seeds(values: pd.DataFrame) -> list[int]:
    """List the seeds, ascending, with which every preset of a table succeeded.

    A preset whose runs all diverged has no rows and so does not empty the list for the others.

    Args:
        values: columns preset and seed, and any others.
    """
    seeds = [set(group.tolist()) for _, group in values.groupby("preset")["seed"]]
    return sorted(set.intersection(*seeds)) if seeds else []


def differences_from_baseline(
    values: pd.DataFrame,
    presets: Mapping[str, int],
    baselines: Mapping[int, str] = BASELINES,
    *,
    rng_seed: int,
) -> pd.DataFrame:
    """Relative difference of each preset from the baseline of its output crop.

    Args:
        values: columns preset, seed, mse; one row per run.
        presets: output crop of each preset.
        baselines: baseline of each output crop.
        rng_seed: seed of the bootstrap.

    Returns:
        Columns preset, mean, low, high in percent, one row for each of ``presets`` in their order. NaN where
        the baseline or the preset has no successful run or they share no seed.
    """

    def of(preset: str | None) -> pd.Series:
        return values[values["preset"] == preset].set_index("seed")["mse"]

    rows = [
        (
            preset,
            *relative_difference(of(preset), of(baseline_of(preset, presets, baselines)), rng_seed=rng_seed),
        )
        for preset in presets
    ]
    return pd.DataFrame(rows, columns=["preset", "mean", "low", "high"])
