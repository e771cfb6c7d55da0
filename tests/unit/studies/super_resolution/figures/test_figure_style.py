import matplotlib
import pytest
from matplotlib.figure import Figure
from tests.study_tables import PUBLISHED

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.plotting import style
from spatial_prediction.plotting.style import save_figure
from spatial_prediction.studies.super_resolution.figures import looks


def test_every_published_preset_has_a_look_of_its_own():
    given = [looks.preset_look(preset, crop) for preset, crop in PUBLISHED.items()]
    assert len(set(given)) == len(given)


def test_padding_keeps_colour_and_marker_whatever_the_crop():
    bare, cropped = looks.preset_look("lp2x3"), looks.preset_look("lp2x3_oc5", 5)
    assert (bare.colour, bare.marker) == (cropped.colour, cropped.marker)
    assert bare.line_style != cropped.line_style


def test_unknown_presets_look_the_same_each_time():
    assert looks.preset_look("lp9x9cs", 3) == looks.preset_look("lp9x9cs", 3)
    assert looks.preset_look("Mirror of my own").marker


def test_drawing_leaves_global_settings_alone():
    size_within = style.styled(lambda: matplotlib.rcParams["font.size"])
    before = matplotlib.rcParams["font.size"]
    assert size_within() == style.RC_PARAMETERS["font.size"] != before
    assert matplotlib.rcParams["font.size"] == before


def _figure() -> Figure:
    figure = style.new_figure(1.0)
    figure.subplots().plot([1, 2], [3, 4], label="a line")
    return figure


def test_equal_figures_give_equal_files(tmp_path):
    first = save_figure(_figure(), tmp_path / "one" / "plot.v1", style.FORMATS)
    second = save_figure(_figure(), tmp_path / "two" / "plot.v1", style.FORMATS)
    assert [path.name for path in first] == ["plot.v1.pdf", "plot.v1.png", "plot.v1.svg"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_unknown_format_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ConfigurationError, match=r"'bmp' is not offered; choose among pdf, png, svg"):
        save_figure(_figure(), tmp_path / "plot", ["png", "bmp"])
    assert not list(tmp_path.iterdir())


def test_failed_drawing_leaves_nothing_behind(tmp_path):
    figure = _figure()
    figure.axes[0].set_title(r"$\undefined$")
    with pytest.raises(ValueError, match="undefined"):
        save_figure(figure, tmp_path / "plot", ["png"])
    assert not list(tmp_path.iterdir())


def test_log_axis_only_for_wide_ranges():
    axes = style.new_figure(1.0).subplots()
    style.log_if_wide(axes.yaxis, [1.0, 2.0])
    assert axes.get_yscale() == "linear"
    style.log_if_wide(axes.yaxis, [1.0, 20.0])
    assert axes.get_yscale() == "log"
    style.log_if_wide(axes.xaxis, [])
    assert axes.get_xscale() == "linear"


def test_seeds_have_markers_of_their_own_whatever_their_numbers():
    twelve = looks.seed_points(range(100, 112))
    assert len({points["marker"] for points in twelve.values()}) == 12
    many = looks.seed_points([4294967295, *range(20), 3])
    looked = {(points["marker"], points["fillstyle"]) for points in many.values()}
    assert len(many) == len(looked) == 21
    assert list(many) == [*range(20), 4294967295]
