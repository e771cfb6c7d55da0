r"""Claim: synthetic scenes resemble real ones where it matters to a border: edges, texture, smoothness.

Draws pictures, histograms and power spectra of both, and writes a table of statistics
(docs/synthetic_scenes.md). Example:

  python benchmarks/synthetic_scenes.py --real FOLDER --synthetic FOLDER \
      --figure scenes.png --table scenes.csv
"""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float, Int16, UInt8
from matplotlib import colors
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from spatial_prediction import command
from spatial_prediction.errors import ConfigurationError
from spatial_prediction.files import written_aside
from spatial_prediction.plotting.colour import linear_to_srgb
from spatial_prediction.progress import progress
from spatial_prediction.rasters.scenes import list_scenes, read_scene
from spatial_prediction.reflectance import DN_PER_REFLECTANCE
from spatial_prediction.studies.super_resolution.config import UPSCALE_FACTOR

SIZE = 512
"""Rows and columns of each scene that are compared."""
TILE = 30
"""Low-resolution pixels across a tile, including the padded ring."""
FIT_RANGE = (0.03, 0.2)
"""Frequencies, in cycles per pixel, between which a spectrum's slope is fitted: larger than objects, and free
of the sensor's blur."""
WHITE = 0.25
"""Reflectance shown as white."""
THUMBNAILS = 4
BAND_COLOURS = {"red (B04)": "#D55E00", "green (B03)": "#009E73", "blue (B02)": "#0072B2"}  # Okabe and Ito
GROUP_COLOURS = ("#000000", "#E69F00")
GREEN_BAND = 1

Scene = Int16[np.ndarray, "size size 3"]


def radial_spectrum(band: Float[np.ndarray, "size size"]) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies in cycles per pixel, and the power there, averaged over directions, per unit variance."""
    window = np.hanning(len(band))
    windowed = (band - band.mean()) * window[:, None] * window
    power = np.abs(np.fft.fft2(windowed)) ** 2 / (band.var() * (window**2).sum() ** 2)
    frequency = np.fft.fftfreq(len(band))
    radius = np.hypot(frequency[:, None], frequency).ravel()
    edges = np.geomspace(1 / 128, 0.5, 31)
    total, _ = np.histogram(radius, edges, weights=power.ravel())
    count, _ = np.histogram(radius, edges)
    return np.sqrt(edges[1:] * edges[:-1]), total / count


def spectral_slope(frequency: np.ndarray, power: np.ndarray) -> float:
    """Exponent of the power law that fits the spectrum best within ``FIT_RANGE``."""
    fitted = (frequency > FIT_RANGE[0]) & (frequency < FIT_RANGE[1])
    return float(np.polyfit(np.log(frequency[fitted]), np.log(power[fitted]), 1)[0])


def replication_nmse(scene: Scene) -> float:
    """Error of replication padding by one low-resolution pixel, over the variance of the pixels predicted.

    The scene is averaged to low resolution and cut into tiles; each tile's outermost ring is predicted from
    the pixels within.
    """
    high_res = scene.astype(np.float64) / DN_PER_REFLECTANCE
    rows = SIZE // UPSCALE_FACTOR
    low_res = high_res.reshape(rows, UPSCALE_FACTOR, rows, UPSCALE_FACTOR, 3).mean((1, 3))
    low_res -= low_res.mean((0, 1))
    ring = np.ones((TILE, TILE), bool)
    ring[1:-1, 1:-1] = False
    error, variance = 0.0, 0.0
    for top in range(0, rows - TILE + 1, TILE):
        for left in range(0, rows - TILE + 1, TILE):
            tile = low_res[top : top + TILE, left : left + TILE]
            padded = np.pad(tile[1:-1, 1:-1], ((1, 1), (1, 1), (0, 0)), mode="edge")
            error += float(((padded - tile)[ring] ** 2).sum())
            variance += float((tile[ring] ** 2).sum())
    return error / variance


def scene_statistics(scene: Scene) -> dict[str, float]:
    """Measures of edges, texture and smoothness; DN are reflectance x 10,000."""
    dn = scene.astype(np.float64)
    green = dn[..., GREEN_BAND]
    correlation = np.asarray(np.corrcoef(dn.reshape(-1, 3).T))
    gradient = np.diff(green, axis=1)
    return {
        "mean, red (DN)": dn[..., 0].mean(),
        "mean, green (DN)": green.mean(),
        "mean, blue (DN)": dn[..., 2].mean(),
        "standard deviation, red (DN)": dn[..., 0].std(),
        "standard deviation, green (DN)": green.std(),
        "standard deviation, blue (DN)": dn[..., 2].std(),
        "correlation, red and green": correlation[0, 1],
        "correlation, red and blue": correlation[0, 2],
        "spectral slope, green": spectral_slope(*radial_spectrum(green)),
        "replication-padding NMSE at low resolution": replication_nmse(scene),
        "gradient over standard deviation, green": gradient.std() / green.std(),
        "kurtosis of the gradient, green": (gradient**4).mean() / (gradient**2).mean() ** 2,
    }


def statistics_table(groups: dict[str, list[Scene]]) -> pd.DataFrame:
    """Median and range over the scenes of each group, a row for each statistic."""
    columns = {}
    for name, scenes in groups.items():
        statistics = pd.DataFrame([scene_statistics(scene) for scene in scenes])
        columns[f"{name} median"] = statistics.median()
        columns[f"{name} minimum"] = statistics.min()
        columns[f"{name} maximum"] = statistics.max()
    return pd.DataFrame(columns).rename_axis("statistic")


def true_colour(scene: Scene) -> UInt8[np.ndarray, "size size 3"]:
    """Encode a scene for the screen: sRGB, with the same white for every scene."""
    return np.rint(255 * linear_to_srgb(scene / (DN_PER_REFLECTANCE * WHITE))).astype(np.uint8)


def plot_comparison(groups: dict[str, list[Scene]]) -> Figure:
    """Draw thumbnails of both groups above histograms and spectra."""
    figure = Figure(figsize=(8.4, 7.6), layout="constrained", dpi=110)
    figure.suptitle(
        f"True colour, 5.12 km across, from dark to bright; white = reflectance {WHITE}", fontsize=10
    )
    halves = figure.add_gridspec(2, 1, height_ratios=(1.45, 1))
    pictures, plots = halves[0].subgridspec(len(groups), THUMBNAILS), halves[1].subgridspec(1, 2)
    for row, (name, scenes) in enumerate(groups.items()):
        for column, scene in enumerate(_dark_to_bright(scenes)):
            axes = figure.add_subplot(pictures[row, column])
            axes.imshow(true_colour(scene), interpolation="antialiased")
            axes.set(xticks=[], yticks=[], ylabel=name if column == 0 else "")
    _plot_histograms(figure.add_subplot(plots[0]), groups)
    _plot_spectra(figure.add_subplot(plots[1]), groups)
    return figure


def _dark_to_bright(scenes: list[Scene]) -> list[Scene]:
    """The scene in the middle of each quarter of the group by mean brightness; not selected by hand."""
    ranked = sorted(scenes, key=lambda scene: float(scene.mean()))
    return [ranked[int((quarter + 0.5) / THUMBNAILS * len(scenes))] for quarter in range(THUMBNAILS)]


def _plot_histograms(axes: Axes, groups: dict[str, list[Scene]]) -> None:
    edges = np.geomspace(100, 16_000, 90)
    for (name, scenes), style in zip(groups.items(), ("--", "-"), strict=True):
        for band, (label, colour) in enumerate(BAND_COLOURS.items()):
            values = np.concatenate([scene[..., band].ravel() for scene in scenes])
            counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
            share = counts / counts.sum() / np.diff(np.log10(edges))
            axes.plot(np.sqrt(edges[1:] * edges[:-1]), share, style, color=colour, label=f"{label}, {name}")
    axes.set(xscale="log", xlabel="DN (reflectance x 10,000)", ylabel="share of the pixels per decade")
    axes.set_title("Histograms", fontsize=10)
    axes.legend(fontsize=7, frameon=False)


def _plot_spectra(axes: Axes, groups: dict[str, list[Scene]]) -> None:
    for (name, scenes), colour, style in zip(groups.items(), GROUP_COLOURS, ("--", "-"), strict=True):
        spectra = [radial_spectrum(scene[..., GREEN_BAND].astype(np.float64)) for scene in scenes]
        frequency, power = spectra[0][0], np.array([power for _, power in spectra])
        middle = np.exp(np.log(power).mean(0))
        slope = spectral_slope(frequency, middle)
        axes.fill_between(frequency, power.min(0), power.max(0), color=colour, alpha=0.18, linewidth=0)
        axes.plot(frequency, middle, style, color=colour, label=f"{name}, slope {slope:.2f}")
    axes.axvspan(*FIT_RANGE, color="0.92", zorder=0)
    axes.set(xscale="log", yscale="log", xlabel="frequency (cycles per pixel of 10 m)")
    axes.set_ylabel("power per unit variance (pixel²)")
    axes.set_title("Power spectra, green: geometric mean and range", fontsize=10)
    axes.legend(fontsize=8, frameon=False, title="fitted in the grey band", title_fontsize=8)


def save_small_png(figure: Figure, path: Path) -> None:
    """Save a figure as a PNG of 256 colours, a third of the size without a visible difference."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    image = Image.open(buffer).convert("RGB")
    # Thin lines have too few pixels to get a colour from the quantiser, so their colours are fixed
    # beforehand.
    colours = [colors.to_rgb(colour) for colour in (*BAND_COLOURS.values(), *GROUP_COLOURS, "white", "0.92")]
    reserved = [round(255 * channel) for colour in colours for channel in colour]
    common = (image.quantize(256 - len(colours)).getpalette() or [])[: 768 - len(reserved)]
    palette = Image.new("P", (1, 1))
    palette.putpalette(reserved + common)
    with written_aside(path) as temporary:
        image.quantize(palette=palette, dither=Image.Dither.NONE).save(temporary, optimize=True)


def read_scenes(directory: Path, pattern: str, name: str) -> list[Scene]:
    """Read all scenes of a folder; ``name`` says which folder, for messages."""
    paths = list_scenes(directory, pattern)
    if len(paths) < THUMBNAILS:
        raise ConfigurationError(
            f"--{name} {directory} has {len(paths)} scenes that fit {pattern}; "
            f"hand in a folder of at least {THUMBNAILS}."
        )
    shown = progress(paths, total=len(paths), description=f"Reading {name} scenes", unit="scenes")
    return [read_scene(path, size=SIZE) for path in shown]


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse ``arguments``, compare the two folders, write figure and table."""
    parser = command.argument_parser(__doc__ or "")
    parser.add_argument("--real", type=Path, required=True, help="folder of real scenes")
    parser.add_argument("--real-pattern", default="*.nc", help="which of its files to compare with")
    parser.add_argument("--synthetic", type=Path, required=True, help="folder of synthetic scenes")
    parser.add_argument("--figure", type=Path, required=True, help="PNG file to write")
    parser.add_argument("--table", type=Path, required=True, help="CSV file to write")
    options = parser.parse_args(arguments)
    groups = {
        "real": read_scenes(options.real, options.real_pattern, "real"),
        "synthetic": read_scenes(options.synthetic, "*.nc", "synthetic"),
    }
    save_small_png(plot_comparison(groups), options.figure)
    with written_aside(options.table) as temporary:
        statistics_table(groups).to_csv(temporary, float_format="%.4g")


if __name__ == "__main__":
    command.run(main)
