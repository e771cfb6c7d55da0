"""Claim: beside missing pixels, linear prediction leaves less of an error than the nearest pixel does.

Crops of 64 x 64 pixels are upscaled whole and with pixels missing, by the network that comes with the
package. The two predictions are compared within two pixels of missing ones, and further than the network sees
from the border of the crop. A number is the geometric mean over crops of mean square differences, divided by
those with the nearest valid pixel in the place of missing ones.

  python benchmarks/missing_pixels.py                        # synthetic scenes
  python benchmarks/missing_pixels.py --scenes FOLDER        # a crop of every second real one
"""

import argparse
from pathlib import Path

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from scipy import ndimage

from spatial_prediction.models import RVSR, bundled_network
from spatial_prediction.padding import padding_from_name
from spatial_prediction.rasters.scenes import list_scenes, read_scene
from spatial_prediction.reflectance import scaled_from_dn
from spatial_prediction.studies.super_resolution.data.synthetic import synthetic_scene
from spatial_prediction.tiling import fill_masked, upscaled_mask

SIZE = 64
PADDINGS = ("lp2x3", "lp1x1cs", "extr2")

Y, X = np.mgrid[:SIZE, :SIZE]
MASKS = {
    "straight border": Y >= SIZE // 2,
    "diagonal border": Y > X,
    "steep border": 2 * Y > X + SIZE // 2,
    "hole 16 across": (Y - 32) ** 2 + (X - 32) ** 2 < 64,
    "every 20th pixel": np.random.default_rng(0).random((SIZE, SIZE)) < 0.05,
}


@eqx.filter_jit
def predicted(network: RVSR, dn: np.ndarray) -> jnp.ndarray:
    return network.apply(scaled_from_dn(jnp.asarray(dn.transpose(0, 2, 3, 1))))


def beside(mask: np.ndarray, halo: int) -> np.ndarray:
    """Output pixels that are compared."""
    near = (ndimage.distance_transform_edt(~mask) <= 2) & ~mask
    near[:halo] = near[-halo:] = near[:, :halo] = near[:, -halo:] = False
    return upscaled_mask(near, 4)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scenes", type=Path, help="folder of real scenes; default synthetic ones")
    options = parser.parse_args()
    if options.scenes:
        scenes = [read_scene(path) for path in list_scenes(options.scenes)[::2]]
    else:
        scenes = [synthetic_scene(seed=0, index=index) for index in range(4)]
    crops = np.stack([scene[200 : 200 + SIZE, 200 : 200 + SIZE].transpose(2, 0, 1) for scene in scenes])
    crops = crops.astype(np.float32)
    network = bundled_network(output_crop=0)
    whole = np.asarray(predicted(network, crops))
    print(f"| missing | {' | '.join(PADDINGS)} |\n|---|{'---|' * len(PADDINGS)}")
    for name, mask in MASKS.items():
        compared = beside(mask, network.halo)
        errors = []
        for padding in (None, *(padding_from_name(each, 1) for each in PADDINGS)):
            filled = np.stack([fill_masked(crop, mask, padding=padding) for crop in crops])
            difference = (np.asarray(predicted(network, filled)) - whole)[:, compared]
            errors.append(np.mean(difference**2, axis=(1, 2)))
        ratios = [float(np.exp(np.mean(np.log(each / errors[0])))) for each in errors[1:]]
        print(f"| {name} | {' | '.join(f'{ratio:.2f}' for ratio in ratios)} |", flush=True)


if __name__ == "__main__":
    main()
