"""What figures of the study share: names, colours, and pictures with north on top."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.axes import Axes

MODEL, BASELINE, WINNER = "#0072b2", "0.55", "#d55e00"
"""Colours of models, baselines, and of the model chosen on validation frames."""

FIELD_COLOURS, SPREAD_COLOURS, ERROR_COLOURS = "RdYlBu_r", "viridis", "magma"

PROTOCOLS = {
    "train": "training frames only",
    "train_redrawn": "training frames only, other masks",
    "train_and_part": "training frames and observed pixels of the predicted frames",
    "causal": "observed pixels of all frames up to the predicted one",
    "all": "observed pixels of all frames",
}
"""What predictions are given, in words."""


def mask_label(mask: str) -> str:
    """``dynamic_0.8_seed0`` as words; without a seed it stands for the masks of all seeds."""
    kind, probability, *seed = mask.split("_")
    drawn = [f"seed {each.removeprefix('seed')}" for each in seed]
    return ", ".join([kind, f"{100 * float(probability):g} % hidden", *drawn])


def colour(model: str, kind: str, winner: str | None) -> str:
    """Colour of a model or baseline."""
    return WINNER if model == winner else MODEL if kind == "model" else BASELINE


def by_error(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of one mask with models first, each kind by its MAE, the best on top."""
    return table.sort_values(["kind", "mae"], ascending=[False, True], kind="stable")


def limits(arrays: Sequence[np.ndarray]) -> tuple[float, float]:
    """Common colour limits of arrays: least and greatest value of all; never equal."""
    values = np.concatenate([array[np.isfinite(array)] for array in arrays])
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def upright(image: Float[np.ndarray, "rows columns"], north_first: bool) -> Float[np.ndarray, "rows columns"]:
    """Turn an image so that its northern edge is on top."""
    return image if north_first else image[::-1]


def mark_observed(axes: Axes, known: np.ndarray, north_first: bool, size: float) -> None:
    """Mark observed pixels of a picture with dots; size in points."""
    rows, columns = np.nonzero(known if north_first else known[::-1])
    axes.plot(
        columns, rows, linestyle="", marker="o", markersize=size, color="black", markeredgewidth=0, alpha=0.7
    )
