"""Networks against bilinear upscaling, which needs no training: what every network must beat."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.statistics.intervals import bootstrap_interval
from spatial_prediction.studies.super_resolution.metrics.shells import mse_by_crop, mse_by_shell
from spatial_prediction.studies.super_resolution.metrics.tidy import read_table


def read_bilinear(path: str | Path) -> pd.DataFrame:
    """Read the test errors of bilinear upscaling.

    Args:
        path: the Parquet file that ``evaluate_bilinear.py`` wrote.

    Returns:
        Columns preset, seed, image, output_crop, sum_of_squares, pixel_count.

    Raises:
        ConfigurationError: when the file is not such a table, or has no predictor or more than one.
    """
    errors = read_table(path, "mse")
    predictors = errors[["preset", "seed"]].drop_duplicates()
    if len(predictors) != 1:
        raise ConfigurationError(
            f"{path}: holds the errors of {len(predictors)} runs, must be those of one; "
            "name the table that evaluate_bilinear.py wrote."
        )
    return errors


def bilinear_by_crop(errors: pd.DataFrame) -> dict[int, float]:
    """Test MSE of bilinear upscaling at each output crop.

    Args:
        errors: as ``read_bilinear`` gives them.
    """
    crops = mse_by_crop(errors)
    return dict(zip(crops["output_crop"].tolist(), crops["mse"].tolist(), strict=True))


def bilinear_by_shell(errors: pd.DataFrame) -> pd.DataFrame:
    """Test MSE of bilinear upscaling in each shell: columns shell, mse.

    Args:
        errors: as ``read_bilinear`` gives them.
    """
    return mse_by_shell(errors)[["shell", "mse"]]


def against_bilinear(
    test_mse: pd.DataFrame, presets: Mapping[str, int], bilinear: Mapping[int, float]
) -> pd.DataFrame:
    """Compare each run with bilinear upscaling over the area that its preset keeps.

    Args:
        test_mse: columns preset, seed, mse, as ``mse_at_own_crop`` gives them.
        presets: output crop of each preset; rows of other presets are left out.
        bilinear: MSE of bilinear upscaling by output crop.

    Returns:
        Columns preset, seed, mse, beaten (whether the run's MSE is below that of bilinear upscaling) and
        difference (``100 (mse / bilinear - 1)`` percent; NaN if bilinear upscaling has no error).
    """
    runs = test_mse[test_mse["preset"].isin(list(presets))].reset_index(drop=True)
    reference = runs["preset"].map({preset: bilinear[crop] for preset, crop in presets.items()}).astype(float)
    return runs.assign(
        beaten=runs["mse"] < reference,
        difference=100 * (runs["mse"] / reference.where(reference > 0, np.nan) - 1),
    )


def differences_from_bilinear(
    test_mse: pd.DataFrame, presets: Mapping[str, int], bilinear: Mapping[int, float], *, rng_seed: int
) -> pd.DataFrame:
    """Difference of each preset from bilinear upscaling, over its successful runs.

    Args:
        test_mse: columns preset, seed, mse.
        presets: output crop of each preset.
        bilinear: MSE of bilinear upscaling by output crop.
        rng_seed: seed of the bootstrap.

    Returns:
        Columns preset, mean, low, high in percent; one row for each of ``presets`` in their order, NaN where
        no run succeeded.
    """
    compared = against_bilinear(test_mse, presets, bilinear).dropna(subset=["difference"])
    rows = [
        (
            preset,
            *bootstrap_interval(compared.loc[compared["preset"] == preset, "difference"], rng_seed=rng_seed),
        )
        for preset in presets
    ]
    return pd.DataFrame(rows, columns=["preset", "mean", "low", "high"])
