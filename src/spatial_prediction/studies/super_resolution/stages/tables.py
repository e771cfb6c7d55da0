"""Tidy tables on disk that include their provenance."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from spatial_prediction.files import written_aside


def write_table(table: pd.DataFrame, path: str | Path, provenance: dict[str, Any]) -> None:
    """Write a tidy table as Parquet, complete or not at all, with ``provenance`` as JSON metadata."""
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    arrow = arrow.replace_schema_metadata({"provenance": json.dumps(provenance)})
    with written_aside(path) as temporary:
        pq.write_table(arrow, temporary)
