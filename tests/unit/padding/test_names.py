import dataclasses
import re
import subprocess
import sys

import equinox as eqx
import jax
import pytest

from spatial_prediction.convolution import PaddedConv2d, convert_padding
from spatial_prediction.models import RVSR
from spatial_prediction.padding import (
    PADDING_NAMES,
    AcrossChannelsPrediction,
    AutocorrelationPrediction,
    ChosenExtrapolation,
    CircularPadding,
    CovariancePrediction,
    LagrangeExtrapolation,
    RandomPadding,
    ReflectPadding,
    ReplicatePadding,
    ZeroPadding,
    padding_from_name,
)

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
    "lp1x1cs": CovariancePrediction(PAD_WIDTH, 1, 1, shared_sides=False, stabilised=True),
    "lp2x1cs": CovariancePrediction(PAD_WIDTH, 2, 1, shared_sides=False, stabilised=True),
    "lp1x1": published(1, 1, "direct"),
    "lp2x1": published(2, 1, "direct"),
    "lp2x3": published(2, 3, "direct"),
    "lp2x5": published(2, 5, "fft"),
    "lp3x3": published(3, 3, "fft"),
    "lp4x5": published(4, 5, "fft"),
    "lp6x7": published(6, 7, "fft"),
    "lp2x3c": CovariancePrediction(PAD_WIDTH, 2, 3, stabilised=False),
    "lp2x3_batch": AutocorrelationPrediction(PAD_WIDTH, 2, 3, over_batch=True),
    "lp2x3_band8": CovariancePrediction(PAD_WIDTH, 2, 3, stabilised=False, band=8),
    "lp2x3_decay8": CovariancePrediction(PAD_WIDTH, 2, 3, stabilised=False, decay=8.0),
    "lp2x3_across": AcrossChannelsPrediction(PAD_WIDTH, 2, 3),
    "auto": ChosenExtrapolation(PAD_WIDTH),
}
BEYOND = {"extr12": LagrangeExtrapolation(PAD_WIDTH, 12), "lp10x3": published(10, 3, "fft")}


def test_every_name_in_common_use_has_its_published_meaning():
    assert set(MEANING) == set(PADDING_NAMES)
    for name, padding in (MEANING | BEYOND).items():
        named = padding_from_name(name, PAD_WIDTH)
        assert type(named) is type(padding)
        assert dataclasses.asdict(named) == dataclasses.asdict(padding)


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [("zeros", "zero"), ("reflect", "refl"), ("extra2", "extr2"), ("lp2x1sc", "lp2x1cs")],
)
def test_an_unknown_name_is_refused_with_a_suggestion(name, suggestion):
    with pytest.raises(ValueError, match=f"no padding is called '{name}'; did you mean '{suggestion}'?"):
        padding_from_name(name, 1)


def test_a_name_unlike_any_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="no padding is called 'wavelet'") as refusal:
        padding_from_name("wavelet", 1)
    assert "did you mean" not in str(refusal.value)
    assert all(name in str(refusal.value) for name in PADDING_NAMES)


@pytest.mark.parametrize(
    "name", ["", "extr0", "extr", "extr-1", "extr02", "lp0x1", "lp2", "lp2x3css", "LP2x3", "zero "]
)
def test_names_that_only_look_like_one_are_refused(name):
    with pytest.raises(ValueError, match="no padding is called"):
        padding_from_name(name, 1)


@pytest.mark.parametrize("name", ["lp2x2", "lp1x4", "lp1x2cs"])
def test_an_even_width_is_refused(name):
    with pytest.raises(ValueError, match=r"width .* must be odd, got [24]"):
        padding_from_name(name, 1)


@pytest.mark.parametrize("name", ["lp3x1cs", "lp1x3cs", "lp2x3cs"])
def test_the_covariance_method_refuses_neighbourhoods_it_does_not_know(name):
    with pytest.raises(ValueError, match="1x1 and 2x1 neighbourhoods"):
        padding_from_name(name, 1)


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


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("edge", "'repl'"),
        ("constant", "'zero'"),
        ("SAME", "'zero'"),
        ("wrap", "'circ'"),
        ("Mirror", "'refl'"),
        ("LP2x3", "'lp2x3'"),
        ("symmetric", "'refl', which does not repeat the outermost pixel"),
        ("part", "PartialConv2d"),
        ("diff", "DifferentialConv2d"),
        ("diff_edge", "edge_kernel=True"),
        ("ebh", "ExplicitBoundaryConv2d"),
        ("lp2x3_learned", "trained_padding_from_name('lp2x3_learned', pad_width, channels=...)"),
        ("lp1x1_running", "trained_padding_from_name('lp1x1_running', pad_width, channels=...)"),
    ],
)
def test_a_name_that_means_something_elsewhere_is_refused_with_the_way(name, hint):
    makers = (
        lambda: padding_from_name(name, 1),
        lambda: PaddedConv2d(1, 1, 3, padding_mode=name, key=jax.random.key(0)),
        lambda: convert_padding(eqx.nn.Conv2d(1, 1, 3, padding=1, key=jax.random.key(0)), name),
        lambda: RVSR.initialised(padding="zero", upscale_padding=name, key=jax.random.key(0)),
    )
    if name in ("SAME", "Mirror", "LP2x3"):  # convolutions take names in any case
        makers = (makers[0], makers[3])
    for make in makers:
        with pytest.raises(ValueError, match=re.escape(hint)):
            make()


def test_a_network_names_its_own_ways_for_an_unknown_border():
    with pytest.raises(ValueError, match=r"did you mean 'repl'.* networks know part, diff, diff_edge, ebh"):
        RVSR.initialised(padding="edge", upscale_padding="repl", key=jax.random.key(0))
    with pytest.raises(ValueError, match="must be odd, got 2"):
        RVSR.initialised(padding="lp2x2", upscale_padding="repl", key=jax.random.key(0))


def test_what_is_not_a_string_is_refused():
    program = """
import jax
from spatial_prediction.convolution import PaddedConv2d
from spatial_prediction.models import RVSR
from spatial_prediction.padding import padding_from_name
key = jax.random.key(0)
for make in (
    lambda: padding_from_name(None, 1),
    lambda: PaddedConv2d(1, 1, 3, padding_mode=padding_from_name("repl", 1), key=key),
    lambda: RVSR.initialised(padding=3, upscale_padding="repl", key=key),
):
    try:
        make()
    except TypeError as error:
        print("by a string such as 'lp2x3'" in str(error))
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert ran.stdout.split() == ["True"] * 3, ran.stderr
