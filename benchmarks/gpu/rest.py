"""Sections beside RVSR's own: upscaling from file to file, a Gaussian process, LineRWKV."""

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import gp_value_and_gradient
import jax
import jax.numpy as jnp
import training_step

from gpu import published
from gpu.networks import Earlier, rates
from gpu.roofline import Row
from gpu.sizes import Sizes
from gpu.timing import Clock, measured, repeated
from spatial_prediction.compression.linerwkv import SIZES, LineRWKV


def upscaling(sizes: Sizes, clock: Clock, earlier: Earlier) -> Iterator[Row]:
    """Upscale rasters from file to file with the network of the package; the first time compiles."""
    import upscale  # needs the extra rasters

    from spatial_prediction.upscaling.settings import UpscaleSettings

    settings = UpscaleSettings(
        strategy="crop", overlap=2, tile=sizes.tile, format="gtiff", compress="none", overwrite=True
    )
    scenes = list(training_step.rough_scenes(min(sizes.scenes, 4)))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for size in sizes.upscaled:
            if not clock.has_room(f"{size} x {size}", growth=4):
                return
            source, target = upscale.mosaic(folder / "in.tif", size, scenes), folder / "out.tif"
            work = partial(upscale.upscale, source, target, settings=settings)
            _, first = upscale.timed(work)
            cpu, seconds = upscale.timed(work)
            yield {
                "input pixels": f"{size} x {size}",
                "s": seconds,
                "CPU s": cpu,
                "s, with compilation": first,
                "1e6 input px/s": size**2 / 1e6 / seconds,
                "output MB/s": target.stat().st_size / 1e6 / seconds,
            }


def gaussian_process(sizes: Sizes, clock: Clock, earlier: Earlier) -> Iterator[Row]:
    """Compute value and gradient of an exact likelihood in float64."""
    for hidden in sizes.hidden:
        if not clock.has_room(f"{hidden:.0%} hidden"):
            return
        once, reduction = gp_value_and_gradient.prepared(hidden)
        with jax.enable_x64(True):
            took = measured(repeated(once), sizes.seconds, sizes.rounds)
            value, _ = once()
        yield {
            "N": int(gp_value_and_gradient.mask_of(hidden).sum()),
            "value and gradient, ms": 1e3 * took.median,
            "quartiles": f"{1e3 * took.low:.4g} to {1e3 * took.high:.4g}",
            "reduction of the mask, once, ms": 1e3 * reduction["reduction_wall"],
            "log likelihood": value,
        }


def linerwkv(sizes: Sizes, clock: Clock, earlier: Earlier) -> Iterator[Row]:
    """Predict a cube as an encoder does, all lines and bands at once, in floating point."""
    samples = jax.random.normal(jax.random.key(0), sizes.cube)
    for name in sizes.linerwkv:
        if not clock.has_room(name):
            return
        model = LineRWKV.initialised(SIZES[name], key=jax.random.key(0))
        forward = partial(jax.jit(LineRWKV.predict), model, samples)
        took = measured(repeated(forward), sizes.seconds, sizes.rounds)
        count = int(jnp.size(samples))
        row = {"size": name.upper(), "cube": " x ".join(map(str, sizes.cube)), "ms": 1e3 * took.median}
        row |= {"samples/s": count / took.median, "quartiles": rates(took, count)}
        yield {**row, "published codec, CPU": published.LINERWKV_SAMPLES[name]}
