"""Speed of training and inference, as measured by the timing stage."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.studies.super_resolution.metrics.tidy import read_records

KEYS = (
    "preset",
    "kind",
    "batch_size",
    "images_per_second",
    "pixels_per_second",
    "reference_images_per_second",
)


def read_timings(paths: Sequence[str | Path], kind: str) -> pd.DataFrame:
    """Read timing records, one JSON file per preset.

    Args:
        paths: files with the keys preset, kind, batch_size, images_per_second, pixels_per_second (output
            pixels) and reference_images_per_second (zero padding at the same output crop, measured in the
            same process).
        kind: ``"training"`` or ``"inference"``; every file must be of this kind.

    Returns:
        Columns preset, batch_size, images_per_second, pixels_per_second, relative_time. ``relative_time`` is
        the time an image takes divided by the time it takes with zero padding.

    Raises:
        ConfigurationError: when a file lacks a key or is of the other kind.
    """
    timings = read_records(paths, KEYS, distinct=("preset",))
    for path, found in zip(paths, timings["kind"], strict=True):
        if found != kind:
            raise ConfigurationError(
                f"{path}: holds a timing of {found}, not of {kind}; name the {kind} files here."
            )
    timings["relative_time"] = timings["reference_images_per_second"] / timings["images_per_second"]
    return timings[["preset", "batch_size", "images_per_second", "pixels_per_second", "relative_time"]]
