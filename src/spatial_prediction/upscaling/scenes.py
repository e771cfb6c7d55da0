"""Upscale a raster from file to file."""

import hashlib
import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import jax

from spatial_prediction.background import stored_behind
from spatial_prediction.compiled_programs import keep_compiled_programs
from spatial_prediction.files import written_aside
from spatial_prediction.models import BUNDLED_NETWORK, RVSR, load_network
from spatial_prediction.output_files import check_output, only_writer
from spatial_prediction.rasters.gdal_writing import writer_failures_named
from spatial_prediction.rasters.raster import Raster, open_raster
from spatial_prediction.tiling import Strategy, TilePlan, fill_masked, plan_tiles, strategy_from_name
from spatial_prediction.upscaling.disk_space import check_disk_space
from spatial_prediction.upscaling.georeference import Georeference, georeference_of
from spatial_prediction.upscaling.geotiff import cog_written, gdal_settings, geotiff_written
from spatial_prediction.upscaling.metadata import kept_tags, provenance_tags
from spatial_prediction.upscaling.netcdf import check_fits, netcdf_written
from spatial_prediction.upscaling.output import Compression, Output, Writer
from spatial_prediction.upscaling.pipeline import Blended, TileByTile, run
from spatial_prediction.upscaling.programs import Programs
from spatial_prediction.upscaling.samples import SAMPLE_TYPES
from spatial_prediction.upscaling.settings import BLOCK, Format, UpscaleSettings, format_of

logger = logging.getLogger(__name__)

WRITERS: Mapping[Format, Writer] = {
    "cog": cog_written,
    "gtiff": geotiff_written,
    "netcdf": netcdf_written,
}

TILES_AT_ONCE = 16
"""On an accelerator. A CPU is busy with one, and holds less memory."""


WORTH_A_PROGRAM = 10_000_000
"""Pixels of tiles inside the image that are worth a second compiled program: it takes a quarter less time."""


class Upscaled(NamedTuple):
    """What has been written.

    Attributes:
        height: number of rows.
        width: number of columns.
        valid: pixels that are not nodata.
        limited: those of them whose DN the type of the samples could not hold.
    """

    height: int
    width: int
    valid: int
    limited: int


def upscale(
    source: str | Path,
    target: str | Path,
    *,
    model: str | Path | None = None,
    settings: UpscaleSettings | None = None,
) -> Upscaled:
    """Upscale a raster of any size to a georeferenced, seamless one, in constant memory.

    Missing pixels are nodata in the output. The network sees their nearest valid neighbour in their place.

    Args:
        source: as of ``rasters.open_raster``.
        target: the file to be written; appears when it is complete.
        model: file of a network, as of ``models.load_network``; by default the one that comes with this
            package.
        settings: how; by default, ``UpscaleSettings`` with the format that the ending of ``target`` names.

    Returns:
        What has been written.

    Raises:
        ConfigurationError: settings or files contradict each other, or the target exists.
        SceneError: the source cannot be read.
        CheckpointError: there is no such network.
        WriteError: the target cannot be written, or its disk has no room for it.
    """
    source, target = Path(source), Path(target)
    settings = settings or UpscaleSettings(format=format_of(target))
    format_of(target, settings.format)
    model = Path(BUNDLED_NETWORK if model is None else model)
    check_output(target, {"input": source, "model": model}, overwrite=settings.overwrite)
    keep_compiled_programs()
    network = load_network(model, output_crop=0)
    with (
        gdal_settings(),
        open_raster(
            source,
            bands=settings.bands,
            offset=settings.offset,
            scale=settings.scale,
            nodata=settings.nodata,
        ) as raster,
    ):
        place = georeference_of(raster)
        if not place.is_known:
            logger.warning("%s: has no georeference, and neither will the output", source)
        output = _output(raster, place, network.upscale_factor, model, settings)
        check_disk_space(target, output, settings)
        if settings.format == "netcdf":
            check_fits(place, source)
        with (
            only_writer(target),
            written_aside(target) as temporary,
            writer_failures_named(target),
            stored_behind(temporary),
        ):
            upscaled = _write(raster, temporary, output, network, settings)
    _report(source, target, upscaled)
    return upscaled


def _write(raster: Raster, path: Path, output: Output, network: RVSR, settings: UpscaleSettings) -> Upscaled:
    strategy: Strategy = strategy_from_name(
        settings.strategy, receptive_field=network.halo, overlap=settings.overlap
    )
    factor = network.upscale_factor
    plan = plan_tiles((raster.height, raster.width), tile=settings.tile, strategy=strategy, factor=factor)
    margin = min(map(min, strategy.overlap)) if _inside_pixels(plan) > WORTH_A_PROGRAM else 0
    programs = Programs(network, margin)
    batch = settings.batch or (1 if jax.default_backend() == "cpu" else TILES_AT_ONCE)
    with WRITERS[settings.format](path, output) as write:
        kind = Blended if strategy.fade else TileByTile
        upscaler = kind(plan, programs, output.samples, write, batch)
        fill = partial(fill_masked, padding=network.padding, depth=network.halo)
        run(raster, plan, upscaler, margin=programs.margin, batch=batch, fill=fill)
    return Upscaled(output.height, output.width, upscaler.valid, upscaler.limited)


def _inside_pixels(plan: TilePlan) -> int:
    rows, columns = (
        sum(span.keep.stop - span.keep.start for span in spans[1:-1]) for spans in (plan.rows, plan.columns)
    )
    return rows * columns


def _output(
    raster: Raster, place: Georeference, factor: int, model: Path, settings: UpscaleSettings
) -> Output:
    made = provenance_tags(
        model=model.name,
        checksum=hashlib.sha256(model.read_bytes()).hexdigest(),
        strategy=settings.strategy,
        source=raster.path.name,
    )
    return Output(
        height=raster.height * factor,
        width=raster.width * factor,
        bands=raster.band_names,
        samples=SAMPLE_TYPES[settings.dtype],
        georeference=place.finer(factor),
        tags=kept_tags(raster.tags) | made,
        compression=Compression(settings.compress, settings.codec_level),
        is_point=str(raster.tags.get("AREA_OR_POINT", "")).lower() == "point",
        in_whole_blocks=settings.strategy != "blend" and settings.tile * factor % BLOCK == 0,
    )


def _report(source: Path, target: Path, upscaled: Upscaled) -> None:
    pixels = upscaled.height * upscaled.width
    if upscaled.valid == 0:
        logger.warning("%s: has no valid pixel (all nodata), and so has %s", source, target)
    logger.info(
        "%s: written, %d x %d pixels, %.4g %% of them valid, %d clipped to the range of the samples",
        target,
        upscaled.height,
        upscaled.width,
        100 * upscaled.valid / pixels,
        upscaled.limited,
    )
