import math

import numpy as np
import pandas as pd
import pytest

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.statistics.intervals import bootstrap_interval, intervals_by, relative_difference


def test_interval_of_two_values_spans_them():
    # Means of two draws are 0, 1/2, 1 with probabilities 1/4, 1/2, 1/4, so 2.5 % lie within the ends
    # themselves.
    assert bootstrap_interval([0.0, 1.0], rng_seed=0) == (0.5, 0.0, 1.0)


def test_interval_agrees_with_naive_resampling():
    values = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0]
    rng = np.random.default_rng(11)
    means = [np.mean([values[rng.integers(8)] for _ in range(8)]) for _ in range(5000)]
    found = bootstrap_interval(values, rng_seed=0)
    assert found.mean == pytest.approx(np.mean(values))
    assert [found.low, found.high] == pytest.approx(np.percentile(means, [2.5, 97.5]), abs=0.15)


@pytest.mark.parametrize("count", [2, 4, 12])
def test_interval_is_that_of_means_of_draws_from_one_generator(count):
    values = np.random.default_rng(count).normal(size=count)
    draws = values[np.random.default_rng(3).integers(count, size=(10_000, count))]
    expected = np.quantile(draws.mean(axis=1), [0.025, 0.975])
    found = bootstrap_interval(values, rng_seed=3)
    assert [found.low, found.high] == pytest.approx(expected, rel=1e-14)


def test_interval_is_near_the_normal_one_for_many_values():
    values = np.random.default_rng(5).standard_normal(2000)
    low, high = bootstrap_interval(values, rng_seed=1, resamples=2000)[1:]
    assert (high - low) / 2 == pytest.approx(1.96 * values.std() / math.sqrt(2000), rel=0.08)


def test_equal_seeds_give_equal_intervals():
    values = [1.0, 2.0, 4.0, 7.0]
    assert bootstrap_interval(values, rng_seed=7) == bootstrap_interval(values, rng_seed=7)


def test_interval_without_values_is_nan():
    assert all(math.isnan(end) for end in bootstrap_interval([], rng_seed=0))


def test_one_value_has_a_mean_and_no_ends():
    mean, low, high = bootstrap_interval([2.5], rng_seed=0)
    assert mean == 2.5
    assert math.isnan(low)
    assert math.isnan(high)


@pytest.mark.parametrize(
    ("values", "options", "named"),
    [
        ([1.0, math.nan], {}, "diverged"),
        ([1.0, 2.0], {"confidence": 1.0}, "confidence"),
        ([1.0, 2.0], {"resamples": 0}, "resamples"),
    ],
)
def test_unusable_arguments_are_named(values, options, named):
    with pytest.raises(ConfigurationError, match=named):
        bootstrap_interval(values, rng_seed=0, **options)


def test_differences_are_paired_by_common_seeds():
    # Seeds 1 and 2 are common: -10 % and +20 %.
    values = pd.Series([90.0, 240.0, 1e9], index=[1, 2, 5])
    baseline = pd.Series([200.0, 100.0, 1e-9], index=[2, 1, 0])
    assert relative_difference(values, baseline, rng_seed=0) == pytest.approx((5.0, -10.0, 20.0))


def test_differences_without_common_seeds_are_nan():
    difference = relative_difference(pd.Series([1.0], index=[0]), pd.Series([1.0], index=[1]), rng_seed=0)
    assert all(math.isnan(number) for number in difference)


def test_intervals_by_counts_the_seeds_of_each_combination():
    table = pd.DataFrame({"preset": ["b", "a", "a"], "seed": [0, 0, 1], "mse": [3.0, 1.0, 2.0]})
    found = intervals_by(table, ["preset"], "mse", rng_seed=0).set_index("preset")
    assert found["seeds"].to_dict() == {"a": 2, "b": 1}
    assert found["mean"].to_dict() == {"a": 1.5, "b": 3.0}
    assert found.loc["a", ["low", "high"]].tolist() == [1.0, 2.0]
