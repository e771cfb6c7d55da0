"""Every figure of studies in all states: legends off the data, labels apart, limits finite, on a page."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from tests.study_tables import DEFAULT, MANY, PUBLISHED, StudyTables, study_tables

from spatial_prediction.plotting import style
from spatial_prediction.studies.super_resolution import figures, metrics
from spatial_prediction.studies.super_resolution.figures import looks

OF_CROP_5 = [preset for preset, crop in DEFAULT.items() if crop == 5]
STUDIES = {
    "default, no network beats bilinear upscaling": lambda: study_tables(DEFAULT, timed=list(DEFAULT)[:5]),
    "published": lambda: study_tables(PUBLISHED, level=546e-6, spread=0.003, bilinear=2598e-6),
    "many rivals": lambda: study_tables(
        MANY, seeds=[0], level=900e-6, bilinear=1100e-6, diverged=["part", ("repl", 0)]
    ),
    "all diverged at the first step": lambda: study_tables(DEFAULT, diverged=list(DEFAULT), first_step=1),
    "all diverged of one output crop": lambda: study_tables(DEFAULT, diverged=OF_CROP_5),
    "one preset, one seed": lambda: study_tables({"lp2x3": 0}, seeds=[0]),
    "one preset, diverged": lambda: study_tables({"lp2x3_oc5": 5}, seeds=[0], diverged=["lp2x3_oc5"]),
    "no timing": lambda: study_tables(DEFAULT, timed=[]),
    "runs that went wild and were not stopped": lambda: study_tables(DEFAULT, level=7e4, spread=0.3),
}
DRAWN = {
    "loss_histories": lambda study: figures.loss_histories(study.history, study.presets, study.runs),
    "test_mse": lambda study: figures.test_mse(
        study.test_mse, study.intervals, study.presets, metrics.BASELINES, study.counts, study.bilinear
    ),
    "shell_mse": lambda study: figures.shell_mse(
        study.shells, study.presets, metrics.bilinear_by_shell(study.bilinear_errors)
    ),
    "throughput": lambda study: figures.throughput(study.results, study.presets),
    "padding_nmse": lambda study: figures.padding_nmse(study.nmse, study.presets),
}


@pytest.fixture(scope="module", params=STUDIES)
def study(request) -> StudyTables:
    return STUDIES[request.param]()


@pytest.fixture(params=DRAWN)
def figure(study, request) -> Figure:
    drawn = DRAWN[request.param](study)
    drawn.draw_without_rendering()
    return drawn


def test_figures_are_sound(figure):
    whole = figure.bbox
    for axes in figure.axes:
        assert np.isfinite([*axes.get_xlim(), *axes.get_ylim()]).all()
        inside = axes.get_window_extent()
        assert inside.width > 0.5 * figure.dpi, "squeezed by what stands beside it"
        assert inside.height > 0.3 * figure.dpi
        for axis in (axes.xaxis, axes.yaxis):
            assert not style.labels_collide(axis)
        if legend := axes.get_legend():
            _assert_beside(legend.get_window_extent(), inside, whole)
    for legend in figure.legends:
        for axes in figure.axes:
            _assert_beside(legend.get_window_extent(), axes.get_window_extent(), whole)
    width, height = figure.get_size_inches()
    assert width <= style.PAGE_WIDTH
    assert height < 10


def _assert_beside(legend, inside, whole):
    apart = legend.y0 >= inside.y1 - 0.5 or legend.y1 <= inside.y0 + 0.5
    assert apart, "the legend lies on the data"
    assert legend.x0 >= whole.x0
    assert legend.x1 <= whole.x1 + 0.5, "the legend leaves the figure"


def _texts(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_a_study_all_of_whose_runs_diverged_at_once_says_so_in_every_panel():
    study = STUDIES["all diverged at the first step"]()
    figure = DRAWN["loss_histories"](study)
    assert [_texts(axes) for axes in figure.axes] == [["diverged\nat step 1"]] * len(DEFAULT)
    assert {axes.get_xscale() for axes in figure.axes} == {"linear"}


def test_a_preset_that_diverged_between_measurements_says_where():
    study = study_tables({"repl": 0, "zero-repl": 0}, diverged=["repl"], first_step=7)
    panels = DRAWN["loss_histories"](study).axes
    assert [_texts(axes) for axes in panels] == [["diverged\nat step 7"], []]
    later = study_tables({"repl": 0, "zero-repl": 0}, diverged=["repl"], first_step=100)
    assert [_texts(axes) for axes in DRAWN["loss_histories"](later).axes] == [[], []]


def test_a_preset_whose_losses_lie_above_the_axis_says_so():
    study = study_tables({"zero-repl": 0, "repl": 0})
    wild = study.history["preset"] == "repl"
    study.history.loc[wild, "test_loss"] *= 1e6
    assert _texts(DRAWN["loss_histories"](study).axes[1]) == ["above\nthe axis"]


def test_losses_that_rise_in_most_presets_are_shown_to_their_end():
    study = study_tables({"zero-repl": 0, "repl": 0, "lp2x3": 0})
    study.history["test_loss"] = 1e-2 * study.history["step"] ** 3.0
    for axes in DRAWN["loss_histories"](study).axes:
        last = axes.lines[-1]
        assert last.get_xdata()[-1] <= axes.get_xlim()[1]
        assert last.get_ydata()[-1] <= axes.get_ylim()[1]
        assert not _texts(axes)


def test_one_preset_that_went_wild_leaves_the_axis_to_the_others():
    study = study_tables({"zero-repl": 0, "repl": 0, "lp2x3": 0})
    usual = DRAWN["loss_histories"](study).axes[0].get_ylim()
    study.history.loc[study.history["preset"] == "repl", "test_loss"] *= 1e9
    assert DRAWN["loss_histories"](study).axes[0].get_ylim() == pytest.approx(usual, rel=0.1)


def _grey_lines(axes) -> list:
    return [line for line in axes.lines if line.get_color() == looks.BILINEAR_LINE["color"]]


def test_bilinear_upscaling_is_a_line_where_it_lies_near_and_an_arrow_where_not():
    near = DRAWN["test_mse"](STUDIES["default, no network beats bilinear upscaling"]()).axes[0]
    study = STUDIES["default, no network beats bilinear upscaling"]()
    drawn = sorted(line.get_xdata()[0] for line in _grey_lines(near))
    assert drawn == pytest.approx(sorted(study.bilinear[crop] * 1e6 for crop in (0, 5)))
    low, high = near.get_xlim()
    assert low <= drawn[0] <= drawn[-1] <= high
    far = DRAWN["test_mse"](STUDIES["published"]()).axes[0]
    assert _grey_lines(far) == []
    headings = [text for text in _texts(far) if "bilinear" in text]
    assert len(headings) == 3
    assert all(text.endswith(" →") for text in headings)


def test_bilinear_upscaling_by_shell_is_named_in_the_legend():
    study = STUDIES["default, no network beats bilinear upscaling"]()
    for axes in DRAWN["shell_mse"](study).axes:
        (line,) = _grey_lines(axes)
        np.testing.assert_allclose(line.get_ydata()[-1], 3600.0, rtol=1e-3)
        assert "bilinear" in [text.get_text() for text in axes.get_legend().get_texts()]
    far = DRAWN["shell_mse"](STUDIES["published"]()).axes[0]
    assert _grey_lines(far) == []
    assert any(text.get_text().startswith("(bilinear: 2600") for text in far.get_legend().get_texts())


def test_the_legend_of_the_throughput_names_what_is_plotted_and_nothing_else():
    timed = ["zero-repl", "lp2x3", "zero_oc5"]
    study = study_tables(DEFAULT, timed=timed, diverged=["lp2x3"])
    (legend,) = DRAWN["throughput"](study).legends
    assert [text.get_text() for text in legend.get_texts()] == ["zero-repl", "zero_oc5"]
    study.timings["images_per_second"] = np.nan  # inference alone was timed
    (legend,) = DRAWN["throughput"](study).legends
    assert [text.get_text() for text in legend.get_texts()] == ["zero-repl", "zero_oc5"]
    assert DRAWN["throughput"](study_tables(DEFAULT, timed=[])).legends == []


@pytest.mark.parametrize("seeds", [[0, 1], range(12), [4294967295, 17, 123456789, 5]])
def test_every_run_is_drawn_with_the_marker_of_its_seed(seeds):
    study = study_tables(DEFAULT, seeds=seeds, diverged=[("repl", seeds[0])])
    figure = DRAWN["test_mse"](study)
    points = looks.seed_points(seeds)
    drawn = {
        (line.get_marker(), round(float(line.get_xdata()[0]), 6))
        for line in figure.axes[0].lines
        if len(line.get_xdata()) == 1 and line.get_markersize() == points[seeds[0]]["markersize"]
    }
    runs = study.test_mse
    assert len(runs) == len(DEFAULT) * len(seeds) - 1
    expected = {
        (points[seed]["marker"], round(mse * 1e6, 6))
        for seed, mse in zip(runs["seed"], runs["mse"], strict=True)
    }
    assert drawn == expected
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [str(seed) for seed in sorted(seeds)]
    markers = [handle.get_marker() for handle in legend.legend_handles]
    assert markers == [points[seed]["marker"] for seed in sorted(seeds)]
