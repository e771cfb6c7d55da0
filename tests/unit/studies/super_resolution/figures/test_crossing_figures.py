"""Where four tiles meet, as pictures; samples of several scenes; expected errors."""

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from spatial_prediction.plotting import style
from spatial_prediction.studies.super_resolution import metrics
from spatial_prediction.studies.super_resolution.crossings import root_mean_square
from spatial_prediction.studies.super_resolution.figures import (
    blur_theory,
    inputs_and_targets,
    lp6x7_samples,
    shift_deviation,
    stitched_corners,
)
from spatial_prediction.studies.super_resolution.figures.shift_deviation import COLOURS, SCALE


def _reflectance(seed, scenes=2):
    return np.random.default_rng(seed).random((scenes, 8, 8, 3)).astype(np.float32)


def _drawn(figure):
    figure.draw_without_rendering()
    width, height = figure.get_size_inches()
    assert width <= style.PAGE_WIDTH
    assert height < 10
    titles = [axes.title.get_window_extent() for axes in figure.axes if axes.get_title()]
    for box in titles:
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.x1 + 1
    return figure


@pytest.mark.parametrize(("presets", "scenes"), [(0, 1), (1, 1), (5, 3), (14, 3), (14, 8)])
def test_each_preset_has_a_column_of_tiles_above_windows_and_the_target_is_last(presets, scenes):
    stitched = {f"preset{n}": _reflectance(n, scenes) for n in range(presets)}
    untiled = {name: _reflectance(100 + n, scenes) for n, name in enumerate(stitched)}
    target = _reflectance(999, scenes)
    figure = _drawn(stitched_corners(stitched, untiled, target, range(scenes)))
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert titles == [*stitched, "(target)"]
    ticked = [axes for axes in figure.axes if axes.images and len(axes.get_xticks())]
    assert len(ticked) == presets * scenes
    for axes in ticked:
        assert list(axes.get_xticks()) == list(axes.get_yticks()) == [3.5]
    assert figure.axes[0].get_ylabel() == "scene 0\nfour tiles"


def test_tiles_and_window_are_shown_in_the_range_of_the_target():
    target = np.linspace(0.1, 0.5, 192, dtype=np.float32).reshape(1, 8, 8, 3)
    figure = stitched_corners({"repl": target}, {"repl": target + 1}, target, [0])
    tiles, window, *targets = (axes.images[0].get_array() for axes in (figure.axes[i] for i in (0, 2, 1, 3)))
    for image in targets:
        np.testing.assert_array_equal(tiles, image)
    assert tiles.min() == 0
    assert tiles.max() == 1
    assert (window == 1).all()


@pytest.mark.parametrize(("presets", "scenes"), [(1, 1), (3, 3), (14, 3)])
def test_deviations_have_one_scale_whatever_their_size(presets, scenes):
    rng = np.random.default_rng(0)
    deviations = {f"lp2x3_oc{n}": rng.random((scenes, 8, 8)) * 10.0**-n for n in range(presets)}
    rms = {name: root_mean_square(deviation) for name, deviation in deviations.items()}
    figure = _drawn(shift_deviation(deviations, rms, range(scenes)))
    bar = figure.axes[-1]
    assert (bar.get_xlim()) == pytest.approx(SCALE)
    assert "reflectance" in bar.get_xlabel()
    label = bar.xaxis.label.get_window_extent()
    assert label.x0 >= 0
    assert label.x1 <= figure.bbox.x1


def test_deviations_are_coloured_by_their_logarithm():
    values = np.array([[[0, SCALE[0], np.sqrt(SCALE[0] * SCALE[1]), SCALE[1], 7.0]]])
    image = shift_deviation({"a": values}, {"a": 0.00345}, [4]).axes[0].images[0].get_array()
    colours = matplotlib.colormaps[COLOURS]
    for pixel, share in zip(image[0], (0.0, 0.0, 0.5, 1.0, 1.0), strict=True):
        np.testing.assert_allclose(pixel, to_rgb(colours(share)), atol=0.01)


def test_the_deviation_of_a_crop_without_any_network_says_so():
    (axes,) = _drawn(shift_deviation({}, {}, [0])).axes
    assert [text.get_text() for text in axes.texts] == ["no successful run"]


@pytest.mark.parametrize("scenes", [1, 3, 8])
def test_scenes_stand_side_by_side_with_the_known_area_outlined(scenes):
    images = {"lp6x7": _reflectance(0, scenes), "truth": _reflectance(1, scenes)}
    figure = _drawn(lp6x7_samples(images, list(range(10, 10 + scenes)), pad=2))
    assert [axes.get_title() for axes in figure.axes if axes.get_title()] == [
        f"scene {n}" for n in range(10, 10 + scenes)
    ]
    shown = [axes for axes in figure.axes if axes.images]
    assert len(shown) == 2 * scenes
    for axes in shown:
        assert {patch.get_bbox().bounds for patch in axes.patches} == {(1.5, 1.5, 4.0, 4.0)}


def test_input_bilinear_and_target_stand_in_columns():
    columns = {"(input)": _reflectance(0), "(bilinear)": _reflectance(1), "(target)": _reflectance(2)}
    figure = _drawn(inputs_and_targets(columns))
    assert [axes.get_title() for axes in figure.axes] == [*columns, "", "", ""]


def test_expected_errors_are_drawn_as_they_are():
    curves = metrics.blur_curves(["zero", "repl", "lp2x3"], 2.0)
    figure = _drawn(blur_theory(curves))
    (axes,) = figure.axes
    assert axes.get_yscale() == "log"
    assert [line.get_label() for line in axes.lines] == ["zero", "repl", "lp2x3"]
    for line in axes.lines:
        blurs = np.asarray(line.get_xdata())
        assert blurs[-1] == 2.0
        np.testing.assert_allclose(line.get_ydata(), metrics.expected_nmse(line.get_label(), blurs))
