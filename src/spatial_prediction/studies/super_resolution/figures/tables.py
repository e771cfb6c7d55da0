"""The study's tables: numbers in, formatted text out."""

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import pandas as pd

from spatial_prediction.plotting import formatting
from spatial_prediction.plotting.table_files import Table
from spatial_prediction.studies.super_resolution.figures import looks
from spatial_prediction.studies.super_resolution.figures.study_warnings import BILINEAR, study_warnings

Row = Mapping[Hashable, Any]
"""One row of a data frame, value by column."""

INTERVAL_NOTE = (
    "± is half the width of the bootstrapped 95 % interval over seeds, left out where there is a single seed."
)

MSE_HEADER = "Test MSE (10⁻⁶)"
BILINEAR_HEADER = "MSE v bilinear (%)"
ABOVE_HEADER = "Seeds not below bilinear"
ABOVE_MARK = "!"
"""Follows a number that is not better than that of bilinear upscaling."""

ABOVE_NOTE = (
    "Seeds not below bilinear: networks whose test MSE is not below that of bilinear upscaling with the same "
    "output crop, and by how much it lies above."
)
MARK_NOTE = "! marks a preset that does not beat bilinear upscaling with the same output crop."
SHELL_MARK_NOTE = "! marks a mean that does not beat bilinear upscaling, whose border is replicated."


def run_table(
    runs: pd.DataFrame,
    presets: Mapping[str, int],
    against: pd.DataFrame | None = None,
    bilinear: Mapping[int, float] | None = None,
) -> Table:
    """Show which runs succeeded, how the others failed, and which did not beat bilinear upscaling.

    Args:
        runs: columns preset, seed, status, step, reason; one row per run.
        presets: output crop of each preset, in the order of the rows.
        against: columns preset, seed, mse, beaten, difference, as ``metrics.against_bilinear`` returns them;
            None leaves out the columns about errors.
        bilinear: MSE of bilinear upscaling by output crop, a row for each output crop of the presets.

    Returns:
        One row per preset, one for all presets together, and those of bilinear upscaling.
    """
    of_study = runs[runs["preset"].isin(list(presets))]
    headers = ["Preset", "Tried", "Succeeded", "Failed", "Failed seeds"]
    rows = [(preset, *_run_cells(runs[runs["preset"] == preset])) for preset in presets]
    tried, succeeded, failed, _ = _run_cells(of_study)
    rows.append(("all", tried, succeeded, failed, ""))
    alignment = dict(zip(headers, ["left", "right", "right", "right", "long"], strict=True))
    cells, warned = pd.DataFrame(rows, columns=headers), frozenset[tuple[int, str]]()
    if against is not None:
        above = [_above_cell(against[against["preset"] == preset]) for preset in presets]
        means = against.groupby("preset")["mse"].mean().reindex(list(presets))
        cells.insert(4, MSE_HEADER, [formatting.number(mean / looks.MSE_UNIT) for mean in means] + [""])
        cells.insert(5, ABOVE_HEADER, [*above, ""])
        alignment |= {MSE_HEADER: "right", ABOVE_HEADER: "long"}
        warned = frozenset((row, ABOVE_HEADER) for row, text in enumerate(above) if text)
        lines = pd.DataFrame(_bilinear_cells(presets, bilinear or {}, crop_in_name=True))
        cells = pd.concat([cells, lines]).reindex(columns=cells.columns)
        cells = cells.fillna("").reset_index(drop=True)
    return Table(
        cells=cells,
        alignment=alignment,
        caption="Runs of each preset: how many were tried, how many succeeded, and how the others failed.",
        notes=() if against is None else (ABOVE_NOTE,),
        warned=warned,
        warnings=study_warnings(runs, against, presets),
    )


def general_table(
    results: pd.DataFrame, bilinear: Mapping[int, float] | None = None, warnings: tuple[str, ...] = ()
) -> Table:
    """Show cost and accuracy of each preset.

    Args:
        results: columns preset, output_crop, baseline, succeeded, tried, training_ and inference_ batch_size
            and relative_time, training_images_per_second, inference_pixels_per_second, and mse_, difference_
            and shell_difference_ mean, low and high, and where ``bilinear`` is given also
            bilinear_difference_; one row per preset. NaN is shown as an en dash.
        bilinear: MSE of bilinear upscaling by output crop, a row for each output crop of the presets; None
            leaves it out.
        warnings: sentences that are shown above the table, as ``study_warnings`` returns them.

    Returns:
        One row per preset, in the order given, then those of bilinear upscaling.
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
        MSE_HEADER: lambda row: formatting.interval(*_ends(row, "mse"), unit=looks.MSE_UNIT),
        "MSE v baseline (%)": lambda row: _difference(row, "difference"),
        "MSE of outermost kept shell v baseline (%)": lambda row: _difference(row, "shell_difference"),
    }
    if bilinear is not None:
        columns[BILINEAR_HEADER] = lambda row: _marked_if_above(_ends(row, "bilinear_difference"))
    cells = [{header: cell(row) for header, cell in columns.items()} for row in results.to_dict("records")]
    crops = dict(zip(results["preset"], results["output_crop"], strict=True))
    cells += _bilinear_cells(crops, bilinear or {})
    return Table(
        cells=pd.DataFrame(cells, columns=list(columns), dtype="object").fillna(formatting.MISSING),
        alignment={header: "left" if header == "Preset" else "right" for header in columns},
        caption="Cost and accuracy of each preset.",
        warned=frozenset(
            (row, BILINEAR_HEADER)
            for row, texts in enumerate(cells)
            if texts.get(BILINEAR_HEADER, "").endswith(ABOVE_MARK)
        ),
        warnings=warnings,
        notes=(
            "MSE of data scaled to [-1, 1] over the kept area of the test images.",
            "Batch: the largest that fits the memory budget. Time: of one image, where zero padding with the "
            "same output crop, measured in the same process, takes 1.",
            INTERVAL_NOTE,
            "* marks the baseline of its output crop; differences from it are on common successful seeds.",
            "An en dash stands where there is no successful run, no baseline or no measurement.",
            *(() if bilinear is None else (MARK_NOTE,)),
        ),
    )


def shell_table(
    shells: pd.DataFrame,
    presets: Mapping[str, int],
    seeds: Mapping[int, Sequence[int]],
    bilinear: pd.DataFrame | None = None,
) -> Table:
    """Show the test MSE of each preset by shell.

    Args:
        shells: columns preset, shell, mean, low, high.
        presets: output crop of each preset, in the order of the columns.
        seeds: for each output crop, the seeds that the numbers are averaged over.
        bilinear: columns shell, mse of bilinear upscaling, shown in the last column; None leaves it out.

    Returns:
        One row per shell, one column per preset; italics where the training loss left the shell out, and an
        exclamation mark where a preset does not beat bilinear upscaling.
    """
    names = zip(shells["preset"], shells["shell"], strict=True)
    by_place = dict(zip(names, shells[["mean", "low", "high"]].to_numpy().tolist(), strict=True))
    last = looks.last_shell(shells)
    limits = {} if bilinear is None else dict(zip(bilinear["shell"], bilinear["mse"], strict=True))
    columns: dict[str, list[str]] = {"Shell": [str(shell) for shell in range(last + 1)]}
    for preset in presets:
        places = [by_place.get((preset, shell), (math.nan,) * 3) for shell in range(last + 1)]
        texts = [formatting.interval(*place, unit=looks.MSE_UNIT) for place in places]
        columns[preset] = [
            f"{text} {ABOVE_MARK}" if place[0] >= limits.get(shell, math.inf) else text
            for shell, (place, text) in enumerate(zip(places, texts, strict=True))
        ]
    if limits:
        columns[BILINEAR] = [
            formatting.number(limits[shell] / looks.MSE_UNIT) if shell in limits else formatting.MISSING
            for shell in range(last + 1)
        ]
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
            *((SHELL_MARK_NOTE,) if limits else ()),
        ),
        warned=frozenset(
            (shell, preset)
            for preset in presets
            for shell, text in enumerate(columns[preset])
            if text.endswith(ABOVE_MARK)
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


def _above_cell(against: pd.DataFrame) -> str:
    """List the seeds whose networks do not beat bilinear upscaling, with their excess over it."""
    above = against[~against["beaten"].astype(bool)].sort_values("seed")
    return "; ".join(
        str(seed) if math.isnan(difference) else f"{seed} ({difference:+.3g} %)"
        for seed, difference in zip(above["seed"], above["difference"], strict=True)
    )


def _bilinear_cells(
    presets: Mapping[str, int], bilinear: Mapping[int, float], *, crop_in_name: bool = False
) -> list[dict[str, str]]:
    """Make a row of bilinear upscaling for each output crop of the presets."""
    return [
        {
            "Output crop (px)": str(crop),
            "Preset": f"{BILINEAR}, output crop {crop}" if crop_in_name else BILINEAR,
            MSE_HEADER: formatting.number(bilinear[crop] / looks.MSE_UNIT),
        }
        for crop in sorted(set(presets.values()))
        if crop in bilinear
    ]


def _marked_if_above(ends: tuple[float, float, float]) -> str:
    text = formatting.percent(*ends)
    return f"{text} {ABOVE_MARK}" if ends[0] >= 0 else text


def _mark_baseline(row: Row) -> str:
    return f"{row['preset']} *" if row["preset"] == row["baseline"] else str(row["preset"])


def _ends(row: Row, name: str) -> tuple[float, float, float]:
    return row[f"{name}_mean"], row[f"{name}_low"], row[f"{name}_high"]


def _difference(row: Row, name: str) -> str:
    mean, low, high = _ends(row, name)
    # A baseline does not differ from itself; an interval would suggest a measurement.
    return "0" if row["preset"] == row["baseline"] and mean == 0 else formatting.percent(mean, low, high)
