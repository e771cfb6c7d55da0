"""How much room an output needs on its disk, before it is begun."""

import logging
import shutil
from pathlib import Path

from spatial_prediction.errors import WriteError
from spatial_prediction.upscaling.geotiff import needs_copy
from spatial_prediction.upscaling.output import Output
from spatial_prediction.upscaling.settings import UpscaleSettings

logger = logging.getLogger(__name__)

COMPRESSED = 0.8
"""What deflate or zstd leaves of an upscaled scene, at most: 0.55 on real ones, and some for noisier ones."""

OVERVIEWS = 1 / 3
"""Samples of all overviews, per sample of the image."""


def needed_bytes(output: Output, settings: UpscaleSettings) -> tuple[int, int]:
    """Estimate the room that the file needs, and what its making needs besides.

    Pixels lie uncompressed beside a COG while its overviews are made, uncompressed too.
    """
    left = 1.0 if settings.compress == "none" else COMPRESSED
    overviews = OVERVIEWS if settings.format == "cog" else 0.0
    aside = settings.format == "cog" or (settings.format == "gtiff" and needs_copy(output))
    return (
        round(output.raw_bytes * left * (1 + overviews)),
        round(output.raw_bytes * (1 + overviews)) if aside else 0,
    )


def check_disk_space(path: Path, output: Output, settings: UpscaleSettings) -> None:
    """Say what room is needed and what there is.

    Raises:
        WriteError: there is too little.
    """
    file, besides = needed_bytes(output, settings)
    folder = next(each for each in [path.parent, *path.absolute().parents] if each.is_dir())
    free = shutil.disk_usage(folder).free
    need = f"{_shown(file)} for the file" + (f" and {_shown(besides)} while it is made" if besides else "")
    logger.info("%s: takes about %s; %s are free in %s", path, need, _shown(free), folder)
    if file + besides > free:
        raise WriteError(
            f"{path}: takes about {need}, and {_shown(free)} are free in {folder}; make room, choose a "
            "folder on another disk" + (", or --format gtiff, which is written at once" if besides else "")
        )


def _shown(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.1f} MB"
