import numpy as np
import pytest
from scipy import stats

from spatial_prediction.studies.interpolation.metrics import (
    OF_VARIANCE,
    PIT_BINS,
    coverage_curve,
    pit_histogram,
    scores,
)


@pytest.fixture
def draws():
    rng = np.random.default_rng(0)
    mean, variance = rng.normal(size=20000), rng.uniform(0.5, 2, size=20000)
    return mean + np.sqrt(variance) * rng.normal(size=20000), mean, variance


def test_scores_are_those_of_scipy(draws):
    truth, mean, variance = draws
    found = scores(truth, mean, variance)
    assert found["nlpd"] == pytest.approx(-stats.norm.logpdf(truth, mean, np.sqrt(variance)).mean())
    low, high = stats.norm.interval(0.95, mean, np.sqrt(variance))
    assert found["coverage"] == ((low <= truth) & (truth <= high)).mean()
    assert found["coverage"] == pytest.approx(0.95, abs=0.005)
    assert found["correlation"] == pytest.approx(stats.pearsonr(variance, (mean - truth) ** 2)[0])
    assert found["rmse"] ** 2 == pytest.approx(np.mean((truth - mean) ** 2))
    assert found["bias"] == pytest.approx(np.mean(mean) - np.mean(truth))


def test_a_constant_variance_correlates_with_nothing(draws):
    truth, mean, _ = draws
    assert scores(truth, mean, np.ones_like(mean))["correlation"] == 0


def test_without_variance_only_errors_are_measured(draws):
    found = scores(*draws[:2])
    assert {name for name, value in found.items() if np.isnan(value)} == set(OF_VARIANCE)


def test_a_calibrated_prediction_has_a_flat_histogram_and_a_straight_curve(draws):
    histogram = pit_histogram(*draws)
    assert histogram.sum() == 20000
    assert len(histogram) == PIT_BINS
    assert np.abs(histogram - 200).max() < 80
    level, share = coverage_curve(histogram)
    np.testing.assert_allclose(share, level, atol=0.015)
    assert (level[-1], share[-1]) == (1, 1)


def test_the_curve_shows_intervals_that_are_too_narrow_and_agrees_with_the_coverage(draws):
    truth, mean, variance = draws
    level, share = coverage_curve(pit_histogram(truth, mean, variance / 4))
    assert (share[5:-5] < level[5:-5]).all()
    narrow = scores(truth, mean, variance / 4)["coverage"]
    assert share[np.searchsorted(level, 0.94)] <= narrow <= share[np.searchsorted(level, 0.96)]
