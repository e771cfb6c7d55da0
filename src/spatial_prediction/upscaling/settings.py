"""What can be chosen when a raster is upscaled, checked before anything is read."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.rasters.offset import OffsetSetting
from spatial_prediction.rasters.settings import NodataSetting, ScaleSetting
from spatial_prediction.upscaling.samples import SAMPLE_TYPES

Format: TypeAlias = Literal["cog", "gtiff", "netcdf"]
FORMATS: tuple[Format, ...] = get_args(Format)

STRATEGIES = ("padding", "crop", "blend", "exact")
"""Of ``tiling``, which imports JAX: a command's help can do without."""

SUFFIXES: Mapping[Format, tuple[str, ...]] = {
    "cog": (".tif", ".tiff"),
    "gtiff": (".tif", ".tiff"),
    "netcdf": (".nc", ".nc4"),
}
"""Endings of each format's files."""

LEVELS: Mapping[str, range] = {
    "none": range(0),
    "deflate": range(1, 10),
    "zstd": range(1, 23),
    "lzw": range(0),
}
"""Codecs and their levels; the first is the default: docs/upscaling.md has what others save and cost."""

CODECS: Mapping[Format, tuple[str, ...]] = {
    "cog": ("none", "deflate", "zstd", "lzw"),
    "gtiff": ("none", "deflate", "zstd", "lzw"),
    "netcdf": ("none", "deflate", "zstd"),
}

BLOCK = 512
"""Rows and columns of the blocks of an output."""


@dataclasses.dataclass(frozen=True)
class UpscaleSettings:
    """How a raster is read, upscaled and written.

    Attributes:
        bands: red, green and blue, by name, number or wavelength; None for those that the file calls so.
        offset: what is added to stored DN; as of ``rasters.open_raster``.
        scale: what stored numbers are; likewise.
        nodata: what marks missing samples; likewise.
        strategy: what happens where tiles meet.
        overlap: input pixels that tiles read beyond their own, of ``crop`` and ``blend``; None for the
            network's halo.
        tile: input pixels along each side that a tile keeps. Multiples of 128 fill blocks of the output.
        batch: tiles predicted at once; None for 1 on the CPU, and 4 on an accelerator.
        format: of the output.
        dtype: of the output's samples.
        compress: codec of the output.
        level: of the codec; None for its first.
        overwrite: whether an output that exists is replaced.

    Raises:
        ConfigurationError: a setting is none of those that are possible, or two contradict each other.
    """

    bands: tuple[str, ...] | None = None
    offset: OffsetSetting = "auto"
    scale: ScaleSetting = "auto"
    nodata: NodataSetting = "auto"
    strategy: str = "exact"
    overlap: int | None = None
    tile: int = 256
    batch: int | None = None
    format: Format = "cog"
    dtype: str = "uint16"
    compress: str = "deflate"
    level: int | None = None
    overwrite: bool = False

    def __post_init__(self) -> None:
        _check_choice("strategy", self.strategy, STRATEGIES)
        _check_choice("dtype", self.dtype, tuple(SAMPLE_TYPES))
        _check_choice("compress", self.compress, CODECS[self.format])
        if self.bands is not None and len(self.bands) != 3:
            raise ConfigurationError(
                f"bands: the network takes red, green and blue; name three bands, got {len(self.bands)} "
                f"({', '.join(self.bands)})"
            )
        for name, least in (("overlap", 0), ("tile", 1), ("batch", 1)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise ConfigurationError(f"{name}: is {value}; must be at least {least}")
        if self.overlap is not None and self.strategy not in ("crop", "blend"):
            raise ConfigurationError(
                f"overlap: strategy {self.strategy!r} takes none; leave it out, or choose crop or blend"
            )
        if self.strategy == "blend" and self.overlap is not None and 2 * self.overlap > self.tile:
            raise ConfigurationError(
                f"overlap: {self.overlap} pixels on each side of a seam are more than half of a tile of "
                f"{self.tile}, and more than two tiles would meet; take larger tiles or less overlap"
            )
        levels = LEVELS[self.compress]
        if self.level is not None and self.level not in levels:
            possible = f"{levels.start} to {levels.stop - 1}" if levels else "none; leave it out"
            raise ConfigurationError(
                f"level: {self.level} is not a level of {self.compress!r}, which has {possible}"
            )

    @property
    def codec_level(self) -> int | None:
        """The level that is used; None for a codec without."""
        levels = LEVELS[self.compress]
        return self.level or (levels.start if levels else None)


def format_of(path: str | Path, chosen: Format | None = None) -> Format:
    """Give the format of an output by the ending of its name, or check the one chosen against it.

    Raises:
        ConfigurationError: no format has that ending, or the chosen one has others.
    """
    suffix = Path(path).suffix.lower()
    fitting = [each for each in FORMATS if suffix in SUFFIXES[each]]
    if chosen is None and fitting:
        return fitting[0]
    if chosen is None or chosen not in fitting:
        wanted = SUFFIXES[chosen] if chosen else [end for ends in SUFFIXES.values() for end in ends]
        raise ConfigurationError(
            f"{path}: an output of format {chosen or ', '.join(FORMATS)} ends in "
            f"{', '.join(dict.fromkeys(wanted))}; rename it, or choose another format"
        )
    return chosen


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ConfigurationError(f"{name}: is {value!r}; choose one of {', '.join(choices)}")
