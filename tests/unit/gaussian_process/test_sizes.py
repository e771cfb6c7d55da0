"""Costs known beforehand, and models that are refused before memory is taken."""

import numpy as np
import pytest

from spatial_prediction.errors import ObservationError
from spatial_prediction.gaussian_process import AdditiveGridGP, DenseGP, KroneckerGP, kernel_from_name
from spatial_prediction.gaussian_process.kernels import RBF
from spatial_prediction.gaussian_process.sizes import cost_of

MASK = np.zeros((50, 17, 48), bool)
MASK[:40, :, 8:] = True


def test_rows_of_the_largest_matrix():
    assert cost_of("additive", MASK).rows == 17 * 40 + 40
    assert cost_of("kronecker", MASK).rows == 17 * 40
    assert cost_of("dense", MASK).rows == 40 * 17 * 40
    assert cost_of("additive", MASK).feasible
    assert not cost_of("dense", MASK).feasible
    assert cost_of("additive", MASK).seconds < 0.2 < 100 < cost_of("dense", MASK).seconds
    assert cost_of("dense", MASK).gigabytes == pytest.approx(40 * 27200**2 / 1e9)


def test_what_is_too_large_is_refused_before_anything_is_computed():
    time, space = kernel_from_name("rbf", 1), kernel_from_name("rbf", 2)
    wide = np.ones((1, 130, 100), bool)
    for model in (AdditiveGridGP(time, space), KroneckerGP(time, space), DenseGP(RBF())):
        with pytest.raises(
            ObservationError, match=r"matrix of 13,00\d rows .* the largest allowed has 12,000"
        ):
            model.condition(wide, np.zeros(13_000))
