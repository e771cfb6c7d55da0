"""The study's tidy table: a row for each cube, codec and largest error. No JAX, no compiled loops."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.studies.compression.config import CCSDS123
from spatial_prediction.tidy_tables import read_table

KEYS = ("cube", "codec", "delta")
"""Columns that name a row."""

COLUMNS = (
    *KEYS, "kind", "rows", "columns", "bands", "dtype", "trained_on",
    "stream_bytes", "container_bytes", "model_bytes", "bits_per_sample",
    "encode_seconds", "decode_seconds", "encode_memory", "decode_memory",
    "largest_error", "rmse", "psnr", "verified", "status",
)  # fmt: skip
"""All of them, in order. ``kind`` is ``predictor`` or ``peer``; memory is in bytes; ``trained_on`` is empty
where nothing was trained; ``model_bytes`` are of a network that has seen the cube, or may have,
and count in the rate."""


def read_measurements(path: Path) -> pd.DataFrame:
    """Read a table of measurements.

    Raises:
        ConfigurationError: the file is missing or is no such table.
    """
    return read_table(path, COLUMNS)


def gathered_measurements(paths: Sequence[Path]) -> pd.DataFrame:
    """Read tables of measurements into one, in their order.

    Raises:
        ConfigurationError: a file is missing, is no such table, or names a row that another names, too.
    """
    table = pd.concat([read_measurements(path) for path in paths], ignore_index=True)
    if (twice := table.duplicated(list(KEYS))).any():
        row = table[twice].iloc[0]
        raise ConfigurationError(
            f"{row['codec']} on {row['cube']}, delta {row['delta']}, is measured twice; give each table once"
        )
    return table


def lossless(measurements: pd.DataFrame, cube: str) -> pd.DataFrame:
    """Rows of a cube without errors, the fewest bits first; those that failed come last."""
    chosen = measurements[(measurements["cube"] == cube) & (measurements["delta"] == 0)]
    return chosen.sort_values("bits_per_sample", kind="stable")


def standard_rate(measurements: pd.DataFrame, cube: str, delta: int = 0) -> float:
    """Bits per sample of CCSDS 123.0-B-2 on a cube; NaN where it was not measured."""
    chosen = (
        (measurements["cube"] == cube)
        & (measurements["codec"] == CCSDS123)
        & (measurements["delta"] == delta)
    )
    rates = measurements[chosen]["bits_per_sample"]
    return float(rates.iloc[0]) if len(rates) else float("nan")
