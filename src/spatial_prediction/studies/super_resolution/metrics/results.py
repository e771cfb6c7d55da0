"""The study's two summary tables as numbers; ``figures.tables`` turns them into text."""

from collections.abc import Mapping

import pandas as pd

from spatial_prediction.statistics.intervals import intervals_by
from spatial_prediction.studies.super_resolution.metrics.bilinear import differences_from_bilinear
from spatial_prediction.studies.super_resolution.metrics.comparison import (
    BASELINES,
    baseline_of,
    common_seeds,
    differences_from_baseline,
)
from spatial_prediction.studies.super_resolution.metrics.runs import count_runs
from spatial_prediction.studies.super_resolution.metrics.shells import mse_at_own_crop, mse_by_shell


def general_results(
    errors: pd.DataFrame,
    runs: pd.DataFrame,
    training: pd.DataFrame,
    inference: pd.DataFrame,
    presets: Mapping[str, int],
    baselines: Mapping[int, str] = BASELINES,
    bilinear: Mapping[int, float] | None = None,
    *,
    rng_seed: int,
) -> pd.DataFrame:
    """Gather cost and accuracy of each preset.

    Args:
        errors: columns preset, seed, image, output_crop, sum_of_squares, pixel_count.
        runs: as ``read_runs`` returns them.
        training: as ``read_timings`` returns them for training; presets may be absent.
        inference: the same for inference.
        presets: output crop of each preset.
        baselines: baseline of each output crop.
        bilinear: MSE of bilinear upscaling by output crop; None if it was not evaluated.
        rng_seed: seed of the bootstrap.

    Returns:
        One row for each of ``presets`` in their order, with the columns

        - preset, output_crop, baseline (its name, missing if there is none), succeeded, tried;
        - training_ and inference_ each with batch_size, images_per_second, pixels_per_second, relative_time;
        - mse_mean, mse_low, mse_high: test MSE over the kept area, on the preset's own successful seeds;
        - difference_mean, difference_low, difference_high: that MSE against the baseline's, in percent on
          common seeds;
        - shell_difference_mean, shell_difference_low, shell_difference_high: the same for the outermost kept
          shell;
        - bilinear_difference_mean, bilinear_difference_low, bilinear_difference_high: that MSE against
          bilinear upscaling's, in percent; only if ``bilinear`` is given.
    """
    own = mse_at_own_crop(errors, presets)
    kept_shell = _outermost_kept_shell(errors, presets)
    parts = [
        count_runs(runs, presets),
        training.set_index("preset").add_prefix("training_").reset_index(),
        inference.set_index("preset").add_prefix("inference_").reset_index(),
        _prefixed(intervals_by(own, ["preset"], "mse", rng_seed=rng_seed), "mse_"),
        _prefixed(differences_from_baseline(own, presets, baselines, rng_seed=rng_seed), "difference_"),
        _prefixed(
            differences_from_baseline(kept_shell, presets, baselines, rng_seed=rng_seed), "shell_difference_"
        ),
    ]
    if bilinear is not None:
        differences = differences_from_bilinear(own, presets, bilinear, rng_seed=rng_seed)
        parts.append(_prefixed(differences, "bilinear_difference_"))
    results = pd.DataFrame(
        {
            "preset": list(presets),
            "output_crop": list(presets.values()),
            "baseline": [baseline_of(preset, presets, baselines) for preset in presets],
        }
    )
    for part in parts:
        results = results.merge(part, on="preset", how="left", validate="one_to_one")
    return results


def common_seeds_by_crop(values: pd.DataFrame, presets: Mapping[str, int]) -> dict[int, list[int]]:
    """List, for each output crop, the seeds with which all its presets succeeded.

    Presets without any successful run are ignored.

    Args:
        values: columns preset and seed, and any others.
        presets: output crop of each preset.
    """
    crop = values["preset"].map(dict(presets))
    return {
        output_crop: common_seeds(values[crop == output_crop])
        for output_crop in sorted(set(presets.values()))
    }


def shell_results(errors: pd.DataFrame, presets: Mapping[str, int], *, rng_seed: int) -> pd.DataFrame:
    """Test MSE of each preset by shell, on the seeds that the presets of an output crop have in common.

    Args:
        errors: columns preset, seed, image, output_crop, sum_of_squares, pixel_count.
        presets: output crop of each preset; rows of other presets are left out.
        rng_seed: seed of the bootstrap.

    Returns:
        Columns preset, shell, mean, low, high, seeds. A preset without a common seed has no rows.
    """
    shells = mse_by_shell(errors[errors["preset"].isin(list(presets))])
    chosen = common_seeds_by_crop(shells, presets)
    groups = [
        shells[(shells["preset"] == preset) & shells["seed"].isin(chosen[crop])]
        for preset, crop in presets.items()
    ]
    return intervals_by(pd.concat(groups), ["preset", "shell"], "mse", rng_seed=rng_seed)


def _outermost_kept_shell(errors: pd.DataFrame, presets: Mapping[str, int]) -> pd.DataFrame:
    shells = mse_by_shell(errors[errors["preset"].isin(list(presets))])
    return shells[shells["shell"] == shells["preset"].map(dict(presets))]


def _prefixed(intervals: pd.DataFrame, prefix: str) -> pd.DataFrame:
    renamed = {name: prefix + name for name in ("mean", "low", "high")}
    return intervals.rename(columns=renamed)[["preset", *renamed.values()]]
