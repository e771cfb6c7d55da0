import numpy as np
import pytest
from matplotlib.patches import Rectangle

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.figures import padded_samples, training_samples

PAD_WIDTH = ((1, 2), (3, 4))


def test_known_area_is_outlined_along_its_outer_edge():
    figure = padded_samples({"zero": np.zeros((10, 12, 3)), "repl": np.ones((10, 12, 3))}, PAD_WIDTH)
    assert [axes.get_title() for axes in figure.axes] == ["zero", "repl"]
    outlines = [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]
    assert {outline.get_bbox().bounds for outline in outlines} == {(2.5, 0.5, 5.0, 7.0)}


def test_grid_grows_by_rows_and_unused_places_stay_blank():
    figure = padded_samples({str(n): np.zeros((8, 8, 3)) for n in range(4)}, ((1, 1), (1, 1)))
    assert len(figure.axes) == 6
    assert not any(axes.axison for axes in figure.axes)
    figure.draw_without_rendering()


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
    figure = training_samples({"Low": np.zeros((2, 4, 4, 3)), "Target": np.ones((2, 16, 16, 3))})
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
        training_samples(columns)
