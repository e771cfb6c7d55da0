"""Figure: lossless bits per sample against speed."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from spatial_prediction.plotting import style
from spatial_prediction.studies.compression.figures import looks
from spatial_prediction.studies.compression.results import lossless

PANEL, LEGEND = 2.8, 1.15
"""Inches for a row of panels and for what stands once."""


@style.styled
def compression_speed(measurements: pd.DataFrame) -> Figure:
    """Draw each codec's bits per sample against how fast it encodes and decodes on one core.

    Low and to the right is best.

    Args:
        measurements: columns cube, codec, delta, rows, columns, bands, bits_per_sample, encode_seconds,
            decode_seconds.
    """
    cubes = list(dict.fromkeys(measurements["cube"]))
    figure = style.new_figure(LEGEND + PANEL * len(cubes), style.PAGE_WIDTH)
    grid = figure.subplots(len(cubes), 2, squeeze=False, sharey="row")
    shown: dict[str, Line2D] = {}
    for panels, cube in zip(grid, cubes, strict=True):
        table = lossless(measurements, cube)
        samples = table["rows"] * table["columns"] * table["bands"]
        for axes, way in zip(panels, ("encode", "decode"), strict=True):
            speeds = samples / table[f"{way}_seconds"] / 1e6
            for codec, speed, rate in zip(table["codec"], speeds, table["bits_per_sample"], strict=True):
                if not np.isfinite([speed, rate]).all():
                    continue
                (shown[codec],) = axes.plot(speed, rate, linestyle="", **looks.look(codec))
            style.log_if_wide(axes.xaxis, [speed for speed in speeds if np.isfinite(speed)])
            axes.set_title(f"{cube}, {'encoding' if way == 'encode' else 'decoding'}")
            axes.grid()
        panels[0].set_ylabel("Bits per sample")
    codecs = looks.in_order(list(shown))
    handles = [shown[codec] for codec in codecs]
    figure.legend(handles, [looks.label(codec) for codec in codecs], loc="outside upper center", ncols=3)
    figure.supxlabel("Million samples per second of processor time, one core", fontsize=7)
    style.settle_ticks(figure)
    return figure
