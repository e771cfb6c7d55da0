"""What names of paddings and of other border handlings mean, and what is said of those that nothing has."""

import re

import pytest

from spatial_prediction.names import (
    CONVOLUTION_NAMES,
    PADDING_NAMES,
    TRAINED_NAMES,
    Extrapolation,
    LinearPrediction,
    LocalPrediction,
    OwnConvolution,
    PlainPadding,
    TrainedPrediction,
    parse_border_name,
    parse_padding_name,
    suggestion,
)

PADDINGS = {
    "zero": PlainPadding("zero"),
    "rand": PlainPadding("rand"),
    "auto": PlainPadding("auto"),
    "extr2": Extrapolation(2),
    "extr12": Extrapolation(12),
    "lp2x3": LinearPrediction(2, 3, "autocorrelation"),
    "lp10x11": LinearPrediction(10, 11, "autocorrelation"),
    "lp2x3_batch": LinearPrediction(2, 3, "batch"),
    "lp2x3c": LinearPrediction(2, 3, "covariance"),
    "lp1x1cs": LinearPrediction(1, 1, "stabilised"),
    "lp2x3_band8": LocalPrediction(2, 3, band=8),
    "lp2x3_decay10": LocalPrediction(2, 3, decay=10.0),
    "lp1x1_across": LinearPrediction(1, 1, "across"),
}
OTHERS = {
    "lp2x3_learned": TrainedPrediction(2, 3, "learned"),
    "lp1x1_running": TrainedPrediction(1, 1, "running"),
    "part": OwnConvolution("part"),
    "diff_edge": OwnConvolution("diff_edge"),
}


def test_names_are_read_into_what_they_mean():
    assert {name: parse_padding_name(name) for name in PADDINGS} == PADDINGS
    assert {name: parse_border_name(name) for name in PADDINGS | OTHERS} == PADDINGS | OTHERS


def test_names_in_common_use_are_names():
    assert len({parse_padding_name(name) for name in PADDING_NAMES}) == len(PADDING_NAMES)
    for name in (*TRAINED_NAMES, *CONVOLUTION_NAMES):
        parse_border_name(name)
        with pytest.raises(ValueError, match=rf"^'{name}' (is not a padding but|has arrays of its own)"):
            parse_padding_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *("", "extr0", "extr", "extr-1", "extr02", "lp0x1", "lp2", "lp2x3css", "LP2x3", "zero ", "zero\n"),
        *(
            "extr\u0661",
            "lp2x\u0663",
            "lp2x3_band",
            "lp2x3_band0",
            "lp2x3_learned8",
            "zero-repl",
            "lp2x3_oc1",
        ),
    ],
)
@pytest.mark.parametrize("read", [parse_padding_name, parse_border_name])
def test_names_that_only_look_like_one_are_refused(read, name):
    with pytest.raises(
        ValueError, match=rf"^no (padding|border handling) is called {re.escape(repr(name))}; "
    ):
        read(name)


@pytest.mark.parametrize("read", [parse_padding_name, parse_border_name])
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lp2x2", r"^the width W of 'lp2x2' .* must be odd, got 2; use 1 or 3$"),
        ("lp1x4_learned", "must be odd, got 4; use 3 or 5$"),
        (
            "lp3x1cs",
            "^only 1x1 and 2x1 .* 'lp3x1cs'; use lp1x1cs or lp2x1cs, or lp3x1c as it is$",
        ),
        ("lp2x3_band2", "^the band of 'lp2x3_band2' must be wider than .* long; use at least 3$"),
    ],
)
def test_names_of_what_cannot_be_are_refused_with_what_can(read, name, message):
    with pytest.raises(ValueError, match=message):
        read(name)


FORMS = (
    "zero, repl, refl, circ, rand, auto, extrN, lp1x1cs, lp2x1cs, and with odd W lpHxW, lpHxWc, lpHxW_batch, "
    "lpHxW_bandN, lpHxW_decayN, lpHxW_across"
)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        *(("zeros", "zero"), ("reflect", "refl"), ("extra2", "extr2"), ("lp2x1sc", "lp2x1cs")),
        *(("edge", "repl"), ("constant", "zero"), ("SAME", "zero"), ("wrap", "circ"), ("Mirror", "refl")),
        ("LP2x3 ", "lp2x3"),
    ],
)
def test_an_unknown_name_is_refused_with_the_one_that_may_be_meant(name, near):
    message = f"no padding is called {name!r}; did you mean {near!r}? Known: {FORMS}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        parse_padding_name(name)


def test_a_name_unlike_any_is_refused_with_all_forms():
    with pytest.raises(ValueError, match=f"^no padding is called 'wavelet'; known: {FORMS}$"):
        parse_padding_name("wavelet")
    known = f"part, diff, diff_edge, ebh, {FORMS}, lpHxW_learned, lpHxW_running"
    with pytest.raises(ValueError, match=f"^no border handling is called 'wavelet'; known: {known}$"):
        parse_border_name("wavelet")


def test_border_handlings_are_suggested_too():
    with pytest.raises(ValueError, match="'partial'; did you mean 'part'"):
        parse_border_name("partial")
    with pytest.raises(ValueError, match="'lp3x3_learnt'; did you mean 'lp2x3_learned'"):
        parse_border_name("lp3x3_learnt")


@pytest.mark.parametrize("read", [parse_padding_name, parse_border_name])
def test_a_name_of_thousands_of_characters_is_shown_in_part(read):
    with pytest.raises(ValueError, match=r"is called 'extr1{60}'… \(5004 characters\); ") as refusal:
        read("extr" + "1" * 5000)
    assert len(str(refusal.value)) < 400


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("symmetric", "the nearest is 'refl', which does not repeat the outermost pixel"),
        ("part", "PartialConv2d, or in a network spatial_prediction.models.border_from_name('part')"),
        ("DIFF", "DifferentialConv2d"),
        ("diff_edge", "edge_kernel=True"),
        ("ebh", "ExplicitBoundaryConv2d"),
        ("lp2x3_learned", "trained_padding_from_name('lp2x3_learned', pad_width, channels=...)"),
        ("lp1x1_running", "border_from_name('lp1x1_running')"),
    ],
)
def test_a_name_that_is_no_padding_by_itself_is_refused_with_the_way(name, hint):
    with pytest.raises(ValueError, match=re.escape(hint)):
        parse_padding_name(name)


def test_suggestions_list_what_is_known():
    assert suggestion("lp2x4", ["lp2x3", "b"]) == "did you mean 'lp2x3'? Known: lp2x3, b"
    assert suggestion("x", iter(["lp2x3", "b"])) == "known: lp2x3, b"
