"""Tables of seams between tiles, summed up over scenes and distances.

Every row is one number about one scene in which four tiles meet. ``preset`` and ``seed`` name the network,
``padding`` what its tiles were padded with, ``output_crop`` the input pixels cropped from each side of them,
``strategy`` how they meet, ``tile`` the input pixels that one keeps along each side, ``overlap`` those it
reads more on each side.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.studies.super_resolution.metrics.tidy import COLUMNS, read_table

BY_DISTANCE = ("deviation", "error", "error_untiled")
"""Quantities that stand once for each distance from the nearest seam, in output pixels from 0 on.

``deviation``: mean square deviation of the tiled from the untiled prediction. ``error`` and
``error_untiled``: mean squared error of either.
"""

OF_SCENE = (
    "worst", "crossing", "bound", "step_across", "step_beside", "excess", "excess_untiled", "visible",
    "visible_untiled", "tile_mismatch", "relative_work",
)  # fmt: skip
"""Quantities that stand once for a scene, with the distance -1.

``worst``: greatest absolute deviation. ``crossing``: deviation within one input pixel of both seams.
``bound``: what the deviation cannot exceed, given both errors. ``step_…``, ``excess``: as
``tiling.SeamSteps``, the mean of both seams. ``visible``: share of the two seams that
stand out from 95 % of the other lines between input pixels; ``visible_untiled``, of the same lines where
nothing was tiled.
``tile_mismatch``: deviation of two tiles from each other that keep half of their columns in common, not
measured of strategies. ``relative_work``: pixels read for each that is kept.
"""


def read_seams(paths: Sequence[str | Path]) -> pd.DataFrame:
    """Read tables of seams, one for each preset, as the stages write them.

    Returns:
        A table with the columns of ``COLUMNS["seams"]``.

    Raises:
        ConfigurationError: no table is named, one cannot be read or lacks a column, or two hold the same
            network.
    """
    if not paths:
        raise ConfigurationError("no tables of seams: name at least one Parquet file.")
    table = pd.concat([read_table(path, "seams") for path in paths], ignore_index=True)
    if table.duplicated([name for name in COLUMNS["seams"] if name not in ("value", "pixel_count")]).any():
        raise ConfigurationError(
            f"{', '.join(map(str, paths))}: a network is in two of these tables; name each preset once."
        )
    return table


def over_all(table: pd.DataFrame, keys: list[str], *, quantity: str = "deviation") -> pd.DataFrame:
    """Mean over scenes and distances of a quantity of ``BY_DISTANCE``, weighted by pixels.

    Args:
        table: as ``read_seams`` returns it.
        keys: columns that distinguish the results, such as preset and seed.
        quantity: which one.

    Returns:
        Columns ``keys`` and value.
    """
    rows = table[(table["quantity"] == quantity) & (table["distance"] >= 0)]
    return _weighted(rows, keys)


def by_shell(
    table: pd.DataFrame, keys: list[str], *, shell: int, quantity: str = "deviation"
) -> pd.DataFrame:
    """Mean over scenes in each shell: the pixels whose distance from a seam is that of one input pixel.

    Args:
        table: as ``read_seams`` returns it.
        keys: columns that distinguish the results.
        shell: output pixels of an input pixel, along one axis.
        quantity: of ``BY_DISTANCE``.

    Returns:
        Columns ``keys``, shell and value.
    """
    rows = table[(table["quantity"] == quantity) & (table["distance"] >= 0)]
    return _weighted(rows.assign(shell=rows["distance"] // shell), [*keys, "shell"])


def by_distance(table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Mean square deviation at each distance, over scenes: columns ``keys``, distance, value."""
    rows = table[(table["quantity"] == "deviation") & (table["distance"] >= 0)]
    return _weighted(rows, [*keys, "distance"])


def of_scenes(table: pd.DataFrame, keys: list[str], quantity: str) -> pd.DataFrame:
    """Mean over scenes of a quantity of ``OF_SCENE``; of ``worst``, the greatest: columns ``keys``, value."""
    rows = table[table["quantity"] == quantity].groupby(keys, as_index=False, sort=False)
    return rows.agg({"value": "max" if quantity == "worst" else "mean"})


def _weighted(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    sums = rows.assign(total=rows["value"] * rows["pixel_count"])
    sums = sums.groupby(keys, as_index=False, sort=False)[["total", "pixel_count"]].sum()
    return sums.assign(value=sums["total"] / sums["pixel_count"])[[*keys, "value"]]
