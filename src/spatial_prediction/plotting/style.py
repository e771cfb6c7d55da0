"""How figures look and are written: sizes, settings of Matplotlib, ticks that do not collide."""

import functools
import itertools
import logging
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import matplotlib
from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from spatial_prediction import files
from spatial_prediction.errors import ConfigurationError

COLUMN_WIDTH = 3.5
"""Width of a figure in inches: one column of a two-column page."""

PAGE_WIDTH = 7.16
"""Width of a figure with many panels in inches: both columns of the page."""

GROUND: dict[str, Any] = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
"""Box behind text among data, so that no line crosses the text."""

REACH = 0.5
"""How far beyond its values an axis is extended to show a line of comparison: the span of the values, or this
share of the largest value if that is more."""

LABEL_GAP = 3.0
"""Smallest distance between neighbouring tick labels, hundredths of an inch."""

FORMATS = ("pdf", "png", "svg")

RC_PARAMETERS: dict[str, Any] = {
    "font.family": "DejaVu Sans",  # comes with Matplotlib, so that pictures do not depend on the machine
    "font.size": 7,
    "axes.labelsize": 7,
    "axes.titlesize": 7.5,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "legend.fontsize": 6.2,
    "legend.frameon": False,
    "legend.handlelength": 2.2,
    "legend.columnspacing": 1.2,
    "legend.labelspacing": 0.35,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "grid.color": "0.9",
    "grid.linewidth": 0.5,
    "lines.linewidth": 1.0,
    "lines.markersize": 4.0,
    "lines.markeredgewidth": 0.8,
    "savefig.dpi": 300,
    "pdf.fonttype": 42,  # text stays text
    "svg.hashsalt": "spatial_prediction",
}

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def styled(draw: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Let a function draw with this module's settings without changing the global ones."""

    @functools.wraps(draw)
    def draw_styled(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        with matplotlib.rc_context(RC_PARAMETERS):  # type: ignore[arg-type]
            return draw(*args, **kwargs)

    return draw_styled


def new_figure(height: float, width: float = COLUMN_WIDTH) -> Figure:
    """Make an empty figure, of one column's width by default; sizes in inches."""
    return Figure(figsize=(width, height), layout="constrained")


def panel_grid(count: int, few: int, narrow: int, wide: int) -> tuple[int, int, float]:
    """Choose rows, columns and figure width in inches for ``count`` panels.

    Args:
        count: number of panels, at least 1.
        few: the most panels that are put on one column of a page; more take its whole width.
        narrow: panels side by side on one column of the page.
        wide: panels side by side on the whole width.
    """
    most, width = (narrow, COLUMN_WIDTH) if count <= few else (wide, PAGE_WIDTH)
    columns = min(most, count)
    return math.ceil(count / columns), columns, width


def new_picture_grid(height: float, width: float = COLUMN_WIDTH) -> Figure:
    """Make an empty figure, of one column's width by default, with little space between panels."""
    engine = ConstrainedLayoutEngine(w_pad=0.02, h_pad=0.02, wspace=0, hspace=0)
    return Figure(figsize=(width, height), layout=engine)


@styled
def save_figure(figure: Figure, path_without_suffix: str | Path, formats: Sequence[str]) -> list[Path]:
    """Write a figure in several formats, each file complete or not at all.

    The files hold no date, so that equal figures give equal bytes.

    Args:
        figure: the figure.
        path_without_suffix: path to which each format's suffix is added.
        formats: any of ``pdf``, ``png``, ``svg``.

    Returns:
        The paths written.

    Raises:
        ConfigurationError: when a format is none of these.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        raise ConfigurationError(
            f"formats: '{unknown[0]}' is not offered; choose among {', '.join(FORMATS)}."
        )
    quiet_fonts()
    paths = [Path(f"{path_without_suffix}.{name}") for name in formats]
    for path, name in zip(paths, formats, strict=True):
        with files.written_aside(path) as temporary:
            figure.savefig(temporary, format=name, metadata=_METADATA[name])
    return paths


def quiet_fonts() -> None:
    """Keep the subsetting of fonts from logging every glyph at the level that scripts show."""
    logging.getLogger("fontTools.subset").setLevel(logging.WARNING)


_METADATA: dict[str, dict[str, None]] = {
    "pdf": {"CreationDate": None},
    "png": {"Software": None},
    "svg": {"Date": None},
}


def log_if_wide(axis: Axis, values: Sequence[float], ratio: float = 3.0) -> None:
    """Make an axis logarithmic, with plain numbers, when its values span more than ``ratio``."""
    positive = [value for value in values if value > 0]
    if not positive or max(positive) <= ratio * min(positive):
        return
    axis._set_axes_scale("log")  # type: ignore[attr-defined]
    plain_log_ticks(axis)


def plain_log_ticks(axis: Axis, most: int = 6) -> None:
    """Label a logarithmic axis with plain numbers, as many as suit its current range."""
    low, high = axis.get_view_interval()
    if high < 5 * low:
        axis.set_major_locator(ticker.MaxNLocator(most, steps=[1, 2, 5, 10]))
        axis.set_minor_locator(ticker.NullLocator())
    else:
        axis.set_major_locator(ticker.LogLocator(subs=(1.0, 2.0, 3.0, 5.0) if high < 100 * low else (1.0,)))
    axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(ticker.NullFormatter())


def within_reach(line: Sequence[float], values: Sequence[float]) -> bool:
    """Return whether an axis that shows ``values`` can also show ``line`` without squeezing them.

    Args:
        line: values of the line of comparison.
        values: the values compared with it; if there are none, the axis shows the line.
    """
    shown = [value for value in values if math.isfinite(value)]
    if not shown:
        return True
    reach = max(max(shown) - min(shown), REACH * max(shown))
    return min(shown) - reach <= min(line) and max(line) <= max(shown) + reach


def settle_ticks(figure: Figure) -> None:
    """Thin out the ticks of each axis until no labels touch; fixed ticks stay as they are."""
    figure.draw_without_rendering()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            if isinstance(axis.get_major_locator(), ticker.FixedLocator):
                continue
            for locator in _fewer_ticks(axis):
                if not labels_collide(axis):
                    break
                axis.set_major_locator(locator)
                figure.draw_without_rendering()


def labels_collide(axis: Axis) -> bool:
    """Return whether labels of an axis touch in the figure as it was last drawn."""
    low, high = sorted(axis.get_view_interval())
    ticks = zip(axis.get_majorticklocs(), axis.get_majorticklabels(), strict=False)
    boxes = [
        label.get_window_extent()
        for place, label in ticks
        if low <= place <= high and label.get_visible() and label.get_text()
    ]
    if axis is axis.axes.xaxis:
        ends = sorted((box.x0, box.x1 + LABEL_GAP) for box in boxes)
    else:
        ends = sorted((box.y0, box.y1) for box in boxes)
    return any(second[0] < first[1] for first, second in itertools.pairwise(ends))


def _fewer_ticks(axis: Axis) -> list[ticker.Locator]:
    low, high = sorted(axis.get_view_interval())
    if axis.get_scale() == "log" and high >= 5 * low:
        choices: list[tuple[float, ...]] = [(1.0, 2.0, 5.0), (1.0, 3.0), (1.0,)]
        return [*(ticker.LogLocator(subs=subs) for subs in choices), ticker.LogLocator(numticks=3)]
    return [ticker.MaxNLocator(most, steps=[1, 2, 5, 10]) for most in (5, 4, 3, 2, 1)]


def say_empty(axes: Axes, message: str) -> None:
    """Write in the middle of empty axes why nothing is drawn there."""
    axes.text(
        0.5, 0.5, message, transform=axes.transAxes, ha="center", va="center", color="0.35", bbox=GROUND
    )
