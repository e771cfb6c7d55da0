"""Tables of observations: CSV, Parquet, or columns in memory; which line a row came from is kept."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
from jaxtyping import Int
from pyarrow import parquet

from spatial_prediction.errors import ObservationError

TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
SUFFIXES = (*TEXT_SUFFIXES, ".parquet", ".pq")
"""Names of files that are taken for tables."""

DELIMITERS = (",", ";", "\t")


@dataclass(frozen=True)
class Table:
    """Columns of one length, and where they are from.

    Attributes:
        frame: the columns; those of a CSV file hold text.
        source: the file, or ``table``; what messages begin with.
        lines: number of the line of each row, from 1 on; None where there are no lines.
    """

    frame: pd.DataFrame
    source: str
    lines: Int[np.ndarray, " rows"] | None = None

    def place(self, row: int) -> str:
        """Say where a row is: its line in the file, or its number from 0 on."""
        return f"{self.source}, row {row}" if self.lines is None else f"{self.source}, line {self.lines[row]}"


def read_table(path: Path) -> Table:
    """Read a CSV or a Parquet file.

    CSV has names in its first line and is separated by commas, semicolons or tabs, whichever that line has
    most of; blank lines and lines that begin with ``#`` are left out. UTF-8.

    Raises:
        ObservationError: the file cannot be read, is empty, or a line has too few or too many fields.
    """
    try:
        if path.suffix.lower() in TEXT_SUFFIXES:
            return _read_csv(path)
        return Table(parquet.read_table(path).to_pandas().reset_index(drop=True), str(path))
    except UnicodeDecodeError as error:
        raise ObservationError(f"{path}: byte {error.start} is not UTF-8; save the table as UTF-8") from None
    except (OSError, csv.Error, pyarrow.ArrowException) as error:
        reason = getattr(error, "strerror", None) or error
        raise ObservationError(f"{path}: cannot be read as a table ({reason}); give CSV or Parquet") from None


def table_of(columns: Mapping[str, Any] | pd.DataFrame) -> Table:
    """Take columns in memory: arrays by name, or a data frame, whose index counts if it has a name.

    Raises:
        ObservationError: they are not of one length and one dimension.
    """
    if isinstance(columns, pd.DataFrame):
        named = any(name is not None for name in columns.index.names)
        return Table(columns.reset_index(drop=not named), "table")
    shapes = {str(name): np.shape(values) for name, values in columns.items()}
    if len(set(shapes.values())) != 1 or any(len(shape) != 1 for shape in shapes.values()):
        raise ObservationError(f"table: columns have the shapes {shapes}; give arrays (N,) of one length")
    series = {str(name): pd.Series(values).reset_index(drop=True) for name, values in columns.items()}
    return Table(pd.DataFrame(series), "table")


def _read_csv(path: Path) -> Table:
    with open(path, newline="", encoding="utf-8-sig") as file:
        first = next((line for line in map(_without_comment, file) if line.strip()), None)
        if first is None:
            raise ObservationError(f"{path}: is empty; give a line of names and a line for each observation")
        file.seek(0)
        reader = csv.reader(map(_without_comment, file), delimiter=max(DELIMITERS, key=first.count))
        rows = [(reader.line_num, fields) for fields in reader if any(map(str.strip, fields))]
    names = [name.strip() for name in rows.pop(0)[1]]
    for line, fields in rows:
        if len(fields) != len(names):
            raise ObservationError(
                f"{path}, line {line}: has {len(fields)} fields, and the first line {len(names)} names; "
                "give every line one for each name"
            )
    frame = pd.DataFrame([fields for _, fields in rows], columns=names, dtype=object)
    return Table(frame, str(path), np.array([line for line, _ in rows], np.int64))


def _without_comment(line: str) -> str:
    """The line, or an empty one in its place, so that numbers of lines stay true."""
    return "\n" if line.lstrip("\ufeff \t").startswith("#") else line
