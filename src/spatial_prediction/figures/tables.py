"""The study's tables, from numbers to files that people read: CSV, Markdown and LaTeX."""

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from spatial_prediction import files
from spatial_prediction.figures import formatting, style

Row = Mapping[Hashable, Any]
"""One row of a data frame, value by column."""

INTERVAL_NOTE = (
    "± is half the width of the bootstrapped 95 % interval over seeds, left out where there is a single seed."
)

_LATEX_ALIGNMENT = {"left": "l", "right": "r", "long": r"p{0.5\linewidth}"}
_MARKDOWN_ALIGNMENT = {"left": ":---", "right": "---:", "long": ":---"}


@dataclass(frozen=True)
class Table:
    """A table of finished text.

    Attributes:
        cells: text of every cell; the column names are the headers, units included.
        alignment: ``"left"``, ``"right"`` or ``"long"`` (left, with line breaks) of each column.
        caption: one sentence on what the table shows.
        notes: further sentences, printed below.
        italic: (row position, header) of the cells in italics; CSV does not show them.
    """

    cells: pd.DataFrame
    alignment: Mapping[str, str]
    caption: str
    notes: tuple[str, ...] = ()
    italic: frozenset[tuple[int, str]] = frozenset()


def write_table(table: Table, path_without_suffix: str | Path) -> list[Path]:
    """Write a table as ``.csv``, ``.md`` and ``.tex``, each file complete or not at all.

    Args:
        table: what to write. CSV holds the cells alone; the LaTeX needs the package booktabs.
        path_without_suffix: where; each suffix is added.

    Returns:
        The paths written.
    """
    contents = {"csv": table.cells.to_csv(index=False), "md": _as_markdown(table), "tex": _as_latex(table)}
    paths = [Path(f"{path_without_suffix}.{suffix}") for suffix in contents]
    for path, content in zip(paths, contents.values(), strict=True):
        with files.written_aside(path) as temporary:
            temporary.write_text(content, encoding="utf-8")
    return paths


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


def _as_markdown(table: Table) -> str:
    headers = list(table.cells.columns)
    lines = [
        [formatting.markdown(header) for header in headers],
        [_MARKDOWN_ALIGNMENT[table.alignment[header]] for header in headers],
        *_marked_up(table, formatting.markdown),
    ]
    body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    notes = "\n".join(f"- {formatting.markdown(note)}" for note in table.notes)
    return "\n\n".join(part for part in (formatting.markdown(table.caption), body, notes) if part) + "\n"


def _as_latex(table: Table) -> str:
    headers = list(table.cells.columns)
    rows = [r" & ".join(cells) + r" \\" for cells in _marked_up(table, formatting.latex)]
    notes = [rf"\par {{\footnotesize {formatting.latex(note)}}}" for note in table.notes]
    lines = [
        r"% needs \usepackage{booktabs}",
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{formatting.latex(table.caption)}}}",
        rf"\begin{{tabular}}{{{''.join(_LATEX_ALIGNMENT[table.alignment[header]] for header in headers)}}}",
        r"\toprule",
        " & ".join(formatting.latex(header) for header in headers) + r" \\",
        r"\midrule",
        *rows,
        r"\bottomrule",
        r"\end{tabular}",
        *notes,
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _marked_up(table: Table, markup: Callable[..., str]) -> list[list[str]]:
    return [
        [
            markup(text, italic=(row, header) in table.italic and text != formatting.MISSING)
            for header, text in zip(table.cells.columns, cells, strict=True)
        ]
        for row, cells in enumerate(table.cells.itertuples(index=False, name=None))
    ]
