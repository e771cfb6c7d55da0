import dataclasses
import subprocess
import sys

import equinox as eqx
import jax
import pytest

from spatial_prediction.convolution import PaddedConv2d, convert_padding
from spatial_prediction.models import RVSR, border_from_name
from spatial_prediction.names import parse_padding_name
from spatial_prediction.padding import (
    PADDING_NAMES,
    AcrossChannelsPrediction,
    AutocorrelationPrediction,
    CircularPadding,
    CovariancePrediction,
    LagrangeExtrapolation,
    LearnedPrediction,
    RandomPadding,
    ReflectPadding,
    ReplicatePadding,
    RunningPrediction,
    ZeroPadding,
    padding_from_name,
    trained_padding_from_name,
)
from spatial_prediction.padding.contrib import ChosenExtrapolation, LeastSquaresPrediction

PAD_WIDTH = ((1, 2), (0, 3))


def published(length, width, sums):
    return AutocorrelationPrediction(PAD_WIDTH, length, width, window="tukey", sums=sums, ridge=1e-7)


MEANING = {
    "zero": ZeroPadding(PAD_WIDTH),
    "repl": ReplicatePadding(PAD_WIDTH),
    "refl": ReflectPadding(PAD_WIDTH),
    "circ": CircularPadding(PAD_WIDTH),
    "rand": RandomPadding(PAD_WIDTH, seed=0),
    "extr1": LagrangeExtrapolation(PAD_WIDTH, 1),
    "extr2": LagrangeExtrapolation(PAD_WIDTH, 2),
    "extr3": LagrangeExtrapolation(PAD_WIDTH, 3),
    "lp1x1cs": CovariancePrediction(PAD_WIDTH, 1, shared_sides=False, stabilised=True),
    "lp2x1cs": CovariancePrediction(PAD_WIDTH, 2, shared_sides=False, stabilised=True),
    "lp1x1": published(1, 1, "direct"),
    "lp2x1": published(2, 1, "direct"),
    "lp2x3": published(2, 3, "direct"),
    "lp2x5": published(2, 5, "fft"),
    "lp3x3": published(3, 3, "fft"),
    "lp4x5": published(4, 5, "fft"),
    "lp6x7": published(6, 7, "fft"),
    "lp2x3c": LeastSquaresPrediction(PAD_WIDTH, 2, 3),
    "lp2x3_batch": AutocorrelationPrediction(PAD_WIDTH, 2, 3, over_batch=True),
    "lp2x3_band8": LeastSquaresPrediction(PAD_WIDTH, 2, 3, band=8),
    "lp2x3_decay8": LeastSquaresPrediction(PAD_WIDTH, 2, 3, decay=8.0),
    "lp2x3_across": AcrossChannelsPrediction(PAD_WIDTH, 2, 3),
    "auto": ChosenExtrapolation(PAD_WIDTH),
}
BEYOND = {
    "extr12": LagrangeExtrapolation(PAD_WIDTH, 12),
    "lp10x3": published(10, 3, "fft"),
    "lp2x1c": CovariancePrediction(PAD_WIDTH, 2, stabilised=False),
    "lp3x1c": LeastSquaresPrediction(PAD_WIDTH, 3, 1),
}


def test_every_name_in_common_use_has_its_published_meaning():
    assert set(MEANING) == set(PADDING_NAMES)
    for name, padding in (MEANING | BEYOND).items():
        named = padding_from_name(name, PAD_WIDTH)
        assert type(named) is type(padding)
        assert dataclasses.asdict(named) == dataclasses.asdict(padding)


def test_trained_paddings_are_made_for_their_channels():
    learned = trained_padding_from_name("lp2x3_learned", 1, channels=4)
    assert isinstance(learned, LearnedPrediction)
    assert learned.coefficients.top.shape == (3, 2, 3, 4)
    running = trained_padding_from_name("lp1x1_running", PAD_WIDTH, channels=2)
    assert isinstance(running, RunningPrediction)
    assert running.pad_width == PAD_WIDTH
    with pytest.raises(ValueError, match=r"'lp2x3' has no arrays of its own, .* with padding_from_name"):
        trained_padding_from_name("lp2x3", 1, channels=4)


@pytest.mark.parametrize(("length", "width"), [(0, 1), (-1, 3), (1, 0), (1, -1)])
def test_an_empty_neighbourhood_is_refused(length, width):
    with pytest.raises(ValueError, match=r"must be at least 1, got|must be odd, got"):
        AutocorrelationPrediction(1, length, width)


@pytest.mark.parametrize(("option", "value"), [("window", "hann"), ("sums", "slow")])
def test_an_unknown_option_is_refused_with_the_known_ones(option, value):
    # Past the type checker that the tests run under, as a caller without one would.
    with pytest.raises((ValueError, TypeError), match=rf"{option}|Literal"):
        AutocorrelationPrediction(1, 2, 1, **{option: value})


@pytest.mark.parametrize("name", ["zero", "extr2", "lp1x1cs", "lp2x3"])
def test_a_single_number_pads_all_sides(name):
    assert padding_from_name(name, 2).pad_width == ((2, 2), (2, 2))


@pytest.mark.parametrize("name", ["zero", "extr2", "lp1x1cs", "lp2x3"])
def test_a_negative_pad_width_is_refused(name):
    with pytest.raises(ValueError, match=r"must not be negative, got \(\(1, -1\), \(0, 0\)\); crop"):
        padding_from_name(name, ((1, -1), (0, 0)))
    with pytest.raises(ValueError, match="must not be negative"):
        padding_from_name(name, -1)


@pytest.mark.parametrize("name", ["edge", "lp2x2", "symmetric", "part", "lp2x3_learned"])
def test_all_that_take_names_say_the_same_of_a_wrong_one(name):
    def message(make):
        with pytest.raises(ValueError, match=name) as refusal:
            make()
        return str(refusal.value)

    assert {
        message(lambda: padding_from_name(name, 1)),
        message(lambda: PaddedConv2d(1, 1, 3, padding_mode=name, key=jax.random.key(0))),
        message(lambda: convert_padding(eqx.nn.Conv2d(1, 1, 3, padding=1, key=jax.random.key(0)), name)),
        message(lambda: RVSR.from_named_arrays({}, padding="zero", upscale_padding=name)),
    } == {message(lambda: parse_padding_name(name))}


def test_networks_say_the_same_of_a_wrong_border_handling():
    with pytest.raises(ValueError, match=r"^no border handling is called 'edge'; did you mean 'repl'"):
        RVSR.from_named_arrays({}, padding="edge", upscale_padding="repl")
    with pytest.raises(ValueError, match="must be odd, got 2"):
        border_from_name("lp2x2")


def test_what_is_not_a_string_is_refused_where_a_name_is_wanted_and_a_string_where_an_object_is():
    program = """
import jax
from spatial_prediction.convolution import PaddedConv2d
from spatial_prediction.models import RVSR, border_from_name
from spatial_prediction.padding import padding_from_name
key = jax.random.key(0)
for make in (
    lambda: padding_from_name(None, 1),
    lambda: PaddedConv2d(1, 1, 3, padding_mode=padding_from_name("repl", 1), key=key),
    lambda: border_from_name(3),
    lambda: RVSR.initialised(padding="zero", upscale_padding=padding_from_name("repl", 1), key=key),
    lambda: RVSR.initialised(padding=padding_from_name("repl", 1), upscale_padding="repl", key=key),
    lambda: RVSR.from_named_arrays({}, padding=3, upscale_padding="repl"),
):
    try:
        make()
    except TypeError as error:
        print(str(error).partition(",")[0])
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert ran.stdout.splitlines() == [
        *["a padding or border handling is named by a string such as 'lp2x3'"] * 3,
        "borders are handled by an object",
        "the upscaling is padded by an object",
        "borders are handled by an object",
    ], ran.stderr
