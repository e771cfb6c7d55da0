"""An animated PNG of a reconstruction beside its truth; Snakemake's report shows no GIF, but downloads it."""

from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from spatial_prediction import files
from spatial_prediction.plotting import style
from spatial_prediction.studies.interpolation.figures import looks
from spatial_prediction.studies.interpolation.figures.reconstruction import Reconstruction, draw_image

MILLISECONDS = 250
"""A frame is shown so long."""

DOTS_PER_INCH = 110

TITLES = ("Truth", "Observed", "Reconstruction", "Standard deviation")


@style.styled
def write_animation(reconstruction: Reconstruction, path: Path) -> None:
    """Write all frames that were reconstructed: truth, observed pixels, reconstruction, its deviation."""
    frames = reconstruction.shown
    limits = reconstruction.limits(frames)
    _, height, width = reconstruction.truth.shape
    figure = Figure(figsize=(7.0, 0.9 + 6.2 * height / width), dpi=DOTS_PER_INCH, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    drawn = {}
    for axes, title in zip(figure.subplots(2, 2).flat, TITLES, strict=True):
        axes.set_title(title)
        axes.set_facecolor("0.85")
        like = "Truth" if title == "Observed" else title
        blank = np.zeros((height, width))
        drawn[title] = draw_image(axes, blank, like, limits[like])
        if title != "Observed":
            figure.colorbar(drawn[title], ax=axes, shrink=0.85, label=reconstruction.units)
    heading = figure.suptitle(" ", fontsize=8)
    pictures: list[Image.Image] = []
    for frame in frames:
        images = reconstruction.panels(frame)
        seen = np.where(reconstruction.known[frame], reconstruction.truth[frame], np.nan)
        images["Observed"] = looks.upright(seen, reconstruction.north_first)
        for title in TITLES:
            drawn[title].set_data(images[title])
        part = reconstruction.frames.part_of(frame)
        heading.set_text(f"{reconstruction.model}: {part} frame {frame}")
        canvas.draw()
        if not pictures:
            figure.set_layout_engine("none")  # nothing moves from now on
        pictures.append(Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy()))
    with files.written_aside(path) as temporary:
        pictures[0].save(
            temporary, format="PNG", save_all=True, append_images=pictures[1:], duration=MILLISECONDS, loop=0
        )
