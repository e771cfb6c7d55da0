"""Test MSE by output crop and by shell (the package's docstring defines both)."""

from collections.abc import Mapping

import pandas as pd

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.studies.super_resolution.config import LARGEST_OUTPUT_CROP

INNERMOST_SHELL = LARGEST_OUTPUT_CROP
"""The last shell, not a ring but all that the largest stored output crop keeps."""


def mse_by_crop(errors: pd.DataFrame) -> pd.DataFrame:
    """Mean squared error of each run at each output crop, over all images.

    Args:
        errors: columns preset, seed, image, output_crop, sum_of_squares, pixel_count.

    Returns:
        Columns preset, seed, output_crop, mse, pixel_count.
    """
    sums = _sums_by_crop(errors)
    sums["mse"] = sums["sum_of_squares"] / sums["pixel_count"]
    return sums[["preset", "seed", "output_crop", "mse", "pixel_count"]]


def mse_by_shell(errors: pd.DataFrame) -> pd.DataFrame:
    """Mean squared error of each run in each shell, over all images.

    Args:
        errors: columns preset, seed, image, output_crop, sum_of_squares, pixel_count, with all output
            crops of every run, 0 to ``INNERMOST_SHELL``.

    Returns:
        Columns preset, seed, shell, mse, pixel_count. The MSE of output crop c is the mean of the shells from
        c on, weighted by ``pixel_count``.

    Raises:
        ConfigurationError: when a run lacks an output crop or has one beyond the last shell.
    """
    sums = _sums_by_crop(errors)
    _check_crops(sums)
    # The area of a crop minus that of the next crop is the ring between them; beyond the last there is
    # nothing.
    inner = sums.groupby(["preset", "seed"])[["sum_of_squares", "pixel_count"]].shift(-1).fillna(0)
    shells = sums.rename(columns={"output_crop": "shell"})
    shells["pixel_count"] -= inner["pixel_count"].astype("int64")
    shells["mse"] = (sums["sum_of_squares"] - inner["sum_of_squares"]) / shells["pixel_count"]
    return shells[["preset", "seed", "shell", "mse", "pixel_count"]]


def mse_at_own_crop(errors: pd.DataFrame, presets: Mapping[str, int]) -> pd.DataFrame:
    """Test MSE of each run over the area that its preset keeps.

    Args:
        errors: columns preset, seed, image, output_crop, sum_of_squares, pixel_count.
        presets: output crop of each preset; rows of other presets are left out.

    Returns:
        Columns preset, seed, mse.
    """
    crops = mse_by_crop(errors)
    own = crops["output_crop"] == crops["preset"].map(dict(presets))
    return crops.loc[own, ["preset", "seed", "mse"]].reset_index(drop=True)


def _sums_by_crop(errors: pd.DataFrame) -> pd.DataFrame:
    keys = ["preset", "seed", "output_crop"]
    return errors.groupby(keys, as_index=False)[["sum_of_squares", "pixel_count"]].sum()


def _check_crops(sums: pd.DataFrame) -> None:
    expected = list(range(INNERMOST_SHELL + 1))
    for (preset, seed), run in sums.groupby(["preset", "seed"]):
        found = run["output_crop"].tolist()
        if found != expected:
            raise ConfigurationError(
                f"preset {preset}, seed {seed}: test errors are stored for the output crops {found}; "
                f"shells need each of 0 to {INNERMOST_SHELL}. Evaluate this run again."
            )
