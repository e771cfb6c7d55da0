import numpy as np
import pytest

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.studies.interpolation.config import Frames, MaskSettings
from spatial_prediction.studies.interpolation.masks import draw_masks, load_masks, save_masks
from spatial_prediction.studies.interpolation.protocols import task

FRAMES = Frames(5, 2, 3)


def settings(kind="dynamic", test=None, probability=0.5, seed=0, stream="independent"):
    return MaskSettings(kind, test or kind, probability, seed, stream)


def counts(masks, frames):
    return [int(masks.observed[list(frames.of(part))].sum()) for part in ("train", "validation", "test")]


def test_the_reference_stream_gives_the_published_counts():
    frames = Frames(50, 10, 10)
    masks = draw_masks(frames, 17, 48, settings(probability=0.9, stream="reference"))
    assert counts(masks, frames)[:2] == [4083, 809]
    anew = draw_masks(frames, 17, 48, settings(probability=0.9, stream="reference", seed=1))
    np.testing.assert_array_equal(masks.redrawn, anew.observed[:50])


def test_fixed_masks_are_one_network_but_for_the_reference():
    masks = draw_masks(FRAMES, 8, 9, settings("fixed")).observed
    assert (masks == masks[0]).all()
    other = draw_masks(FRAMES, 8, 9, settings("fixed", stream="reference")).observed
    for part in ("train", "validation", "test"):
        assert (other[list(FRAMES.of(part))] == other[FRAMES.of(part).start]).all()
    assert (other[0] != other[5]).any()


def test_the_realistic_case_trains_on_changing_pixels_and_tests_on_fixed_ones():
    masks = draw_masks(FRAMES, 8, 9, settings("dynamic", "fixed")).observed
    assert (masks[0] != masks[1]).any()
    assert (masks[5:] == masks[5]).all()


def test_parts_do_not_depend_on_the_sizes_of_others():
    longer = draw_masks(Frames(7, 2, 3), 8, 9, settings()).observed
    np.testing.assert_array_equal(longer[7:], draw_masks(FRAMES, 8, 9, settings()).observed[5:])


@pytest.mark.parametrize("stream", ["independent", "reference"])
def test_pixels_are_hidden_with_the_probability(stream):
    masks = draw_masks(Frames(100, 1, 1), 20, 20, settings(probability=0.8, stream=stream))
    assert masks.observed[:100].mean() == pytest.approx(0.2, abs=0.01)


def test_masks_survive_their_file(tmp_path):
    drawn, made = draw_masks(FRAMES, 4, 4, settings()), settings()
    save_masks(tmp_path / "masks.safetensors", drawn, made)
    read, by = load_masks(tmp_path / "masks.safetensors")
    np.testing.assert_array_equal(read.observed, drawn.observed)
    np.testing.assert_array_equal(read.redrawn, drawn.redrawn)
    assert by == made


def test_nothing_observed_is_refused():
    with pytest.raises(ConfigurationError, match="leaves none of 20 pixels of the training frames"):
        draw_masks(FRAMES, 2, 2, settings(probability=0.999999))


def test_an_unknown_stream_is_refused():
    with pytest.raises(ConfigurationError, match="must be one of independent, reference"):
        draw_masks(FRAMES, 2, 2, settings(stream="legacy"))


@pytest.fixture
def masks():
    return draw_masks(FRAMES, 8, 9, settings())


def asked(masks, protocol, part="test", present=None):
    present = np.ones_like(masks.observed) if present is None else present
    return task(protocol, part, FRAMES, masks, present)


def frames_known(task):
    return set(np.flatnonzero(task.known.any(axis=(1, 2))))


def test_protocols_know_the_frames_they_say(masks):
    for protocol, expected in (
        ("train", range(5)),
        ("train_redrawn", range(5)),
        ("train_and_part", {*range(5), 7, 8, 9}),
        ("all", range(10)),
    ):
        assert frames_known(asked(masks, protocol)) == set(expected)
        assert asked(masks, protocol).frames == range(7, 10)
    assert frames_known(asked(masks, "train_and_part", "validation")) == set(range(7))
    assert frames_known(asked(masks, "train_and_part", "train")) == set(range(5))


def test_causal_predictions_know_nothing_of_later_frames(masks):
    whole = asked(masks, "causal", "validation")
    assert frames_known(whole) == set(range(7))
    each = list(whole.by_frame())
    assert [one.frames for one in each] == [range(5, 6), range(6, 7)]
    for one in each:
        assert frames_known(one) == set(range(one.frames.stop))
    (first, *_) = asked(masks, "all").by_frame()
    assert frames_known(first) == set(range(10))


def test_redrawn_masks_are_others_and_missing_values_are_never_known(masks):
    assert (asked(masks, "train").known != asked(masks, "train_redrawn").known).any()
    present = np.zeros_like(masks.observed)
    assert not asked(masks, "all", present=present).known.any()


def test_an_unknown_protocol_is_refused(masks):
    with pytest.raises(ConfigurationError, match="condition_on: is 'future'"):
        asked(masks, "future")
