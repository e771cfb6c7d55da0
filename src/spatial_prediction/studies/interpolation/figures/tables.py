"""Tables of the study: scores of models and baselines under every protocol, and how the fits went."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from spatial_prediction.plotting import formatting
from spatial_prediction.plotting.table_files import Table
from spatial_prediction.studies.interpolation.figures import looks
from spatial_prediction.studies.interpolation.results import beaten_by_baselines, selected, winners

CHOSEN = "chosen"


def score_table(scores: pd.DataFrame, *, condition_on: Sequence[str]) -> Table:
    """Tabulate test scores, a row for each mask, protocol, and model or baseline.

    The choice among models, and among baselines, is made on validation frames; it is marked, and a warning
    says where a baseline so chosen beats the model so chosen on test frames.
    """
    rows, warnings = [], []
    for protocol in condition_on:
        hidden, everywhere = (
            selected(scores, condition_on=protocol, pixels=pixels) for pixels in ("hidden", "all")
        )
        judged = selected(scores, condition_on=protocol, part="validation")
        best = {kind: winners(scores, condition_on=protocol, kind=kind) for kind in ("model", "baseline")}
        for mask in dict.fromkeys(hidden["mask"]):
            for _, row in looks.by_error(hidden[hidden["mask"] == mask]).iterrows():
                same = (row["mask"], row["model"])
                chosen = best[row["kind"]].get(mask) == row["model"]
                rows.append(
                    _cells(row, _of(everywhere, same), _of(judged, same)) | {"Choice": CHOSEN * chosen}
                )
        lost = beaten_by_baselines(scores, condition_on=protocol).query("ratio >= 1")
        warnings += [
            f"{looks.mask_label(str(row.mask))}, given {looks.PROTOCOLS[protocol]}: {row.baseline} "
            f"({row.baseline_mae:.5f}) is no worse than {row.model} ({row.model_mae:.5f})."
            for row in lost.itertuples()
        ]
    cells = pd.DataFrame(rows)
    left = ("Masks", "Given", "Method", "Choice")
    return Table(
        cells=cells,
        alignment={header: "left" if header in left else "right" for header in cells.columns},
        caption="Errors on test frames, in units of the field's largest value, and in the field's units.",
        notes=(
            "Hidden: pixels of which the prediction was given nothing; all: all pixels.",
            "Chosen: least MAE on hidden pixels of validation frames, among models and among baselines.",
            "Coverage: share of values inside the central 95 % interval; NLPD: negative logarithm of the "
            "predictive density; both of observations, so with noise. Baselines give no variance.",
            *(f"Given {protocol}: {looks.PROTOCOLS[protocol]}." for protocol in condition_on),
        ),
        warnings=tuple(warnings),
    )


def _of(table: pd.DataFrame, same: tuple[str, str]) -> pd.Series | None:
    found = table[(table["mask"] == same[0]) & (table["model"] == same[1])]
    return found.iloc[0] if len(found) else None


def _cells(hidden: pd.Series, everywhere: pd.Series | None, judged: pd.Series | None) -> dict[str, str]:
    unit = hidden["units"] or "field's units"
    missing = formatting.MISSING

    def error(row: pd.Series | None, name: str) -> str:
        return missing if row is None else f"{row[name]:.5f}"

    return {
        "Masks": looks.mask_label(hidden["mask"]),
        "Given": hidden["condition_on"],
        "Method": hidden["model"],
        "MAE hidden": error(hidden, "mae"),
        "RMSE hidden": error(hidden, "rmse"),
        f"MAE hidden, {unit}": formatting.number(hidden["mae"] * hidden["scale"], 3),
        f"RMSE hidden, {unit}": formatting.number(hidden["rmse"] * hidden["scale"], 3),
        "MAE all": error(everywhere, "mae"),
        "RMSE all": error(everywhere, "rmse"),
        "Coverage": formatting.number(hidden["coverage"], 3),
        "NLPD": formatting.number(hidden["nlpd"], 3),
        "Correlation": formatting.number(hidden["correlation"], 3),
        "Mean variance": missing if pd.isna(hidden["mean_variance"]) else f"{hidden['mean_variance']:.2e}",
        "MAE hidden, validation": error(judged, "mae"),
    }


def fit_table(records: Sequence[Mapping[str, Any]]) -> Table:
    """Tabulate how fits ended: status, steps, loss, noise, time; failures among them."""
    rows = [
        {
            "Masks": looks.mask_label(record["mask"]),
            "Model": record["model"],
            "Observations": f"{record['observations']}",
            "Status": record["status"],
            "Steps": f"{record['steps']}",
            "Best step": f"{record['best_step']}",
            "Loss per observation": formatting.number(_number(record["loss"]), 4),
            "Validation loss": formatting.number(_number(record["validation_loss"]), 4),
            "Noise, standard deviation": formatting.number(_number(record["noise_deviation"])),
            "Seconds": formatting.number(record["seconds"], 1),
        }
        for record in records
    ]
    failed = [record for record in records if record["status"].startswith("failed")]
    cells = pd.DataFrame(rows)
    left = ("Masks", "Model", "Status")
    return Table(
        cells=cells,
        alignment={header: "left" if header in left else "right" for header in cells.columns},
        caption="How the fits ended.",
        notes=(
            "Losses are negative log densities of scaled targets; the validation loss is that of the "
            "validation observations given those of training.",
            "The noise is in the field's units.",
        ),
        warned=frozenset(
            (row, "Status") for row, record in enumerate(records) if record["status"].startswith("failed")
        ),
        warnings=(f"{len(failed)} of {len(records)} fits failed.",) if failed else (),
    )


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
