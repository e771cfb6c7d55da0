"""Scenes and networks on which four tiles can meet, as small as networks of the study come."""

import json

import jax
import numpy as np

from spatial_prediction.models import RVSR, border_from_name
from spatial_prediction.named_arrays import save_arrays
from spatial_prediction.padding import padding_from_name
from tests.tiled_networks import with_random_weights

MODEL = {"hidden_channels": 2, "blocks": 8, "upscale_factor": 4}
LOW_RES_SIZE = 24


def write_scenes(folder, *, side=296, count=1):
    """Smooth waves and noise, int16 DN; returns (array, summary)."""
    rng = np.random.default_rng(0)
    waves = 1500 + 800 * np.sin(np.arange(side)[:, None] / 9) * np.cos(np.arange(side) / 14)
    noise = rng.normal(0, 60, (count, side, side, 3))
    np.save(folder / "test.npy", (waves[..., None] + noise).astype(np.int16))
    (folder / "summary.json").write_text(json.dumps({"test": {"sha256": "0" * 64}}))
    return folder / "test.npy", folder / "summary.json"


def write_network(folder, padding, *, output_crop=0, seed=0, status="completed"):
    """A network with random weights, in a file as the study writes them."""

    def untrained():
        return RVSR.initialised(
            padding=border_from_name(padding),
            upscale_padding=padding_from_name("repl", 1),
            key=jax.random.key(seed),
            **MODEL,
        )

    arrays = with_random_weights(untrained).to_named_arrays()
    header = {
        "preset": f"{padding}_oc{output_crop}" if output_crop else padding,
        "seed": seed,
        "padding": padding,
        "upscale_padding": "repl",
        "output_crop": output_crop,
        "model": MODEL,
        "run": {"status": status},
    }
    path = folder / f"{header['preset']}_{seed}.safetensors"
    save_arrays(path, {name: 0.2 * array for name, array in arrays.items()}, header)
    return path
