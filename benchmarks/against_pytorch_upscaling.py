"""Claim: from file to file, upscaling takes just over half of the time of PyTorch as it comes.

Both upscale one raster by the network that comes with the package, its branches merged, on two cores, into
a tiled GeoTIFF without compression. Here borders are padded by linear prediction, there by zeros, which need
more overlap where seams are to be no worse (``peers/pytorch_upscaling.py``: channels-last, ``torch.compile``,
rasterio). How much is found first: how tiles of this scene deviate from the untiled prediction.
Programs are compiled before, the two take turns, and medians are compared. With --freeze, PyTorch's compiler
lays out weights beforehand, and the difference is smaller (docs/upscaling.md).

On a machine that does other work, threads wait for each other, PyTorch's most likely by spinning, and neither
figure is worth much: there, compare CPU seconds with --threads 1.

  python -m venv PEER && PEER/bin/pip install -r benchmarks/peers/pytorch.txt
  python benchmarks/against_pytorch_upscaling.py --python PEER/bin/python                  # synthetic scenes
  python benchmarks/against_pytorch_upscaling.py --python PEER/bin/python --size 2048 --scenes FOLDER
"""

import argparse
import dataclasses
import json
import os
import statistics
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import rasterio
from against_pytorch import weights_for_pytorch
from rasterio.windows import Window
from safetensors.numpy import save_file
from upscale import SCENE, Seconds, mosaic, timed

from spatial_prediction.models import RVSR, border_from_name, bundled_network
from spatial_prediction.padding import padding_from_name
from spatial_prediction.rasters.scenes import list_scenes, read_scene
from spatial_prediction.reflectance import DN_PER_HALF_UNIT, scaled_from_dn
from spatial_prediction.studies.super_resolution.data.synthetic import synthetic_scene
from spatial_prediction.upscaling.scenes import upscale
from spatial_prediction.upscaling.settings import UpscaleSettings

PEER = Path(__file__).parent / "peers" / "pytorch_upscaling.py"


class Peer:
    """PyTorch, in a process that stays."""

    def __init__(self, weights: Path, source: Path, window: int, options: argparse.Namespace):
        command = [str(options.python), str(PEER), "--weights", str(weights), "--source", str(source)]
        command += ["--threads", str(options.threads), "--windows", str(window)]
        command += ["--freeze"] if options.freeze else []
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": ""},
        )
        self.versions = self._answer()

    def upscaled(self, target: Path, tile: int, overlap: int) -> Seconds:
        assert self._process.stdin is not None
        print(tile, overlap, target, file=self._process.stdin, flush=True)
        cpu, clock = self._answer()
        return cpu, clock

    def close(self) -> None:
        self._process.communicate()

    def _answer(self):
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{PEER.name} ended with exit code {self._process.wait()}")
        return json.loads(line)


def zero_padded(network: RVSR) -> RVSR:
    border = border_from_name("zero")
    return dataclasses.replace(
        network,
        borders=tuple(border for _ in network.borders),
        upscale_padding=padding_from_name("repl", 1),
    )


def deviations(network: RVSR, dn: np.ndarray, tile: int, places: list[tuple[int, int]]) -> list[float]:
    """Mean square deviations of tiles from the untiled prediction, DN^2, with an overlap of 0, 1, ... pixels.

    A window is predicted by itself, and once more with all that the network sees beyond it, which is what it
    sees in an untiled scene. What is left of the window without the overlap on each side is a tile's part.
    """
    halo = network.halo
    predict = eqx.filter_jit(lambda network, x: network.apply(x))
    squares = 0.0
    for row, column in places:
        wide = dn[:, row - halo : row + tile + halo, column - halo : column + tile + halo]
        x = scaled_from_dn(jnp.asarray(wide.transpose(1, 2, 0)[None]))
        untiled = predict(network, x)[0, 4 * halo : -4 * halo, 4 * halo : -4 * halo]
        alone = predict(network, x[:, halo:-halo, halo:-halo])[0]
        squares = squares + np.asarray(((alone - untiled) * DN_PER_HALF_UNIT) ** 2, np.float64).mean(axis=-1)
    kept = [
        squares[4 * h : squares.shape[0] - 4 * h, 4 * h : squares.shape[1] - 4 * h] for h in range(halo + 1)
    ]
    return [float(each.mean()) / len(places) for each in kept]


def compared(ours: Path, theirs: Path, margin: int) -> tuple[float, int]:
    """Share of samples that differ by more than 1 DN, and the greatest difference, inside a margin."""
    with rasterio.open(ours) as first, rasterio.open(theirs) as second:
        assert (first.transform, first.shape) == (second.transform, second.shape)
        more = greatest = samples = 0
        for top in range(margin, first.height - margin, 512):
            rows = slice(top, min(top + 512, first.height - margin))
            window = Window.from_slices(rows, slice(margin, first.width - margin))
            difference = abs(first.read(window=window).astype(int) - second.read(window=window))
            more, greatest = more + int((difference > 1).sum()), max(greatest, int(difference.max()))
            samples += difference.size
        return more / samples, greatest


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--python", type=Path, required=True, help="interpreter that has PyTorch")
    parser.add_argument("--size", type=int, default=1024, help="rows and columns of the input")
    parser.add_argument("--scenes", type=Path, help="folder of real scenes; default synthetic ones")
    parser.add_argument("--tile", type=int, default=512, help="input pixels that a tile keeps, here")
    parser.add_argument("--peer-tile", type=int, help="the same, there; default as here")
    parser.add_argument("--overlap", type=int, default=2, help="input pixels of overlap, here")
    parser.add_argument("--threads", type=int, default=2, help="on as many cores, of both")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--freeze", action="store_true", help="with the compiler's option freezing, there")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])
    if options.scenes:
        scenes = [read_scene(path) for path in list_scenes(options.scenes)[:16]]
    else:
        scenes = [synthetic_scene(seed=0, index=index)[:SCENE, :SCENE] for index in range(4)]
    with tempfile.TemporaryDirectory() as name:
        compare(Path(name), scenes, options)


def compare(folder: Path, scenes: list[np.ndarray], options: argparse.Namespace) -> None:
    source = mosaic(folder / "in.tif", options.size, scenes)
    with rasterio.open(source) as file:
        dn = file.read().astype(np.float32)
    network = bundled_network(output_crop=0)
    tile, peer_tile = options.tile, options.peer_tile or options.tile
    here = deviations(network, dn, tile, places_in(dn, tile, network.halo))[options.overlap]
    there = deviations(zero_padded(network), dn, peer_tile, places_in(dn, peer_tile, network.halo))
    overlap = next(h for h, each in enumerate(there) if each <= here)
    print("mean square deviation from the untiled prediction, DN^2 (RMS, DN)")
    print(f"  {'linear prediction, overlap':<28}{options.overlap:3d}: {here:.3g} ({here**0.5:.2g})")
    for h in range(overlap + 1):
        print(f"  {'zero padding, overlap':<28}{h:3d}: {there[h]:.3g} ({there[h] ** 0.5:.2g})")

    settings = UpscaleSettings(
        strategy="crop", overlap=options.overlap, tile=tile, format="gtiff", compress="none", overwrite=True
    )
    ours, theirs = folder / "ours.tif", folder / "theirs.tif"
    weights = folder / "merged.safetensors"
    save_file(weights_for_pytorch(network), weights)
    window = min(peer_tile + 2 * overlap, options.size)
    peer = Peer(weights, source, window, options)
    upscale(source, ours, settings=settings)  # compiles
    sides: dict[str, Callable[[], Seconds]] = {
        "this package": lambda: timed(lambda: upscale(source, ours, settings=settings)),
        f"PyTorch {peer.versions['torch']}": lambda: peer.upscaled(theirs, peer_tile, overlap),
    }
    spent: dict[str, list[Seconds]] = {side: [] for side in sides}
    for _ in range(options.repeats):
        for side, run in sides.items():
            spent[side].append(run())
    peer.close()
    print(f"{options.size} x {options.size} pixels, tiles of {tile} here and {peer_tile} there")
    print(f"{options.threads} threads, medians of {options.repeats}")
    medians = [[statistics.median(each) for each in zip(*of_side, strict=True)] for of_side in spent.values()]
    for side, (cpu, clock) in zip(sides, medians, strict=True):
        print(f"  {side:<28}{clock:8.2f} s by the clock {cpu:8.2f} s of the CPU")
    by_cpu, by_clock = (theirs_ / ours_ for ours_, theirs_ in zip(*medians, strict=True))
    print(f"  ratio{'':<23}{by_clock:8.2f}{'':16}{by_cpu:8.2f}")
    more, greatest = compared(ours, theirs, network.upscale_factor * network.halo)
    print(f"further than {network.halo} input pixels from the border of the scene, outputs differ")
    print(f"by more than 1 DN in {100 * more:.3f} % of samples, by {greatest} DN at most")


def places_in(dn: np.ndarray, tile: int, halo: int) -> list[tuple[int, int]]:
    """Corners of up to four tiles that have all around them what the network sees."""
    last = min(dn.shape[1:]) - tile - halo
    if last < halo:
        raise SystemExit(f"--tile: {tile} pixels and {halo} on each side do not fit into {dn.shape[1:]}")
    starts = sorted({halo, last})
    return [(row, column) for row in starts for column in starts]


if __name__ == "__main__":
    main()
