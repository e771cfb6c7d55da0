"""The worked lines ``known -> result`` on the pages of docs/methods are true, and none is left out here."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.helpers import REPOSITORY

from spatial_prediction.convolution import (
    differential_convolution,
    explicit_boundary_convolution,
    partial_convolution,
)
from spatial_prediction.padding import LearnedPrediction, RunningPrediction, padding_from_name

pytestmark = pytest.mark.usefixtures("quick_compilation")

ONE, TWO = ((0, 0), (1, 1)), ((0, 0), (2, 2))
LEARNED = LearnedPrediction.initialised(ONE, 1, 1, channels=1)
STRIPES = jnp.tile(jnp.array([3.0, 1.0]), (16, 8))[..., None]
RUNNING = RunningPrediction.initialised(ONE, 1, 1, channels=1).remember(STRIPES)


def padded(name, pad_width):
    return padding_from_name(name, pad_width).extend


def by_memory(padding):
    return lambda row: padding.extend(row)  # JAX would hash a bound method, arrays and all


def convolved(method, *outer_taps):
    """Three ones in a row, by a method that takes one kernel, or one for each region along the row."""
    taps = jnp.array([outer_taps, (1.0,) * 3, outer_taps]) if outer_taps else jnp.ones(3)
    shape = (1, 3, 1, 3, 1, 1) if outer_taps else (1, 3, 1, 1)
    return lambda row: method(row, taps.reshape(shape))


WORKED = [
    ("copying", "1 2 3 4 -> 0 0 1 2 3 4 0 0", padded("zero", TWO)),
    ("copying", "1 2 3 4 -> 1 1 1 2 3 4 4 4", padded("repl", TWO)),
    ("copying", "1 2 3 4 -> 3 2 1 2 3 4 3 2", padded("refl", TWO)),
    ("copying", "1 2 3 4 -> 3 4 1 2 3 4 1 2", padded("circ", TWO)),
    ("random", "3 3 3 3 -> 3 3 3 3 3 3 3 3", padded("rand", TWO)),
    ("extrapolation", "1 2 3 4 -> -1 0 1 2 3 4 5 6", padded("extr2", TWO)),
    ("extrapolation", "1 4 9 16 -> 1 0 1 4 9 16 25 36", padded("extr3", TWO)),
    ("autocorrelation", "1 2 3 4 5 6 7 8 -> 1.9 1 2 3 4 5 6 7 8 7.1", padded("lp1x1", ONE)),
    ("covariance", "3 1 3 1 -> 3 1 3 1 3 1 3 1", padded("lp1x1cs", TWO)),
    ("covariance", "0 0 0 0 0 1 2 4 8 16 -> 1.6 0 0 0 0 0 1 2 4 8 16 21.8", padded("lp1x1c", ONE)),
    ("covariance", "0 0 0 0 0 1 2 4 8 16 -> 1.6 0 0 0 0 0 1 2 4 8 16 12.0", padded("lp1x1cs", ONE)),
    ("across_channels", "3 1 3 1 -> 2.9 1.0 3 1 3 1 3.0 1.1", padded("lp1x1_across", TWO)),
    ("choice", "1 2 3 4 5 6 7 8 -> 0 1 2 3 4 5 6 7 8 9", padded("auto", ONE)),
    ("choice", "5 3 7 3 6 2 6 4 -> 4.5 5 3 7 3 6 2 6 4 4.5", padded("auto", ONE)),
    ("memory", "1 2 3 4 -> 1 1 2 3 4 4", by_memory(LEARNED)),
    ("memory", "1 2 3 4 -> 4.0 1 2 3 4 1.0", by_memory(RUNNING)),
    ("partial_convolution", "1 2 3 4 -> 4.5 6 9 10.5", convolved(partial_convolution)),
    ("differential_convolution", "1 4 9 16 -> 5 14 29 50", convolved(differential_convolution)),
    ("explicit_boundary", "1 2 3 4 -> 3 6 9 7", convolved(explicit_boundary_convolution, 1, 1, 1)),
    (
        "explicit_boundary",
        "1 2 3 4 -> 4.5 6 9 10.5",
        convolved(explicit_boundary_convolution, 1.5, 1.5, 1.5),
    ),
]


@pytest.mark.parametrize(
    ("page", "line", "method"), WORKED, ids=[f"{page}: {line}" for page, line, _ in WORKED]
)
def test_worked_line_is_true(page, line, method):
    known, expected = (np.array(part.split(), np.float32) for part in line.split("->"))
    found = jax.jit(method)(jnp.array(known)[None, :, None])[0, :, 0]
    np.testing.assert_allclose(found, expected, atol=0.05)  # printed with one decimal at most


def test_every_worked_line_is_checked():
    written = [
        (page.stem, " ".join(line.split()))
        for page in (REPOSITORY / "docs/methods").glob("*.md")
        for line in re.findall(r"`([-.\d\s]+->[-.\d\s]+)`", page.read_text(encoding="utf-8"))
    ]
    assert sorted(written) == sorted((page, line) for page, line, _ in WORKED)
