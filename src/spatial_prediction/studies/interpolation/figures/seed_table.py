"""Table: scores over the seeds of masks, with intervals."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from spatial_prediction.plotting import formatting
from spatial_prediction.plotting.table_files import Table
from spatial_prediction.statistics.intervals import intervals_by
from spatial_prediction.studies.interpolation.figures import looks
from spatial_prediction.studies.interpolation.results import selected

RNG_SEED = 0
"""Of the bootstrap."""

COLUMNS = {
    "MAE, validation": ("validation", "mae", 5),
    "MAE": ("test", "mae", 5),
    "RMSE": ("test", "rmse", 5),
    "Coverage": ("test", "coverage", 3),
    "NLPD": ("test", "nlpd", 2),
}
"""Header: part of the field, measure, decimals; all of hidden pixels."""


def seed_table(scores: pd.DataFrame, *, condition_on: Sequence[str]) -> Table:
    """Tabulate means over seeds with 95 % intervals, a row for each kind of masks, protocol and method.

    The choice among models, and among baselines, is that of the least mean MAE on validation frames.
    """
    pooled = scores.assign(mask=scores["mask"].str.rpartition("_seed")[0])
    rows = []
    for protocol in condition_on:
        columns = {
            header: _intervals(selected(pooled, condition_on=protocol, part=part), measure, decimals)
            for header, (part, measure, decimals) in COLUMNS.items()
        }
        judged = _means(selected(pooled, condition_on=protocol, part="validation"))
        best = judged.sort_values("mae").drop_duplicates(["mask", "kind"]).index
        tested = _means(selected(pooled, condition_on=protocol))
        for mask in dict.fromkeys(tested["mask"]):
            for name, row in looks.by_error(tested[tested["mask"] == mask]).iterrows():
                cells_of = {
                    header: cells.get(str(name), formatting.MISSING) for header, cells in columns.items()
                }
                rows.append(
                    {
                        "Masks": looks.mask_label(mask),
                        "Given": protocol,
                        "Method": row["model"],
                        "Seeds": f"{row['seeds']}",
                        **cells_of,
                        "Choice": "chosen" * (name in best),
                    }
                )
    cells = pd.DataFrame(rows)
    left = ("Masks", "Given", "Method", "Choice")
    return Table(
        cells=cells,
        alignment={header: "left" if header in left else "right" for header in cells.columns},
        caption="Errors on hidden pixels, means over seeds of the masks with 95 % intervals.",
        notes=(
            "In units of the field's largest value; of test frames but for the first column.",
            "Intervals: percentile bootstrap over seeds, somewhat too narrow for a handful of them.",
            "Chosen: least mean MAE on validation frames, among models and among baselines.",
        ),
    )


def _means(table: pd.DataFrame) -> pd.DataFrame:
    """Mean MAE over seeds, by ``MASK MODEL``."""
    grouped = table.groupby(["mask", "model", "kind"], sort=False)["mae"].agg(["mean", "size"]).reset_index()
    named = grouped.rename(columns={"mean": "mae", "size": "seeds"})
    return named.set_axis(named["mask"] + " " + named["model"])


def _intervals(table: pd.DataFrame, measure: str, decimals: int) -> dict[str, str]:
    """Cells by ``MASK MODEL``."""
    found = intervals_by(table[table[measure].notna()], ["mask", "model"], measure, rng_seed=RNG_SEED)
    cells = {}
    for mask, model, mean, low, high in found[["mask", "model", "mean", "low", "high"]].to_numpy():
        half = "" if np.isnan(low) else f" ± {(high - low) / 2:.{decimals}f}"
        cells[f"{mask} {model}"] = formatting.number(mean, decimals) + half
    return cells
