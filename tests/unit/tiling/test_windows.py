import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spatial_prediction.tiling import ReceptiveField, Strategy, plan_tiles, strategy_from_name

OVERLAPS = st.tuples(*[st.tuples(st.integers(0, 6), st.integers(0, 6))] * 2)


@st.composite
def tilings(draw):
    """Any strategy, on images from one pixel to several tiles."""
    overlap = draw(OVERLAPS)
    strategies = [
        Strategy.abutting(),
        Strategy.cropped(overlap),
        Strategy.exact(ReceptiveField(overlap)),
        *(Strategy.blended(overlap, curve=curve) for curve in ("linear", "hann", "gaussian")),
        Strategy.blended(overlap, fade=draw(st.integers(0, min(map(min, overlap))))),
    ]
    return draw(st.sampled_from(strategies))


SHAPES = st.tuples(st.integers(1, 40), st.integers(1, 40))
TILES, FACTORS = st.integers(1, 17), st.integers(1, 4)


def summed_weights(plan, shape):
    total = np.zeros([size * plan.factor for size in shape])
    for row in plan.rows:
        for column in plan.columns:
            total[row.write, column.write] += row.weights[:, None] * column.weights
    return total


@given(SHAPES, TILES, tilings(), FACTORS)
def test_weights_sum_to_one_at_every_pixel(shape, tile, strategy, factor):
    plan = plan_tiles(shape, tile=tile, strategy=strategy, factor=factor)
    np.testing.assert_allclose(summed_weights(plan, shape), 1, atol=1e-6)
    assert all((span.weights >= 0).all() for span in (*plan.rows, *plan.columns))


@given(SHAPES, TILES, OVERLAPS, FACTORS)
def test_crops_write_every_pixel_once(shape, tile, overlap, factor):
    plan = plan_tiles(shape, tile=tile, strategy=Strategy.cropped(overlap), factor=factor)
    np.testing.assert_array_equal(summed_weights(plan, shape), 1)
    assert all((span.weights == 1).all() for span in (*plan.rows, *plan.columns))


@given(SHAPES, TILES, tilings())
def test_windows_lie_in_the_image_and_have_one_shape(shape, tile, strategy):
    plan = plan_tiles(shape, tile=tile, strategy=strategy)
    for spans, size in zip((plan.rows, plan.columns), shape, strict=True):
        assert len({span.read.stop - span.read.start for span in spans}) == 1
        assert all(0 <= span.read.start < span.read.stop <= size for span in spans)
        kept = [index for span in spans for index in range(span.keep.start, span.keep.stop)]
        assert kept == list(range(size))


@given(SHAPES, TILES, tilings(), FACTORS)
def test_what_is_written_was_read_with_the_overlap_around_it(shape, tile, strategy, factor):
    plan = plan_tiles(shape, tile=tile, strategy=strategy, factor=factor)
    for axis, spans in enumerate((plan.rows, plan.columns)):
        before, after = strategy.overlap[axis]
        for span in spans:
            assert span.read.start <= max(span.keep.start - before, 0)
            assert span.read.stop >= min(span.keep.stop + after, shape[axis])
            assert span.read.start <= span.reach.start < span.reach.stop <= span.read.stop
            assert span.write.start - span.within.start == span.read.start * factor
            assert span.write.stop - span.within.stop == span.read.start * factor
            assert span.write.stop - span.write.start == len(span.weights)


@pytest.mark.parametrize("step", [2, 8])
def test_windows_begin_at_multiples_of_the_step(step):
    strategy = Strategy.exact(ReceptiveField(((3, 5), (3, 5)), (step, step)))
    plan = plan_tiles((61, 64), tile=2 * step, strategy=strategy)
    for spans, size in ((plan.rows, 61), (plan.columns, 64)):
        assert all(span.read.start % step == 0 for span in spans)
        assert spans[-1].read.stop == size
        assert all(span.read.start <= max(0, span.keep.start - 3) for span in spans)
        assert all(span.read.stop >= min(size, span.keep.stop + 5) for span in spans)


def test_an_image_no_larger_than_a_window_is_one_tile():
    plan = plan_tiles((18, 19), tile=10, strategy=Strategy.cropped(4), factor=2)
    assert len(plan.rows) == 1
    assert len(plan.columns) == 2
    assert len(plan_tiles((1, 1), tile=10, strategy=Strategy.abutting()).rows) == 1


def test_curves_rise_across_the_seam():
    weights = {}
    for curve in ("linear", "hann"):
        strategy = Strategy.blended(2, curve=curve)
        weights[curve] = plan_tiles((8, 40), tile=10, strategy=strategy).columns[1].weights[:4]
    np.testing.assert_allclose(weights["linear"], [0.125, 0.375, 0.625, 0.875])
    np.testing.assert_allclose(weights["hann"], np.sin(np.pi / 2 * weights["linear"]) ** 2, rtol=1e-6)


def test_half_overlap_with_hann_is_the_window_of_hann():
    plan = plan_tiles((64, 64), tile=16, strategy=Strategy.blended(8, curve="hann"))
    span = plan.columns[1]
    assert span.read == slice(8, 40)
    np.testing.assert_allclose(span.weights, np.sin(np.pi * (np.arange(32) + 0.5) / 32) ** 2, atol=1e-6)


def test_gaussian_weights_are_those_of_a_bell_over_the_window():
    first, second = plan_tiles((8, 24), tile=16, strategy=Strategy.blended(2, curve="gaussian")).columns
    x = np.arange(4, 20) + 0.5  # where both windows, [0, 20) and [4, 24), have a share
    bells = [np.exp(-0.5 * ((x - centre) / 2.5) ** 2) for centre in (10, 14)]
    np.testing.assert_allclose(first.weights[4:], bells[0] / sum(bells), rtol=1e-5)
    np.testing.assert_allclose(second.weights[:16], bells[1] / sum(bells), rtol=1e-5)


def test_strategies_by_name():
    assert strategy_from_name("padding", receptive_field=3) == Strategy.abutting()
    assert strategy_from_name("crop", receptive_field=3) == Strategy.cropped(3)
    assert strategy_from_name("crop", receptive_field=3, overlap=5) == Strategy.cropped(5)
    assert strategy_from_name("blend", receptive_field=3, curve="linear").fade == 3
    field = ReceptiveField(((1, 2), (3, 4)), (2, 2))
    assert strategy_from_name("exact", receptive_field=field) == Strategy.exact(field)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: strategy_from_name("feather", receptive_field=1),
            "no strategy is called 'feather'; use one",
        ),
        (lambda: strategy_from_name("exact", receptive_field=1, overlap=2), "takes no overlap, got 2"),
        (lambda: Strategy.cropped(-1), "overlap must not be negative"),
        (lambda: Strategy.blended(2, fade=3), "fade must be 0 to 2"),
        (lambda: Strategy.blended(2, fade=1, curve="gaussian"), "leave out fade"),
        (lambda: plan_tiles((0, 3), tile=4, strategy=Strategy.abutting()), "rows and columns"),
        (lambda: plan_tiles((3, 3), tile=0, strategy=Strategy.abutting()), "tile must be a positive"),
        (lambda: plan_tiles((3, 3), tile=4, strategy=Strategy.abutting(), factor=0), "factor must be"),
        (
            lambda: plan_tiles(
                (9, 9), tile=3, strategy=Strategy.exact(ReceptiveField(((1, 1), (1, 1)), (2, 2)))
            ),
            "multiple of 2",
        ),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
