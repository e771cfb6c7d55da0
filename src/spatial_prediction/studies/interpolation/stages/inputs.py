"""First stages: the published field fetched, a field built, masks drawn on it."""

import logging
from pathlib import Path

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.retrieval.download import Archive, download
from spatial_prediction.studies.interpolation.config import LARGEST_GRID, Frames, MaskSettings
from spatial_prediction.studies.interpolation.fields.field import Field, load_field, save_field
from spatial_prediction.studies.interpolation.masks import draw_masks, save_masks

logger = logging.getLogger(__name__)

SIZE = 230_908
CHECKSUM = "3462248be873f177b352ae722b94d7e0a0dfb0d7f0430ff6a206f188a4f5f634"
"""SHA-256 and bytes of that file: daily near-surface air temperature of MPI-ESM-P (past1000)."""


def retrieve_published_field(output: Path, *, address: str) -> None:
    """Fetch the reference study's field.

    Args:
        output: where to put it; its checksum is verified.
        address: where the bytes are.

    Raises:
        RetrievalError: it cannot be had, or is another file.
    """
    archive = Archive(name=output.name, size=SIZE, algorithm="sha256", checksum=CHECKSUM, url=address)
    download(archive, output.parent)


def write_field(field: Field, frames: Frames, output: Path) -> None:
    """Check that a field can be studied, and keep its frames.

    Raises:
        ConfigurationError: it has too few frames, or more pixels than can be fitted.
        SceneError: it has no values in the training frames.
    """
    available, rows, columns = field.values.shape
    frames.check(available)
    if (size := rows * columns + frames.total) > LARGEST_GRID:
        raise ConfigurationError(
            f"{field.source}: {rows} x {columns} pixels and {frames.total} frames are {size} together; at "
            f"most {LARGEST_GRID} can be fitted. Choose a smaller area or a coarser grid"
        )
    scale = field.scale(frames.of("train"))
    logger.info(
        "%s: %s, %d frames of %d x %d pixels, largest value %g %s",
        field.source, field.name, frames.total, rows, columns, scale, field.units,
    )  # fmt: skip
    save_field(output, field)


def build_masks(field_path: Path, frames: Frames, settings: MaskSettings, *, output: Path) -> None:
    """Draw which pixels of a field are observed, and store it with the settings."""
    _, rows, columns = load_field(field_path).values.shape
    masks = draw_masks(frames, rows, columns, settings)
    for part in ("train", "validation", "test"):
        numbers = frames.of(part)
        count = int(masks.observed[numbers.start : numbers.stop].sum())
        logger.info("%s: %d pixels of %d frames are observed", part, count, len(numbers))
    save_masks(output, masks, settings)
