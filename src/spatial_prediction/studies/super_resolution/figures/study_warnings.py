"""What a reader must know before comparing presets: runs that diverged, networks that learned too little."""

import logging
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from spatial_prediction import files

BILINEAR = "bilinear upscaling"
"""Its name among those of presets, none of which has a space."""


def study_warnings(
    runs: pd.DataFrame, against: pd.DataFrame | None, presets: Mapping[str, int]
) -> tuple[str, ...]:
    """Describe what is wrong with a study's runs, in sentences; none if nothing is wrong.

    Args:
        runs: columns preset, seed, status; one row per run.
        against: columns preset, seed, beaten, difference, as ``metrics.against_bilinear`` returns them; None
            if bilinear upscaling was not evaluated.
        presets: output crop of each preset; runs of other presets are left out.
    """
    names = list(presets)
    tried = runs[runs["preset"].isin(names)]
    failed = tried[tried["status"] == "diverged"]
    sentences = []
    if len(failed):
        some = _count(len(failed), len(tried), "diverged")
        some = "Every run diverged" if len(failed) == len(tried) else some
        sentences.append(f"{some}: {_by_preset(failed, tried, names)}.")
    if against is not None:
        compared = against[against["preset"].isin(names)]
        above = compared[~compared["beaten"]]
        if len(above):
            count = _count(len(above), len(compared), "do not beat", "does not beat")
            sentences.append(
                f"{count} {BILINEAR} of the same output crop: {_by_preset(above, compared, names)}. "
                "They have learnt too little to compare paddings by; train longer (training.steps) or with "
                "other rates."
            )
    return tuple(sentences)


def log_warnings(sentences: Sequence[str]) -> None:
    """Print each sentence to the log of the job."""
    for sentence in sentences:
        logging.getLogger(__name__).warning("warning: %s", sentence)


def write_note(path: str | Path, sentences: Sequence[str]) -> None:
    """Write the sentences as reStructuredText for the first page of the report.

    Args:
        path: the file, complete or not at all; without sentences it holds only a comment.
        sentences: as ``study_warnings`` returns them.
    """
    paragraphs = [f"   {_restructured(sentence)}\n" for sentence in sentences]
    note = "\n".join([".. warning::\n", *paragraphs] if paragraphs else [".. Nothing to warn of.\n"])
    with files.written_aside(path) as temporary:
        temporary.write_text(note, encoding="utf-8")


def _count(some: int, all_: int, plural: str, singular: str | None = None) -> str:
    verb = singular if some == 1 and singular else plural
    return f"{some} of {all_} {'networks' if singular else 'runs'} {verb}"


def _by_preset(some: pd.DataFrame, all_: pd.DataFrame, presets: Sequence[str]) -> str:
    """List presets with their share of runs and their mean difference, if any."""
    counts, totals = some["preset"].value_counts(), all_["preset"].value_counts()
    parts = []
    for preset in presets:
        if preset in counts:
            part = f"{preset} {counts[preset]} of {totals[preset]}"
            mean = (
                some.loc[some["preset"] == preset, "difference"].mean() if "difference" in some else math.nan
            )
            parts.append(part if math.isnan(mean) else f"{part} ({mean:+.3g} %)")
    return ", ".join(parts)


def _restructured(text: str) -> str:
    return re.sub(r"([\\`*_|])", r"\\\1", text)
