import dataclasses

import pytest

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
