"""Tidy tables of the study: all scores, and which model wins on validation frames. No JAX."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.studies.interpolation.metrics import METRICS
from spatial_prediction.tidy_tables import read_table

KEYS = ("mask", "model", "kind", "condition_on", "part", "pixels")
"""Columns that name a row of scores; ``kind`` is ``model`` or ``baseline``."""

COLUMNS = (*KEYS, "test_mask_type", "seed", "stream", "values", "scale", "units", *METRICS, "pit")
"""All of them, in order."""


def read_scores(path: Path) -> pd.DataFrame:
    """Read a table of scores.

    Raises:
        ConfigurationError: the file is missing or is no such table.
    """
    return read_table(path, COLUMNS)


def gathered_scores(paths: Sequence[Path]) -> pd.DataFrame:
    """Read tables of scores into one, in their order; those of fits that failed have no rows.

    Raises:
        ConfigurationError: a file is missing, is no such table, or names a row that another names, too.
    """
    tables = [read_scores(path) for path in paths]
    scores = pd.concat([table for table in tables if len(table)] or tables[:1], ignore_index=True)
    if (twice := scores.duplicated(list(KEYS))).any():
        row = scores[twice].iloc[0]
        raise ConfigurationError(
            f"{row['model']} on {row['mask']} is evaluated twice; give every table of scores once"
        )
    return scores


def selected(
    scores: pd.DataFrame, *, condition_on: str, part: str = "test", pixels: str = "hidden"
) -> pd.DataFrame:
    """Rows of one protocol, part and choice of pixels."""
    chosen = (
        (scores["condition_on"] == condition_on) & (scores["part"] == part) & (scores["pixels"] == pixels)
    )
    return scores[chosen]


def winners(scores: pd.DataFrame, *, condition_on: str, kind: str = "model") -> dict[str, str]:
    """For each mask the model, or baseline, with the least MAE on hidden pixels of validation frames.

    Test frames have no part in it, so the winner's test error is that of a choice made beforehand.
    """
    judged = selected(scores, condition_on=condition_on, part="validation")
    judged = judged[(judged["kind"] == kind) & judged["mae"].notna()].sort_values("mae", kind="stable")
    best = judged.drop_duplicates("mask")
    return dict(zip(best["mask"], best["model"], strict=True))


def beaten_by_baselines(scores: pd.DataFrame, *, condition_on: str) -> pd.DataFrame:
    """For each mask, how winner and best baseline, both chosen on validation frames, compare on test frames.

    Returns:
        Columns mask, model, baseline, model_mae, baseline_mae, ratio (model's over baseline's).
    """
    models, rivals = (winners(scores, condition_on=condition_on, kind=kind) for kind in ("model", "baseline"))
    tested = selected(scores, condition_on=condition_on).set_index(["mask", "model"])["mae"]
    rows = [
        (mask, model, rivals[mask], tested[mask, model], tested[mask, rivals[mask]])
        for mask, model in models.items()
        if mask in rivals and (mask, model) in tested.index
    ]
    table = pd.DataFrame(rows, columns=["mask", "model", "baseline", "model_mae", "baseline_mae"])
    return table.assign(ratio=table["model_mae"] / table["baseline_mae"])
