"""A PDF of a reconstruction, a page for each frame."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from spatial_prediction import files
from spatial_prediction.plotting import style
from spatial_prediction.studies.interpolation.figures import looks
from spatial_prediction.studies.interpolation.figures.reconstruction import (
    PANELS,
    Reconstruction,
    draw_image,
)

WIDTH, HEADINGS = 9.0, 1.2
"""Inches: width of a page, and height of what is no picture."""


@style.styled
def write_pages(reconstruction: Reconstruction, parts: Sequence[str], path: Path) -> None:
    """Write the frames of some parts of the field: truth, reconstruction, standard deviation, absolute error.

    Observed pixels are marked on the truth; colours mean the same on all pages of a part. With no part there
    is one page that says so.
    """
    style.quiet_fonts()
    nothing: dict[str, None] = {"CreationDate": None}
    with files.written_aside(path) as temporary, PdfPages(temporary, metadata=nothing) as pdf:
        if not parts:
            figure = Figure(figsize=(WIDTH, WIDTH / 2))
            figure.text(0.5, 0.5, "interpolation.figures.pages names no part of the field", ha="center")
            pdf.savefig(figure)
        for part in parts:
            _write_part(pdf, reconstruction, part)


def _write_part(pdf: PdfPages, reconstruction: Reconstruction, part: str) -> None:
    frames = reconstruction.frames.of(part)
    limits = reconstruction.limits(frames)
    _, rows, columns = reconstruction.truth.shape
    height = HEADINGS + min(max(0.77 * WIDTH * rows / columns, 1.5), WIDTH)
    figure = Figure(figsize=(WIDTH, height))
    space = {"left": 0.03, "right": 0.95, "top": 1 - 0.65 / height, "bottom": 0.15 / height, "hspace": 0.3}
    grid = figure.subplots(2, 2, gridspec_kw=space)
    first = reconstruction.panels(frames.start)
    drawn = {}
    for axes, title in zip(grid.flat, PANELS, strict=True):
        axes.set_title(title)
        drawn[title] = draw_image(axes, first[title], title, limits[title])
        figure.colorbar(drawn[title], ax=axes, shrink=0.9, label=reconstruction.units)
    heading = figure.suptitle("", fontsize=9)
    for frame in frames:
        for title, image in reconstruction.panels(frame).items():
            drawn[title].set_data(image)
        for mark in list(grid.flat[0].lines):
            mark.remove()
        looks.mark_observed(grid.flat[0], reconstruction.known[frame], reconstruction.north_first, size=2.0)
        heading.set_text(
            f"{reconstruction.model}, {looks.mask_label(reconstruction.mask)}: {part} frame {frame}"
        )
        pdf.savefig(figure)
