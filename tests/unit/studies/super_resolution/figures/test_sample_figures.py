import numpy as np
import pytest
from matplotlib.patches import Rectangle

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.plotting import style
from spatial_prediction.studies.super_resolution.figures import padded_samples, upscaled_samples
from spatial_prediction.studies.super_resolution.figures.padded_samples import STRIPE_GREY

PAD_WIDTH = ((1, 2), (3, 4))


def test_known_area_is_outlined_along_its_outer_edge():
    figure = padded_samples({"zero": np.zeros((10, 12, 3)), "repl": np.ones((10, 12, 3))}, PAD_WIDTH)
    assert [axes.get_title() for axes in figure.axes] == ["zero", "repl"]
    outlines = [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]
    assert {outline.get_bbox().bounds for outline in outlines} == {(2.5, 0.5, 5.0, 7.0)}


def test_grid_grows_by_rows_and_unused_places_stay_blank():
    figure = padded_samples({str(n): np.zeros((8, 8, 3)) for n in range(4)}, ((1, 1), (1, 1)))
    assert len(figure.axes) == 6
    assert [axes.axison for axes in figure.axes] == [True] * 4 + [False] * 2
    figure.draw_without_rendering()


def test_what_is_brighter_than_the_scale_is_striped_and_framed_so_that_it_is_not_taken_for_paper():
    image = np.full((8, 8, 3), 0.4)
    image[:, :2] = 1.0  # the border that zero padding makes beside a dark scene, clipped
    image[:, 6:] = (1.0, 1.0, 0.2)  # bright, but of a colour
    figure = padded_samples({"zero": image}, ((0, 0), (2, 2)))
    (axes,) = figure.axes
    drawn = axes.images[0].get_array()
    assert sorted(set(drawn[:, :2].ravel().tolist())) == [STRIPE_GREY, 1.0]
    np.testing.assert_array_equal(drawn[:, 2:], image[:, 2:])
    assert all(spine.get_visible() for spine in axes.spines.values())


def test_many_images_stay_on_a_page():
    images = {str(n): np.zeros((8, 8, 3)) for n in range(29)}
    for figure in (padded_samples(images, ((1, 1), (1, 1))), upscaled_samples(_columns(28))):
        width, height = figure.get_size_inches()
        assert width <= style.PAGE_WIDTH
        assert height < 10


def _columns(presets: int) -> dict[str, np.ndarray]:
    return {str(n): np.zeros((3, 4, 4, 3)) for n in range(presets + 3)}


def test_columns_that_do_not_fit_go_on_below():
    figure = upscaled_samples(_columns(8))
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[:4] == ["0", "1", "2", "3"]
    assert titles[6 * 3 : 6 * 3 + 5] == ["6", "7", "8", "9", "10"]
    assert figure.get_size_inches()[0] <= style.PAGE_WIDTH


@pytest.mark.parametrize(
    ("images", "pad_width", "named"),
    [
        ({}, PAD_WIDTH, "none given"),
        ({"zero": np.zeros((3, 10, 12))}, PAD_WIDTH, r"'zero' has shape \(3, 10, 12\)"),
        ({"a": np.zeros((9, 9, 3)), "b": np.zeros((9, 8, 3))}, PAD_WIDTH, r"'b' has shape \(9, 8, 3\)"),
        ({"zero": np.zeros((3, 12, 3))}, PAD_WIDTH, "leaves no known area in images of 3 x 12"),
    ],
)
def test_unusable_images_are_named(images, pad_width, named):
    with pytest.raises(ConfigurationError, match=named):
        padded_samples(images, pad_width)


def test_samples_stand_in_rows_and_may_differ_in_size_between_columns():
    figure = upscaled_samples({"Low": np.zeros((2, 4, 4, 3)), "Target": np.ones((2, 16, 16, 3))})
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["Low", "Target", "", ""]
    figure.draw_without_rendering()


@pytest.mark.parametrize(
    ("columns", "named"),
    [
        ({}, "equally many samples"),
        ({"Low": np.zeros((0, 4, 4, 3))}, "equally many samples"),
        ({"Low": np.zeros((1, 4, 4, 3)), "Target": np.zeros((2, 4, 4, 3))}, "'Low': 1, 'Target': 2"),
        ({"Low": np.zeros((1, 3, 4, 4))}, r"'Low' has shape \(1, 3, 4, 4\)"),
    ],
)
def test_unusable_columns_are_named(columns, named):
    with pytest.raises(ConfigurationError, match=named):
        upscaled_samples(columns)
