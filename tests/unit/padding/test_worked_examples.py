"""The worked lines ``known -> padded`` in docstrings are true, and none is left out here."""

import re
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

import spatial_prediction.padding as padding_package
from spatial_prediction.padding import (
    AutocorrelationPrediction,
    CircularPadding,
    CovariancePrediction,
    LagrangeExtrapolation,
    RandomPadding,
    ReflectPadding,
    ReplicatePadding,
    ZeroPadding,
)
from spatial_prediction.padding.contrib import ChosenExtrapolation

ONE, TWO = ((0, 0), (1, 1)), ((0, 0), (2, 2))


def row_padded_by(padding):
    return lambda row: padding(jnp.array(row)[None, None])[0, 0]


EXAMPLES = {
    "1234 -> 00 1234 00": row_padded_by(ZeroPadding(TWO)),
    "1234 -> 11 1234 44": row_padded_by(ReplicatePadding(TWO)),
    "1234 -> 32 1234 32": row_padded_by(ReflectPadding(TWO)),
    "1234 -> 34 1234 12": row_padded_by(CircularPadding(TWO)),
    "1234 -> -10 1234 56": row_padded_by(LagrangeExtrapolation(TWO, 2)),
    "1 4 9 16 -> 1 0 1 4 9 16 25 36": row_padded_by(LagrangeExtrapolation(TWO, 3)),
    "1 2 3 4 5 6 7 8 -> 1.9 1 2 3 4 5 6 7 8 7.1": row_padded_by(AutocorrelationPrediction(ONE, 1, 1)),
    "1 2 3 4 5 6 7 8 -> 0 1 2 3 4 5 6 7 8 9": row_padded_by(ChosenExtrapolation(ONE)),
    "3333 -> 33 3333 33": row_padded_by(RandomPadding(TWO, seed=0)),
    "3131 -> 31 3131 31": row_padded_by(CovariancePrediction(TWO, 1)),
}


def values(text):
    """Numbers of a line; digits that stand together are one number each, as in 1234, unless set apart."""
    set_apart = len(text.split()) > 3
    return [float(number) for number in (text.split() if set_apart else re.findall(r"-?\d", text))]


@pytest.mark.parametrize("line", EXAMPLES)
def test_worked_line_is_true(line):
    known, padded = map(values, line.split(" -> "))
    assert len(padded) > len(known)
    np.testing.assert_allclose(EXAMPLES[line](known), padded, atol=0.05)  # printed with one decimal at most


def test_every_worked_line_is_checked():
    sources = [path.read_text() for path in Path(padding_package.__path__[0]).rglob("*.py")]
    lines = [line for source in sources for line in re.findall(r"``([-.\d\s]+->[-.\d\s]+)``", source)]
    assert {" ".join(line.split()) for line in lines} == set(EXAMPLES)
