"""What a compressed file holds, in lines for people."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from spatial_prediction.compression.cubes import CubeReader
from spatial_prediction.cube_files.commands import opened_compressed
from spatial_prediction.cube_files.protocol import metadata_read
from spatial_prediction.errors import StreamError
from spatial_prediction.progress import progress
from spatial_prediction.rasters.attributes import shown

logger = logging.getLogger(__name__)


def describe_file(path: str | Path) -> Iterator[str]:
    """Give shape, type, predictor, largest error, rate and metadata of a compressed file, line by line.

    Raises:
        StreamError: header or index are damaged, or it is no compressed cube.
    """
    path = Path(path)
    with opened_compressed(path) as reader:
        described = reader.description
        samples = int(np.prod(described.shape, dtype=object))
        dtype = np.dtype(described.dtype)
        size = os.path.getsize(path)
        rates = _rates(reader)
        order = {"<": ", little endian", ">": ", big endian"}.get(described.dtype[0], "")
        lines = {
            "shape": "{} rows, {} columns, {} bands".format(*described.shape),
            "samples": f"{dtype.name}{order}",
            "predictor": described.predictor,
            "delta": _delta(described.delta),
            "size": f"{size:,} bytes, {8 * size / samples:.3f} bits per sample, "
            f"{samples * dtype.itemsize / size:.2f} times smaller",
            "groups": f"{described.groups} of {described.rows_per_group} rows, "
            f"{min(rates):.3f} to {max(rates):.3f} bits per sample",
        }
        yield from (f"{name:<10} {text}" for name, text in lines.items())
        yield "metadata"
        with metadata_read(path):
            entries = list(_entries(described.metadata, str(described.metadata.get("format", ""))))
        yield from (f"  {name}: {text}" for name, text in entries)


def verify_file(path: str | Path) -> int:
    """Compare all checksums of a compressed file; return the number of groups.

    Raises:
        StreamError: the message names the rows that are damaged.
    """
    path = Path(path)
    damaged = []
    with opened_compressed(path) as reader:
        described = reader.description
        for group in progress(
            range(described.groups),
            total=described.groups,
            description=f"verifying {path.name}",
            unit="groups of rows",
        ):
            try:
                reader.check_group(group)
            except StreamError:
                rows = described.rows_of(group)
                damaged.append(f"{rows.start} to {rows.stop - 1}")
    if damaged:
        raise StreamError(
            f"{path}: rows {', '.join(damaged)} of the cube are damaged, the others are not; transfer or "
            "compress it again"
        )
    return described.groups


def _rates(reader: CubeReader) -> list[float]:
    described = reader.description
    _, columns, bands = described.shape
    rates = []
    for group, size in enumerate(reader.sizes):
        rows = described.rows_of(group)
        rates.append(8 * size / ((rows.stop - rows.start) * columns * bands))
    return rates


def _delta(delta: int | tuple[int, ...]) -> str:
    if not np.any(delta):
        return "0, lossless"
    if isinstance(delta, int) or len(set(delta)) == 1:
        return f"{np.max(delta)}, no sample is wrong by more"
    return f"{min(delta)} to {max(delta)}, by band: {shown(list(delta))}"


def _entries(metadata: dict[str, Any], kind: str, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Give metadata in short lines: headers of ENVI entry by entry, netCDF by variable."""
    for name, value in metadata.items():
        if (kind, name) == ("ENVI", "header"):
            from spatial_prediction.rasters.envi_header import parsed_header

            yield from (
                (f"header: {key}", shown(text)) for key, text in parsed_header(value, "header").items()
            )
        elif name == "before_samples":
            yield f"{prefix}{name}", f"{len(value)} characters"
        elif isinstance(value, dict):
            yield from _entries(value, "", f"{prefix}{name}.")
        elif (kind, name) == ("netCDF", "variables"):
            for variable in value:
                dimensions = ", ".join(variable["dimensions"])
                yield f"variable {variable['name']}", f"{variable['type']} ({dimensions})"
                for key, _, text in variable["attributes"]:
                    yield f"  {variable['name']}: {key}", shown(text)
        elif (kind, name) == ("netCDF", "attributes"):
            yield from ((f"attribute {key}", shown(text)) for key, _, text in value)
        else:
            yield f"{prefix}{name}", shown(value)
