"""Scenes and networks small enough to be upscaled in a test, and what the whole image would give."""

import jax
import jax.numpy as jnp
import numpy as np
import rasterio
from affine import Affine

from spatial_prediction.models import RVSR, border_from_name, load_network
from spatial_prediction.named_arrays import save_arrays
from spatial_prediction.padding import padding_from_name

SIZES = {"hidden_channels": 3, "blocks": 1, "upscale_factor": 4}
BORDERS = {"padding": "repl", "upscale_padding": "repl"}
HALO = 3
TRANSFORM = Affine(10, 0, 600_000, 0, -10, 5_000_000)


def network_file(folder, padding="repl"):
    """A network of three convolutions, whose detail is small beside the bilinear image it is added to."""
    network = RVSR.initialised(
        padding=border_from_name(padding), upscale_padding=padding_from_name("repl", 1), **SIZES,
        key=jax.random.key(1),
    )  # fmt: skip
    arrays = network.to_named_arrays()
    arrays["tail.project.weight"] = arrays["tail.project.weight"] * 0.2
    header = {"preset": "x", **BORDERS, "padding": padding, "output_crop": 2, "model": SIZES}
    path = folder / f"{padding}.safetensors"
    save_arrays(path, arrays, {**header, "run": {"status": "completed"}})
    return path


def scene(height, width, seed=0):
    """DN of three bands: waves and noise, all between 500 and 4500."""
    y, x = np.mgrid[:height, :width]
    waves = np.stack([np.sin(y / 3 + band) * np.cos(x / (4 + band)) for band in range(3)])
    noise = np.random.default_rng(seed).uniform(-500, 500, waves.shape)
    return np.rint(2500 + 1500 * waves + noise).astype(np.uint16)


def write_scene(path, dn, *, transform=TRANSFORM, crs="EPSG:32633", nodata=0, **profile):
    _, height, width = dn.shape
    with rasterio.open(
        path, "w", driver="GTiff", dtype=dn.dtype, count=len(dn), height=height, width=width, crs=crs,
        transform=transform, nodata=nodata, **profile,
    ) as file:  # fmt: skip
        file.write(dn)
        if len(dn) == 3:
            file.descriptions = ("B04", "B03", "B02")
    return path


def in_one_piece(model, dn):
    """What the network makes of a whole image, as DN that are not rounded."""
    network = load_network(model, output_crop=0)
    return (np.asarray(network(jnp.asarray(dn, jnp.float32) / 5000 - 1), np.float64) + 1) * 5000


def read(path):
    with rasterio.open(path) as file:
        return file.read()
