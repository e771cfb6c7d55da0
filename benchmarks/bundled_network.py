r"""Claim: the bundled network errs at least 20 % less than bilinear upscaling on every scene it never saw.

Measures both on whole scenes, of which inputs are made as for training: 1e6 MSE of reflectance scaled to
[-1, 1], the border included. The network's file names the scenes it was trained on by their checksums. With
--area an input pixel is the mean of the 4 x 4 pixels it covers, which training never showed.

  python benchmarks/bundled_network.py resources/scenes/sentinel2/*.nc
"""

import argparse
import hashlib
from collections.abc import Callable
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from spatial_prediction.models import BUNDLED_NETWORK, RVSR, load_network, network_and_header
from spatial_prediction.rasters.scenes import read_scene
from spatial_prediction.studies.super_resolution.data.degradation import scaled_reflectance
from spatial_prediction.studies.super_resolution.task import pair, replicated_bilinear

CLAIMED = -20
"""Difference, per cent."""

Pairs = Callable[[jax.Array, int], tuple[jax.Array, jax.Array]]


def area_pair(tiles: jax.Array, factor: int) -> tuple[jax.Array, jax.Array]:
    """Input and target as of ``pair``, an input pixel being the mean of what it covers."""
    high_res = scaled_reflectance(tiles)
    batch, height, width, bands = high_res.shape
    blocks = high_res.reshape(batch, height // factor, factor, width // factor, factor, bands)
    return blocks.mean((2, 4)), high_res


@eqx.filter_jit
def errors(model: RVSR, scene: jax.Array, pairs: Pairs) -> jax.Array:
    """1e6 MSE of bilinear upscaling and of the network."""
    low_res, high_res = pairs(scene[None], model.upscale_factor)
    predictions = replicated_bilinear(low_res, model.upscale_factor), model.apply(low_res)
    return jnp.stack([1e6 * jnp.mean((each - high_res) ** 2) for each in predictions])


def row(name: str, bilinear: float, network: float) -> str:
    """One line of the table."""
    return f"| {name} | {bilinear:.1f} | {network:.1f} | {100 * (network / bilinear - 1):+.1f} % |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scenes", type=Path, nargs="+")
    parser.add_argument("--network", type=Path, default=BUNDLED_NETWORK)
    parser.add_argument("--area", action="store_true", help="inputs by mean of area")
    options = parser.parse_args()
    model = load_network(options.network, output_crop=0)
    trained_on = network_and_header(options.network)[1].get("training_scenes", {}).values()
    print("| scene | bilinear | network | difference |\n| :--- | ---: | ---: | ---: |")
    found: dict[str, list[np.ndarray]] = {"held out": [], "trained on": []}
    for path in options.scenes:
        known = hashlib.sha256(path.read_bytes()).hexdigest() in trained_on
        pairs = area_pair if options.area else pair
        measured = np.asarray(errors(model, jnp.asarray(read_scene(path)), pairs), float)
        found["trained on" if known else "held out"].append(measured)
        print(row(f"{path.stem}{' (trained on)' * known}", *measured), flush=True)
    for kind, measured in found.items():
        if measured:
            print(row(f"mean of {len(measured)} {kind}", *np.mean(measured, axis=0)))
    if held_out := found["held out"]:
        least = max(100 * (network / bilinear - 1) for bilinear, network in held_out)
        holds = "the claim holds" if least <= CLAIMED else "the claim does not hold"
        print(f"\nThe smallest difference of a scene held out is {least:+.1f} %: {holds}.")


if __name__ == "__main__":
    main()
