"""The study's tables: numbers in, finished text out."""

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import pandas as pd

from spatial_prediction.figures import formatting, style
from spatial_prediction.figures.table_files import Table

Row = Mapping[Hashable, Any]
"""One row of a data frame, value by column."""

INTERVAL_NOTE = (
    "± is half the width of the bootstrapped 95 % interval over seeds, left out where there is a single seed."
)


def run_table(runs: pd.DataFrame, presets: Mapping[str, int]) -> Table:
    """Tell which runs succeeded and how the others failed.

    Args:
        runs: columns preset, seed, status, step, reason; one row a run.
        presets: output crop of each preset, in the order of the rows.

    Returns:
        One row a preset and a last row for all together.
    """
    rows = [(preset, *_run_cells(runs[runs["preset"] == preset])) for preset in presets]
    of_study = runs[runs["preset"].isin(list(presets))]
    tried, succeeded, failed, _ = _run_cells(of_study)
    headers = ["Preset", "Tried", "Succeeded", "Failed", "Failed seeds"]
    return Table(
        cells=pd.DataFrame([*rows, ("all", tried, succeeded, failed, "")], columns=headers),
        alignment=dict(zip(headers, ["left", "right", "right", "right", "long"], strict=True)),
        caption="Runs of each preset: how many were tried, how many succeeded, and how the others failed.",
    )


def general_table(results: pd.DataFrame) -> Table:
    """Show cost and accuracy of each preset.

    Args:
        results: columns preset, output_crop, baseline, succeeded, tried, training_ and inference_ batch_size
            and relative_time, training_images_per_second, inference_pixels_per_second, and mse_, difference_
            and shell_difference_ mean, low and high; one row a preset. NaN is shown as an en dash.

    Returns:
        One row a preset, in the order given.
    """
    columns: dict[str, Callable[[Row], str]] = {
        "Output crop (px)": lambda row: str(row["output_crop"]),
        "Preset": _mark_baseline,
        "Runs succeeded/tried": lambda row: f"{row['succeeded']}/{row['tried']}",
        "Training batch": lambda row: formatting.whole(row["training_batch_size"]),
        "Training (images/s)": lambda row: formatting.number(row["training_images_per_second"]),
        "Training time (1 = zero)": lambda row: formatting.number(row["training_relative_time"], 2),
        "Inference batch": lambda row: formatting.whole(row["inference_batch_size"]),
        "Inference (10⁶ px/s)": lambda row: formatting.number(row["inference_pixels_per_second"] / 1e6),
        "Inference time (1 = zero)": lambda row: formatting.number(row["inference_relative_time"], 2),
        "Test MSE (10⁻⁶)": lambda row: formatting.interval(*_ends(row, "mse"), unit=style.MSE_UNIT),
        "MSE v baseline (%)": lambda row: _difference(row, "difference"),
        "MSE of outermost kept shell v baseline (%)": lambda row: _difference(row, "shell_difference"),
    }
    cells = [{header: cell(row) for header, cell in columns.items()} for row in results.to_dict("records")]
    return Table(
        cells=pd.DataFrame(cells, columns=list(columns), dtype="object"),
        alignment={header: "left" if header == "Preset" else "right" for header in columns},
        caption="Cost and accuracy of each preset.",
        notes=(
            "MSE of data scaled to [-1, 1] over the kept area of the test images.",
            "Batch: the largest that fits the memory budget. Time: of one image, where zero padding with the "
            "same output crop, measured in the same process, takes 1.",
            INTERVAL_NOTE,
            "* marks the baseline of its output crop; differences from it are on common successful seeds.",
            "An en dash stands where there is no successful run, no baseline or no measurement.",
        ),
    )


def shell_table(
    shells: pd.DataFrame, presets: Mapping[str, int], seeds: Mapping[int, Sequence[int]]
) -> Table:
    """Show the test MSE of each preset by shell.

    Args:
        shells: columns preset, shell, mean, low, high.
        presets: output crop of each preset, in the order of the columns.
        seeds: for each output crop the seeds that the numbers rest on.

    Returns:
        One row a shell, one column a preset; italics where the training loss left the shell out.
    """
    names = zip(shells["preset"], shells["shell"], strict=True)
    by_place = dict(zip(names, shells[["mean", "low", "high"]].to_numpy().tolist(), strict=True))
    last = int(shells["shell"].max()) if len(shells) else 10
    columns: dict[str, list[str]] = {"Shell": [str(shell) for shell in range(last + 1)]}
    for preset in presets:
        places = [by_place.get((preset, shell), (math.nan,) * 3) for shell in range(last + 1)]
        columns[preset] = [formatting.interval(*place, unit=style.MSE_UNIT) for place in places]
    used = "; ".join(
        f"output crop {crop}: {', '.join(map(str, members)) or 'none'}" for crop, members in seeds.items()
    )
    return Table(
        cells=pd.DataFrame(columns, dtype="object"),
        alignment=dict.fromkeys(columns, "right"),
        caption="Test MSE (10⁻⁶ of data scaled to [-1, 1]) by shell.",
        notes=(
            f"Shell 0 is the outermost ring of one input pixel; shell {last} is all inside the others.",
            "Italics: the training loss left this shell out.",
            f"Seeds common to the presets of each output crop: {used}.",
            INTERVAL_NOTE,
        ),
        italic=frozenset(
            (shell, preset)
            for preset, output_crop in presets.items()
            for shell in range(min(output_crop, last + 1))
        ),
    )


def _run_cells(runs: pd.DataFrame) -> tuple[str, str, str, str]:
    failed = runs[runs["status"] == "diverged"].sort_values("seed")
    reasons = failed["reason"].astype("object").fillna("reason unknown")
    stories = [
        f"{seed} (step {step}: {reason})"
        for seed, step, reason in zip(failed["seed"], failed["step"], reasons, strict=True)
    ]
    return str(len(runs)), str(len(runs) - len(failed)), str(len(failed)), "; ".join(stories)


def _mark_baseline(row: Row) -> str:
    return f"{row['preset']} *" if row["preset"] == row["baseline"] else str(row["preset"])


def _ends(row: Row, name: str) -> tuple[float, float, float]:
    return row[f"{name}_mean"], row[f"{name}_low"], row[f"{name}_high"]


def _difference(row: Row, name: str) -> str:
    mean, low, high = _ends(row, name)
    # A baseline differs from itself by nothing, and an interval of that would only pretend to a measurement.
    return "0" if row["preset"] == row["baseline"] and mean == 0 else formatting.percent(mean, low, high)
