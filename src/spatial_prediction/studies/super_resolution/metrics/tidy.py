"""Reading and checking the tables that the training, evaluation and timing stages wrote."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from spatial_prediction import files
from spatial_prediction.errors import ConfigurationError

COLUMNS = {
    "mse": {
        "preset": pa.string(),
        "seed": pa.int64(),
        "image": pa.int64(),
        "output_crop": pa.int64(),
        "sum_of_squares": pa.float64(),
        "pixel_count": pa.int64(),
    },
    "history": {
        "preset": pa.string(),
        "seed": pa.int64(),
        "step": pa.int64(),
        "train_loss": pa.float64(),
        "test_loss": pa.float64(),
        "learning_rate": pa.float64(),
    },
    "nmse": {
        "preset": pa.string(),
        "seed": pa.int64(),
        "padding": pa.string(),
        "feature_map": pa.int64(),
        "squared_error": pa.float64(),
        "variance": pa.float64(),
    },
    "seams": {
        "preset": pa.string(),
        "seed": pa.int64(),
        "padding": pa.string(),
        "output_crop": pa.int64(),
        "strategy": pa.string(),
        "tile": pa.int64(),
        "overlap": pa.int64(),
        "scene": pa.int64(),
        "quantity": pa.string(),
        "distance": pa.int64(),
        "value": pa.float64(),
        "pixel_count": pa.int64(),
    },
}
"""Columns and types of each kind of tidy table; a table may have further columns, which are ignored."""


def read_table(path: str | Path, kind: str) -> pd.DataFrame:
    """Read one tidy Parquet table.

    Args:
        path: the file; it may hold one run or many, and a diverged run's file has no rows.
        kind: a key of ``COLUMNS``.

    Returns:
        A table with exactly the columns of ``COLUMNS[kind]``.

    Raises:
        ConfigurationError: when the file cannot be read, lacks a column, or has one of a wrong type.
    """
    return _read_arrow(Path(path), kind).to_pandas()


def gather_tables(paths: Sequence[str | Path], kind: str, output: str | Path) -> int:
    """Join the tables of many runs into one file, in the order given.

    Args:
        paths: tidy Parquet files of one kind; those of diverged runs add no rows.
        kind: a key of ``COLUMNS``.
        output: the Parquet file to write, complete or not at all.

    Returns:
        The number of rows written.

    Raises:
        ConfigurationError: when ``paths`` is empty, a file is unusable, or two files hold the same run.
    """
    if not paths:
        raise ConfigurationError(f"no {kind} tables to gather: name at least one Parquet file.")
    tables = [_read_arrow(Path(path), kind) for path in paths]
    _check_runs_are_distinct(paths, tables)
    table = pa.concat_tables(tables)
    with files.written_aside(output) as temporary:
        pq.write_table(table, temporary, compression="zstd")
    return int(table.num_rows)


def read_records(
    paths: Sequence[str | Path], keys: Sequence[str], *, distinct: Sequence[str]
) -> pd.DataFrame:
    """Read JSON files that hold one object each into a table with one row per file.

    Args:
        paths: JSON files; without any, the table has no rows.
        keys: the keys that every object must have; others are ignored.
        distinct: the keys that distinguish the objects, such as preset and seed.

    Returns:
        A table whose columns are ``keys``.

    Raises:
        ConfigurationError: when a file is not such an object, lacks a key, or agrees with an earlier one in
            all keys of ``distinct``.
    """
    table = pd.DataFrame([_read_record(Path(path), keys) for path in paths], columns=list(keys))
    for path, repeated in zip(paths, table.duplicated(list(distinct)), strict=True):
        if repeated:
            raise ConfigurationError(
                f"{path}: its {' and '.join(distinct)} stood in an earlier file; name each once."
            )
    return table


def _read_arrow(path: Path, kind: str) -> pa.Table:
    schema = pa.schema(COLUMNS[kind])
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise ConfigurationError(
            f"{path}: cannot be read as a Parquet table ({error}); make it again with its rule."
        ) from error
    missing = [name for name in schema.names if name not in table.column_names]
    if missing:
        raise ConfigurationError(
            f"{path}: not a table of kind '{kind}': column(s) {', '.join(missing)} missing, "
            f"found {', '.join(table.column_names)}; name a file that the {kind} rule wrote."
        )
    try:
        return table.select(schema.names).replace_schema_metadata(None).cast(schema)
    except (pa.ArrowException, ValueError) as error:
        raise ConfigurationError(
            f"{path}: a column of this '{kind}' table has a wrong type ({error}); make it again."
        ) from error


def _check_runs_are_distinct(paths: Sequence[str | Path], tables: Sequence[pa.Table]) -> None:
    """Refuse the same run twice, because its rows would silently count double."""
    origin: dict[tuple[str, int], str | Path] = {}
    for path, table in zip(paths, tables, strict=True):
        for run in table.select(["preset", "seed"]).group_by(["preset", "seed"]).aggregate([]).to_pylist():
            name = (run["preset"], run["seed"])
            if name in origin:
                raise ConfigurationError(
                    f"{path}: preset {name[0]}, seed {name[1]} is already in {origin[name]}; "
                    "name each run once."
                )
            origin[name] = path


def _read_record(path: Path, keys: Sequence[str]) -> dict[str, object]:
    record = files.read_object(path, keys)
    return {key: record[key] for key in keys}
