"""``spatial-prediction upscale``: a raster file in, a seamless image of four times its resolution out."""

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from spatial_prediction.rasters.offset import as_offset_setting
from spatial_prediction.rasters.settings import as_nodata_setting, as_scale_setting
from spatial_prediction.upscaling.samples import SAMPLE_TYPES
from spatial_prediction.upscaling.settings import (
    CODECS,
    FORMATS,
    LEVELS,
    STRATEGIES,
    UpscaleSettings,
    format_of,
)

DESCRIPTION = """\
Upscale red, green and blue of a satellite scene to pixels of a quarter of their size.

SCENE may have any size: a GeoTIFF, JPEG 2000, netCDF or ENVI file, or a folder of files named after bands,
such as a Sentinel-2 product (.SAFE). The output has the same outer corners, reference system, ground control
points and attributes, and appears when it is complete. Missing pixels are nodata in it, and never touch
others. Memory does not grow with the scene.

Examples:
  spatial-prediction upscale scene.tif --out scene_4x.tif
  spatial-prediction upscale S2A_MSIL2A_20230605.SAFE --model my_network.safetensors --out scene_4x.tif
  spatial-prediction upscale stack.tif --bands 3 2 1 --nodata 0 --out scene_4x.nc
  spatial-prediction upscale scene.tif --out x.tif --format gtiff --compress zstd

DN of the output are reflectance x 10,000, without the offset that newer products carry. A network sees
some pixels around each that it predicts. With the strategy exact, tiles overlap that far, so that the image
is the same as one predicted in one piece; docs/upscaling.md compares it with the others."""


def add_to(commands: Any) -> None:
    """Declare the command among the others of a parser (its subparsers)."""
    parser = commands.add_parser(
        "upscale",
        help="a raster file in, a seamless image of four times its resolution out",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("scene", type=Path, metavar="SCENE", help="the raster to upscale")
    add_options(parser)
    parser.set_defaults(run=_upscale)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare everything but the scene."""
    default = {field.name: field.default for field in dataclasses.fields(UpscaleSettings)}
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the output, .tif or .nc")
    parser.add_argument(
        "--model",
        type=Path,
        metavar="FILE",
        help="a trained network, such as results/models/lp2x3/seed_0.safetensors of the study; default the "
        "one that comes with this package (docs/model_card.md)",
    )

    reading = parser.add_argument_group("what the scene holds, where it does not say so itself")
    reading.add_argument(
        "--bands",
        nargs=3,
        metavar=("RED", "GREEN", "BLUE"),
        help="names, numbers from 1 on, or wavelengths ('665 nm'); default B04 B03 B02 by any common name",
    )
    reading.add_argument(
        "--offset", default="auto", help="added to stored DN: 0 or -1000; default auto, what the file states"
    )
    reading.add_argument(
        "--scale",
        default="auto",
        help="what stored numbers are: dn (reflectance x 10,000), reflectance, or the factor that gives "
        "reflectance; default auto",
    )
    reading.add_argument(
        "--nodata", default="auto", help="number that marks missing samples, or none; default auto"
    )

    tiles = parser.add_argument_group("tiles")
    tiles.add_argument(
        "--strategy",
        choices=STRATEGIES,
        default=default["strategy"],
        help="where tiles meet: padding, they abut; crop, they overlap; blend, they fade; exact, they "
        "overlap as far as the network sees; default %(default)s",
    )
    tiles.add_argument(
        "--overlap", type=int, metavar="PIXELS", help="of crop and blend; default as far as the network sees"
    )
    tiles.add_argument(
        "--tile",
        type=int,
        default=default["tile"],
        metavar="PIXELS",
        help="width of a tile in input pixels; default %(default)s",
    )
    tiles.add_argument("--batch", type=int, help="tiles at once; default 1 on the CPU, else 4")

    writing = parser.add_argument_group("output")
    writing.add_argument(
        "--format",
        choices=FORMATS,
        help="cog: Cloud-Optimised GeoTIFF with overviews; gtiff: tiles only, written at once; netcdf: with "
        "CF coordinates; default cog for .tif, netcdf for .nc",
    )
    writing.add_argument(
        "--dtype",
        choices=tuple(SAMPLE_TYPES),
        default=default["dtype"],
        help="uint16: DN 1 to 65535, nodata 0; int16: nodata -32768; float32: not rounded, nodata NaN; "
        "default %(default)s",
    )
    writing.add_argument(
        "--compress", choices=CODECS["cog"], default=default["compress"], help="default %(default)s"
    )
    writing.add_argument(
        "--level",
        type=int,
        help=f"of deflate, 1 to {max(LEVELS['deflate'])}, or zstd, 1 to {max(LEVELS['zstd'])}; default 1",
    )
    writing.add_argument("--overwrite", action="store_true", help="replace an output that exists")


def settings_from(options: argparse.Namespace) -> UpscaleSettings:
    """Collect the settings from parsed options.

    Raises:
        ConfigurationError: an option is none of those that are possible, or two contradict each other.
    """
    return UpscaleSettings(
        bands=tuple(options.bands) if options.bands else None,
        offset=as_offset_setting(options.offset),
        scale=as_scale_setting(options.scale),
        nodata=as_nodata_setting(options.nodata),
        strategy=options.strategy,
        overlap=options.overlap,
        tile=options.tile,
        batch=options.batch,
        format=format_of(options.out, options.format),
        dtype=options.dtype,
        compress=options.compress,
        level=options.level,
        overwrite=options.overwrite,
    )


def _upscale(options: argparse.Namespace) -> None:
    settings = settings_from(options)
    from spatial_prediction.upscaling.scenes import upscale  # JAX, which --help can do without

    upscale(options.scene, options.out, model=options.model, settings=settings)
