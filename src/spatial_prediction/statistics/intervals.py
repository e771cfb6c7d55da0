"""Intervals over seeds by the percentile bootstrap."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from spatial_prediction.errors import ConfigurationError


class Interval(NamedTuple):
    """A mean over seeds and the ends of its interval; NaN if undefined."""

    mean: float
    low: float
    high: float


def bootstrap_interval(
    values: Sequence[float] | np.ndarray | pd.Series,
    *,
    rng_seed: int,
    confidence: float = 0.95,
    resamples: int = 10_000,
) -> Interval:
    """Mean of the values with its percentile bootstrap interval (``scipy.stats.bootstrap``).

    Samples of the same size are drawn from the values with replacement, ``resamples`` times; the interval
    holds the middle ``confidence`` of their means. With the few seeds of a study it is only an indication:
    the percentile bootstrap of a handful of values is somewhat too narrow.

    Args:
        values: one finite number per seed.
        rng_seed: seed of the draws; equal seeds and values give an equal interval.
        confidence: share of the resampled means inside the interval, between 0 and 1.
        resamples: number of draws.

    Returns:
        The mean and the interval's ends. A single value has no spread, so its ends are NaN; without
        values all three are NaN.

    Raises:
        ConfigurationError: when a value is not finite, or ``confidence`` or ``resamples`` is out of range.
    """
    sample = np.asarray(values, dtype=np.float64)
    if not np.isfinite(sample).all():
        raise ConfigurationError(
            f"values must be finite, got {sample.tolist()}; record a run with such a result as diverged."
        )
    if not 0 < confidence < 1:
        raise ConfigurationError(f"confidence must lie between 0 and 1, got {confidence}.")
    if resamples < 1:
        raise ConfigurationError(f"resamples must be at least 1, got {resamples}.")
    if sample.size < 2:
        return Interval(float(sample[0]) if sample.size else math.nan, math.nan, math.nan)
    from scipy import stats  # takes a second to import, and most users of this module do not need it

    result = stats.bootstrap(
        (sample,),
        np.mean,
        n_resamples=resamples,
        confidence_level=confidence,
        method="percentile",
        rng=np.random.default_rng(rng_seed),
    )
    return Interval(float(sample.mean()), *map(float, result.confidence_interval))


def relative_difference(values: pd.Series, baseline: pd.Series, *, rng_seed: int) -> Interval:
    """Difference from a baseline in percent, paired by seed.

    The difference is taken within each seed that both have, and the interval is over those differences.

    Args:
        values: one number per seed, indexed by seed.
        baseline: the same for the baseline.
        rng_seed: seed of the bootstrap.

    Returns:
        Mean over the common seeds of ``100 (value / baseline - 1)`` with its 95 % interval; NaN without
        common seeds, NaN ends with a single one.
    """
    common = values.index.intersection(baseline.index)
    percent = 100 * (values.loc[common] / baseline.loc[common] - 1)
    return bootstrap_interval(percent, rng_seed=rng_seed)


def intervals_by(table: pd.DataFrame, keys: Sequence[str], value: str, *, rng_seed: int) -> pd.DataFrame:
    """Mean and 95 % interval of one column for each combination of keys.

    Args:
        table: a tidy table with one row per combination and seed.
        keys: columns that distinguish the combinations.
        value: the column to summarise.
        rng_seed: seed of the bootstrap, the same for every combination.

    Returns:
        Columns ``keys``, mean, low, high, seeds (their number); combinations without rows do not appear.
    """
    rows = [
        (*names, *bootstrap_interval(group[value], rng_seed=rng_seed), len(group))
        for names, group in table.groupby(list(keys))
    ]
    return pd.DataFrame(rows, columns=[*keys, "mean", "low", "high", "seeds"])
