r"""Draw the pictures of docs/methods from a scene of the study.

Paddings continue 48 x 48 low-resolution pixels by 12 on each side; convolutions are shown by how far their
result is from the one on the true surroundings. `lp2x3_running` remembers the other scenes of the array, and
the border kernels of `ebh` are fitted to them.

  make study CONFIG=config/sentinel2_scenes.yaml
  python docs/methods/draw.py --scenes resources/sentinel2_scenes/arrays/test.npy
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

from spatial_prediction import command, files
from spatial_prediction.convolution import (
    convolve,
    differential_convolution,
    explicit_boundary_convolution,
    partial_convolution,
)
from spatial_prediction.padding import RunningPrediction, padding_from_name
from spatial_prediction.plotting import style
from spatial_prediction.plotting.colour import linear_to_srgb
from spatial_prediction.studies.super_resolution.data.tiles import open_scene_array
from spatial_prediction.studies.super_resolution.figures import padded_samples
from spatial_prediction.studies.super_resolution.task import pair

KNOWN, PAD = 48, 12
RUNNING = "lp2x3_running"
PADDINGS = {
    "copying": ["zero", "repl", "refl", "circ", "lp2x3"],
    "random": ["repl", "rand"],
    "extrapolation": ["extr1", "extr2", "extr3", "extr4", "lp2x3"],
    "autocorrelation": ["lp1x1", "lp2x1", "lp2x3", "lp4x5", "lp6x7"],
    "covariance": ["lp1x1cs", "lp2x1cs", "lp2x3c", "lp2x3_band8", "lp2x3_decay8"],
    "across_channels": ["repl", "lp1x1", "lp2x3", "lp1x1_across", "lp2x3_across"],
    "choice": ["repl", "auto"],
    "memory": ["lp2x3", RUNNING],
}
"""Picture: the paddings it shows beside the true surroundings."""

CONVOLUTIONS = {"partial_convolution": "part", "differential_convolution": "diff", "explicit_boundary": "ebh"}
"""Picture: the method it shows beside zero padding and replication."""

CONVOLVED = 16
"""Pixels per side of the convolved map: few, because a 3x3 kernel reaches one pixel over the border."""
GREEN = 1
SOBEL = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 8
KERNELS = {"smoothing": np.outer([1, 2, 1], [1, 2, 1]) / 16, "Sobel": SOBEL}


def predicted(name: str, window: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Cut the known area out of ``window`` and continue it with the padding called ``name``."""
    if name == RUNNING:
        padding = RunningPrediction.initialised(PAD, 2, 3, channels=window.shape[-1]).remember(others)
    else:
        padding = padding_from_name(name, PAD)
    known = jnp.asarray(window[PAD:-PAD, PAD:-PAD])
    return np.asarray(eqx.filter_jit(lambda padding, x: padding.extend(x))(padding, known))


def fitted_border_kernels(kernel: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fit what training would find: the kernel and bias of each region that come closest to the whole window.

    Returns:
        Kernels (row regions, column regions, rows, columns, 1, 1) and biases (row regions, column
        regions, 1), by least squares over all windows of ``others`` (scenes, rows, columns).
    """
    windows = np.lib.stride_tricks.sliding_window_view(others, (3, 3), axis=(1, 2)).reshape(-1, 3, 3)
    wanted = np.einsum("nyx,yx->n", windows, kernel)
    seen = (slice(1, 3), slice(0, 3), slice(0, 2))  # by the windows of the first, inner and last pixels
    kernels, biases = np.zeros((3, 3, 3, 3, 1, 1)), np.zeros((3, 3, 1))
    for row, rows in enumerate(seen):
        for column, columns in enumerate(seen):
            visible = windows[:, rows, columns]
            terms = np.concatenate([visible.reshape(len(windows), -1), np.ones((len(windows), 1))], axis=1)
            *taps, bias = np.linalg.lstsq(terms, wanted)[0]
            kernels[row, column, rows, columns, 0, 0] = np.reshape(taps, visible.shape[1:])
            biases[row, column] = bias
    return kernels, biases


def convolved(method: str, kernel: np.ndarray, x: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Convolve the map ``x`` (rows, columns) to the same size by a method."""
    single = jnp.asarray(x, jnp.float32)[..., None]
    weights = jnp.asarray(kernel, jnp.float32)[..., None, None]
    if method == "part":
        result = partial_convolution(single, weights)
    elif method == "diff":
        result = differential_convolution(single, weights)
    elif method == "ebh":
        kernels, biases = fitted_border_kernels(kernel, others)
        result = explicit_boundary_convolution(
            single, jnp.asarray(kernels, jnp.float32), jnp.asarray(biases, jnp.float32)
        )
    else:
        result = convolve(single, weights, padding=padding_from_name(method, 1))
    return np.asarray(result)[..., 0]


@style.styled
def deviations(maps: Mapping[str, Mapping[str, np.ndarray]]) -> Figure:
    """Show maps of differences, kernels by rows and methods by columns.

    Args:
        maps: differences by kernel and method. Colours end at the largest difference of replication.
    """
    columns = len(next(iter(maps.values())))
    figure = style.new_picture_grid(1.26 * len(maps))
    panels = figure.subplots(len(maps), columns, squeeze=False)
    for row, (kernel, by_method) in zip(panels, maps.items(), strict=True):
        largest = np.abs(by_method["repl"]).max()
        for axes, (method, difference) in zip(row, by_method.items(), strict=True):
            image = axes.imshow(difference, cmap="RdBu_r", vmin=-largest, vmax=largest)
            ring = difference.copy()
            ring[1:-1, 1:-1] = np.nan
            axes.set_title(f"{method}, rms {np.sqrt(np.nanmean(ring**2)):#.2g}", pad=2)
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(True)
        row[0].set_ylabel(kernel)
        figure.colorbar(image, ax=list(row), extend="both", fraction=0.05, pad=0.02)
    return figure


def save(figure: Figure, name: str) -> None:
    """Write a picture for a page."""
    path = Path(__file__).parent / "figures" / f"{name}.png"
    with files.written_aside(path) as temporary:
        figure.savefig(temporary, dpi=250, metadata={"Software": None}, pil_kwargs={"optimize": True})


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw according to the arguments."""
    parser = command.argument_parser(__doc__ or "")
    parser.add_argument("--scenes", type=Path, required=True, help="array of scenes, int16 DN")
    parser.add_argument("--scene", type=int, default=0, help="the one shown")
    parser.add_argument("--row", type=int, default=30, help="first low-resolution row shown")
    parser.add_argument("--column", type=int, default=16, help="first low-resolution column shown")
    parser.add_argument("--only", nargs="+", choices=[*PADDINGS, *CONVOLUTIONS], help="pictures to draw")
    options = parser.parse_args(arguments)

    low_res = np.asarray(pair(jnp.asarray(open_scene_array(options.scenes, smallest_size=300)), 4)[0])
    scene, others = low_res[options.scene], np.delete(low_res, options.scene, axis=0)
    size = KNOWN + 2 * PAD
    window = scene[options.row :, options.column :][:size, :size]
    dark, bright = np.percentile(scene, (1, 99), axis=(0, 1))

    for name, paddings in PADDINGS.items():
        if options.only and name not in options.only:
            continue
        images = {"true surroundings": window} | {each: predicted(each, window, others) for each in paddings}
        shown = {each: linear_to_srgb((image - dark) / (bright - dark)) for each, image in images.items()}
        save(padded_samples(shown, ((PAD, PAD), (PAD, PAD))), name)

    for name, method in CONVOLUTIONS.items():
        if options.only and name not in options.only:
            continue
        around = window[: CONVOLVED + 2, : CONVOLVED + 2, GREEN]
        maps = {}
        for title, kernel in KERNELS.items():
            truth = np.einsum("YXyx,yx->YX", np.lib.stride_tricks.sliding_window_view(around, (3, 3)), kernel)
            maps[title] = {
                each: convolved(each, kernel, around[1:-1, 1:-1], others[..., GREEN]) - truth
                for each in ("zero", "repl", method)
            }
        save(deviations(maps), name)


if __name__ == "__main__":
    command.run(main)
