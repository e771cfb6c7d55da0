import math
import sys

import numpy as np
import pytest

from spatial_prediction.studies.compression.measurement import fidelity, measured


def test_memory_is_what_a_call_adds_whatever_was_used_before():
    if sys.platform != "linux":
        pytest.skip("only Linux says how much memory a process had at most")
    small, large = 8 * 2**20, 64 * 2**20
    del (before := [np.ones(2 * large // 8)])[:]
    _, cost = measured(lambda: np.ones(small // 8), 1)
    assert small // 2 <= cost.memory <= large
    _, cost = measured(lambda: np.ones(large // 8), 1)
    assert large <= cost.memory <= 1.5 * large
    assert before == []


def test_time_is_the_least_of_several_calls_and_the_result_the_first():
    calls = []

    def action():
        calls.append(1)
        sum(range(10**5 if len(calls) == 3 else 10**6))
        return len(calls)

    result, cost = measured(action, 4)
    assert (result, len(calls)) == (1, 4)
    alone = measured(lambda: sum(range(10**6)), 3)[1].seconds
    assert 0 < cost.seconds < alone


def test_fidelity_is_of_the_worst_sample_and_of_all():
    cube = np.array([[[100, 20]], [[30, 40]]], np.uint16)
    exact = fidelity(cube, cube.copy(), 0)
    assert (exact.largest_error, exact.rmse, exact.psnr, exact.verified) == (0, 0.0, math.inf, True)
    wrong = cube.copy()
    wrong[0, 0, 0] -= 2
    assert fidelity(cube, wrong, 2)[:2] == (2, 1.0)
    assert fidelity(cube, wrong, 2).psnr == pytest.approx(40)
    assert fidelity(cube, wrong, 2).verified
    assert not fidelity(cube, wrong, 1).verified
    assert not fidelity(cube, cube.astype(np.int16), 0).verified
    assert not fidelity(cube, cube[:1], 0).verified
    # what unsigned differences would get wrong
    assert (
        fidelity(np.zeros((1, 1, 1), np.uint16), np.full((1, 1, 1), 65535, np.uint16), 0).largest_error
        == 65535
    )
