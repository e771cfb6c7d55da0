"""Normalised error of a padding: its squared error over the variance of the true values."""

import pandas as pd


def nmse_by_feature_map(errors: pd.DataFrame) -> pd.DataFrame:
    """Normalised mean squared error of each padding on each feature map, over seeds.

    1 is the error of padding with the mean of the true values; a perfect padding has 0.

    Args:
        errors: columns preset, seed, padding, feature_map, squared_error, variance. ``feature_map`` is 0 for
            the network's input, 1 to 9 for the inputs of the inner convolutions, 10 for the output.

    Returns:
        Columns preset, padding, feature_map, nmse; the last is the ratio of the sums of squared_error and
        variance (NaN if the true values do not vary at all). Rows are in the order of first appearance.
    """
    keys = ["preset", "padding", "feature_map"]
    sums = errors.groupby(keys, as_index=False, sort=False)[["squared_error", "variance"]].sum()
    sums["nmse"] = sums["squared_error"] / sums["variance"].where(sums["variance"] > 0)
    return sums[["preset", "padding", "feature_map", "nmse"]]
