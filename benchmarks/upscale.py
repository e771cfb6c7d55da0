"""Claim: from file to file, upscaling takes little more CPU time than the network and GDAL's own part of it.

Real scenes, or synthetic ones where no folder is named, are laid side by side to N x N pixels and upscaled.
In the same run the network is timed on tiles in memory that abut, and GDAL for reading the input and for
writing the same samples with the same driver and options. Half of that sum is the least that two cores could
need by the clock. Programs are compiled before.

  python benchmarks/upscale.py                                          # random weights, 1,024 x 1,024
  python benchmarks/upscale.py --size 8000 --model lp2x3.safetensors --scenes FOLDER
  python benchmarks/upscale.py --size 8000 --format gtiff --compress none
  python benchmarks/upscale.py --memory --size 16000 --every 8          # peak memory, 7 of 8 scenes missing
  python benchmarks/upscale.py --overhead --tile 128                    # what exact tiles cost more
  python benchmarks/upscale.py --codecs                                 # what codecs cost and save instead
"""

import argparse
import itertools
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import rasterio
from peers.peak_memory import peak_memory
from rasterio.windows import Window

from spatial_prediction.models import RVSR, border_from_name, load_network
from spatial_prediction.named_arrays import save_arrays
from spatial_prediction.padding import padding_from_name
from spatial_prediction.rasters.scenes import list_scenes, read_scene
from spatial_prediction.studies.super_resolution.data.synthetic import synthetic_scene
from spatial_prediction.tiling import Strategy, plan_tiles, relative_work
from spatial_prediction.upscaling import scenes
from spatial_prediction.upscaling.georeference import Georeference
from spatial_prediction.upscaling.geotiff import gdal_settings
from spatial_prediction.upscaling.output import Compression, Output
from spatial_prediction.upscaling.programs import Programs
from spatial_prediction.upscaling.samples import SAMPLE_TYPES
from spatial_prediction.upscaling.scenes import WRITERS, upscale
from spatial_prediction.upscaling.settings import LEVELS, UpscaleSettings

SCENE = 512
"""Rows and columns of each scene in the mosaic."""

Seconds = tuple[float, float]
"""Of the CPU, all threads, and by the clock."""


def timed(work: Callable[[], object]) -> Seconds:
    def processors() -> float:
        used = resource.getrusage(resource.RUSAGE_SELF)
        return used.ru_utime + used.ru_stime

    clock, before = time.perf_counter(), processors()
    work()
    return processors() - before, time.perf_counter() - clock


def random_network(path: Path) -> Path:
    sizes = {"hidden_channels": 16, "blocks": 8, "upscale_factor": 4}
    network = RVSR.initialised(
        padding=border_from_name("lp2x3"),
        upscale_padding=padding_from_name("lp2x3", 1),
        key=jax.random.key(0),
        **sizes,
    )
    arrays = network.to_named_arrays()
    arrays["tail.project.weight"] = arrays["tail.project.weight"] * np.float32(
        0.01
    )  # the bilinear image, nearly
    arrays["tail.project.bias"] = np.zeros_like(arrays["tail.project.bias"])
    header = {"preset": "lp2x3", "padding": "lp2x3", "upscale_padding": "lp2x3", "output_crop": 0}
    save_arrays(path, arrays, {**header, "model": sizes, "run": {"status": "completed"}})
    return path


def mosaic(path: Path, size: int, scenes: list[np.ndarray], every: int = 1) -> Path:
    place = {"crs": "EPSG:32633", "transform": rasterio.transform.from_origin(6e5, 5e6, 10, 10)}
    layout = {"tiled": True, "blockxsize": 512, "blockysize": 512, "compress": "deflate", "predictor": 2}
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        dtype="uint16",
        count=3,
        height=size,
        width=size,
        nodata=0,
        sparse_ok=True,
        **place,
        **layout,
    ) as file:
        file.descriptions = ("B04", "B03", "B02")
        starts = range(0, size, SCENE)
        places = itertools.islice(itertools.product(starts, starts), 0, None, every)
        for scene, (row, column) in zip(itertools.cycle(scenes), places, strict=False):
            part = scene[: size - row, : size - column].transpose(2, 0, 1)
            window = Window(column, row, part.shape[2], part.shape[1])
            file.write(np.maximum(part, 1).astype(np.uint16), window=window)
    return path


def compile_programs(model: Path, size: int, settings: UpscaleSettings) -> None:
    network = load_network(model, output_crop=0)
    length = min(size, settings.tile + 2 * network.halo)
    programs = Programs(network, network.halo)
    everywhere = np.ones((1, length, length), bool)
    for inside in (False, True):
        dn = np.zeros((1, length, length, 3), np.float32)
        jax.block_until_ready(programs.samples(dn, everywhere, everywhere, settings.dtype, inside=inside))


def bare_network(model: Path, size: int, tile: int) -> Seconds:
    """Time the merged network on all tiles, without overlaps, from memory to memory."""
    network = load_network(model, output_crop=0)
    predict = eqx.filter_jit(lambda network, x: network.apply(x))
    tile = min(tile, size)
    x = jnp.asarray(np.random.default_rng(0).uniform(-1, 1, (1, tile, tile, 3)), jnp.float32)
    predict(network, x).block_until_ready()

    def tiles() -> None:
        for _ in range(round((size / tile) ** 2)):
            predict(network, x).block_until_ready()

    return timed(tiles)


def gdal_reads(path: Path) -> Seconds:
    def read() -> None:
        with rasterio.open(path) as file:
            for _, window in file.block_windows(1):
                file.read(window=window)

    return timed(read)


def gdal_writes(upscaled: Path, again: Path, settings: UpscaleSettings) -> Seconds:
    """Time the writing of blocks that are in memory, a row of tiles at a time."""
    step = settings.tile * 4
    cpu = clock = 0.0
    with rasterio.open(upscaled) as file:
        place = Georeference(file.transform, file.crs.to_wkt(), (), None)
        compression = Compression(settings.compress, settings.codec_level)
        output = Output(*file.shape, file.descriptions, SAMPLE_TYPES[settings.dtype], place, {}, compression)
        context = WRITERS[settings.format](again, output)
        write = context.__enter__()
        for row, column in itertools.product(range(0, file.height, step), range(0, file.width, step)):
            rows, columns = (slice(at, min(at + step, file.height)) for at in (row, column))
            samples = file.read(window=Window.from_slices(rows, columns))
            spent = timed(lambda rows=rows, columns=columns, samples=samples: write(rows, columns, samples))
            cpu, clock = cpu + spent[0], clock + spent[1]
        spent = timed(lambda: context.__exit__(None, None, None))
    return cpu + spent[0], clock + spent[1]


def compare(folder: Path, source: Path, model: Path, size: int, settings: UpscaleSettings) -> None:
    compile_programs(model, size, settings)
    out = folder / "out.tif"
    whole = timed(lambda: upscale(source, out, model=model, settings=settings))
    peak = peak_memory()
    network = bare_network(model, size, settings.tile)
    with gdal_settings():
        reading = gdal_reads(source)
        writing = gdal_writes(out, folder / "again.tif", settings)
    total = network[0] + reading[0] + writing[0]
    print(
        f"{size} x {size} pixels, {settings.format}, {settings.strategy}; seconds of the CPU (by the clock)"
    )
    for what, (cpu, clock) in (
        ("from file to file", whole),
        ("network, tiles that abut", network),
        ("GDAL reads", reading),
        ("GDAL writes", writing),
    ):
        print(f"  {what:<26}{cpu:8.2f} ({clock:.2f})")
    print(f"  CPU: {whole[0] / total:.2f} times network and GDAL together ({total:.2f})")
    print(f"       {whole[0] / network[0]:.2f} times the network")
    print(f"  clock: {whole[1] / (total / 2):.2f} times half of that, what two free cores would need")
    print(f"  output {out.stat().st_size / 1e6:.1f} MB, peak memory {peak:.0f} MiB")


def memory(folder: Path, source: Path, model: Path, size: int, settings: UpscaleSettings) -> None:
    upscale(source, folder / "out.tif", model=model, settings=settings)
    print(f"{size} x {size} pixels, {settings.format}: peak memory {peak_memory():.0f} MiB")


def codecs(folder: Path, source: Path, model: Path, size: int, settings: UpscaleSettings) -> None:
    out = folder / "out.tif"
    upscale(source, out, model=model, settings=settings)
    raw = 16 * size**2 * 3 * 2
    print("| codec | CPU s | size, of the samples |\n|---|---|---|")
    for codec, levels in LEVELS.items():
        for level in [None] if not levels else [each for each in (1, 3, 6, 9) if each in levels]:
            chosen = UpscaleSettings(compress=codec, level=level)
            with gdal_settings():
                cpu, _ = gdal_writes(out, folder / "again.tif", chosen)
            share = (folder / "again.tif").stat().st_size / raw
            print(f"| {codec} {level or ''} | {cpu:.2f} | {share:.3f} |", flush=True)


def overhead(source: Path, model: Path, size: int, tile: int) -> None:
    """Compare tiles that overlap by the halo with tiles that abut, in turns."""
    halo = load_network(model).halo
    out = source.with_name("out.tif")

    def seconds(strategy: str, worth: int) -> float:
        scenes.WORTH_A_PROGRAM = worth
        settings = UpscaleSettings(
            strategy=strategy, tile=tile, format="gtiff", compress="none", overwrite=True
        )
        return timed(lambda: upscale(source, out, model=model, settings=settings))[0]

    never = size**2 + 1
    ways = {"padding": ("padding", never), "exact": ("exact", never), "inside": ("exact", 0)}
    for way in ways.values():
        seconds(*way)  # compiles
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(3):
        for name, way in ways.items():
            spent[name].append(seconds(*way))
    read = {
        strategy: sum(
            (rows.read.stop - rows.read.start) * (columns.read.stop - columns.read.start)
            for plan in [plan_tiles((size, size), tile=tile, strategy=each)]
            for rows, columns in itertools.product(plan.rows, plan.columns)
        )
        for strategy, each in (("padding", Strategy.abutting()), ("exact", Strategy.exact(halo)))
    }
    cpu = {name: statistics.median(each) for name, each in spent.items()}
    share = max(0, -(-size // tile) - 2) ** 2 / (-(-size // tile)) ** 2
    print(f"{size} x {size} pixels in tiles of {tile}, exact against tiles that abut")
    print(f"  ((t + 2 h) / t)^2: {relative_work(tile, halo):.3f}")
    print(f"  pixels read: {read['exact'] / read['padding']:.3f}")
    print(f"  CPU: {cpu['exact'] / cpu['padding']:.3f} ({cpu['exact']:.2f} s, median of 3)")
    inside = cpu["inside"] / cpu["padding"]
    print(f"  with a program of their own for tiles inside, {100 * share:.0f} %: {inside:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=1024, help="rows and columns of the input")
    parser.add_argument("--format", choices=("cog", "gtiff"), default="cog")
    parser.add_argument("--compress", choices=tuple(LEVELS), default="deflate")
    parser.add_argument("--strategy", default="exact")
    parser.add_argument("--tile", type=int, default=512, help="input pixels that a tile keeps")
    parser.add_argument("--model", type=Path, help="a trained network; default random weights")
    parser.add_argument("--scenes", type=Path, help="folder of real scenes; default synthetic ones")
    parser.add_argument("--every", type=int, default=1, help="of so many scenes, one is not missing")
    parser.add_argument("--memory", action="store_true", help="show the peak of memory, and time nothing")
    parser.add_argument("--overhead", action="store_true", help="compare exact tiles with tiles that abut")
    parser.add_argument("--codecs", action="store_true", help="compare codecs")
    options = parser.parse_args()
    settings = UpscaleSettings(
        format=options.format,
        compress=options.compress,
        strategy=options.strategy,
        tile=options.tile,
        overwrite=True,
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.scenes:
            images = [read_scene(path) for path in list_scenes(options.scenes)[:16]]
        else:
            images = [synthetic_scene(seed=0, index=index)[:SCENE, :SCENE] for index in range(4)]
        source = mosaic(folder / "in.tif", options.size, images, options.every)
        model = options.model or random_network(folder / "random.safetensors")
        if options.overhead:
            overhead(source, model, options.size, options.tile)
        else:
            way = codecs if options.codecs else memory if options.memory else compare
            way(folder, source, model, options.size, settings)


if __name__ == "__main__":
    main()
