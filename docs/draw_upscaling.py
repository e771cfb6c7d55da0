"""Draw the picture of docs/upscaling.md: a synthetic scene upscaled in tiles, and what one sees of them.

make study
python docs/draw_upscaling.py --model results/models/lp2x3/seed_0.safetensors
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import rasterio
from jaxtyping import Float
from matplotlib.figure import Figure

from spatial_prediction import command, files
from spatial_prediction.models import load_network
from spatial_prediction.plotting import style
from spatial_prediction.plotting.colour import linear_to_srgb
from spatial_prediction.reflectance import DN_PER_REFLECTANCE, dn_from_scaled, scaled_from_dn
from spatial_prediction.studies.super_resolution.data.synthetic import synthetic_scene
from spatial_prediction.upscaling.scenes import upscale
from spatial_prediction.upscaling.settings import UpscaleSettings

SIZE, TILE = 96, 32
STRATEGIES = ("padding", "blend", "exact")
WHITE = 0.3
"""Reflectance shown as white."""

Image = Float[np.ndarray, "bands height width"]


def upscaled(model: Path, dn: np.ndarray) -> dict[str, Image]:
    """Upscale DN (bands, height, width) from file to file by each strategy."""
    images = {}
    with tempfile.TemporaryDirectory() as name:
        source, out = Path(name, "in.tif"), Path(name, "out.tif")
        place = {"crs": "EPSG:32633", "transform": rasterio.transform.from_origin(6e5, 5e6, 10, 10)}
        with rasterio.open(
            source, "w", driver="GTiff", dtype="int16", count=3, height=SIZE, width=SIZE, **place
        ) as file:
            file.write(dn)
            file.descriptions = ("B04", "B03", "B02")
        for strategy in STRATEGIES:
            overlap = 8 if strategy == "blend" else None
            settings = UpscaleSettings(
                strategy=strategy, overlap=overlap, tile=TILE, dtype="float32", format="gtiff", overwrite=True
            )
            upscale(source, out, model=model, settings=settings)
            with rasterio.open(out) as file:
                images[strategy] = file.read()
    return images


@style.styled
def picture(dn: np.ndarray, images: Mapping[str, Image], whole: Image) -> Figure:
    """Show the scene, its upscaled image, and how far that of each strategy is from one made in one piece."""
    figure = style.new_picture_grid(1.6, 7)
    panels = figure.subplots(1, 2 + len(images))
    for axes, title, image in (
        (panels[0], f"{SIZE} x {SIZE}\npixels", dn),
        (panels[1], f"{4 * SIZE} x {4 * SIZE}\npixels", images["exact"]),
    ):
        axes.imshow(linear_to_srgb(np.moveaxis(image, 0, -1) / DN_PER_REFLECTANCE / WHITE))
        axes.set_title(title, pad=2)
    deviations = {name: image - whole for name, image in images.items()}
    largest = float(np.quantile(np.abs(deviations["padding"]), 0.999))
    for axes, (name, deviation) in zip(panels[2:], deviations.items(), strict=True):
        shown = axes.imshow(deviation[1], cmap="RdBu_r", vmin=-largest, vmax=largest)
        axes.set_title(f"{name},\nrms {np.sqrt(np.mean(deviation**2)):.2g} DN", pad=2)
    figure.colorbar(shown, ax=list(panels[2:]), extend="both", fraction=0.05, pad=0.02, label="DN")
    for axes in panels:
        axes.set(xticks=[], yticks=[])
    return figure


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw according to the arguments."""
    parser = command.argument_parser(__doc__ or "")
    parser.add_argument("--model", type=Path, required=True, help="a trained network")
    parser.add_argument("--scene", type=int, default=3, help="index of the synthetic scene")
    options = parser.parse_args(arguments)
    dn = synthetic_scene(seed=0, index=options.scene)[:SIZE, :SIZE].transpose(2, 0, 1)
    network = load_network(options.model, output_crop=0)
    whole = dn_from_scaled(np.asarray(network(scaled_from_dn(jnp.asarray(dn, jnp.float32)))))
    figure = picture(dn, upscaled(options.model, dn), whole)
    path = Path(__file__).parent / "figures" / "upscaled_scene.png"
    with files.written_aside(path) as temporary:
        figure.savefig(temporary, dpi=200, metadata={"Software": None}, pil_kwargs={"optimize": True})


if __name__ == "__main__":
    command.run(main)
