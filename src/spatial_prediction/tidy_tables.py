"""Tables that scripts of a study leave for one another: Parquet files with columns known beforehand."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from spatial_prediction.errors import ConfigurationError


def read_table(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Read a table that has these columns, and leave out others.

    Raises:
        ConfigurationError: the file is missing or is no such table.
    """
    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"{path}: cannot be read as a table ({error}); make it again with its rule"
        ) from error
    if missing := [name for name in columns if name not in table]:
        raise ConfigurationError(
            f"{path}: column(s) {', '.join(missing)} missing; make it again with its rule"
        )
    return table[list(columns)]
