"""Where the study's numbers come from: versions, device, commit, configuration, data, run times."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from spatial_prediction.plotting.table_files import Table

Record = Mapping[str, Any]

_NONE = "not recorded"


def provenance_table(runs: Sequence[Record], timings: Sequence[Record], summary: Record) -> Table:
    """Summarise the provenance that the files of a study record.

    Args:
        runs: records of training runs: preset, seed, status, seconds, and provenance with settings.
        timings: records of timings: kind and provenance.
        summary: summary of the arrays, as ``build_arrays.py`` writes it.

    Returns:
        One row per item. Where files differ, each value is given with the number of files that have it.
    """
    provenances = [record["provenance"] for record in [*runs, *timings]]
    rows = [
        ("Software", "spatial_prediction", _values(p.get("spatial_prediction") for p in provenances)),
        ("Software", "commit", _values(p.get("commit") for p in provenances)),
        ("Software", "Python", _values(p.get("python") for p in provenances)),
    ]
    packages = sorted({name for p in provenances for name in p["packages"]}, key=str.lower)
    rows += [("Software", name, _values(p["packages"].get(name) for p in provenances)) for name in packages]
    rows += [
        ("Device", "system", _values(p.get("platform") for p in provenances)),
        ("Device", "of training", _values(run["provenance"].get("device") for run in runs)),
        ("Device", "of timing", _values(timing["provenance"].get("device") for timing in timings)),
        ("Device", "compiled kernels", _values(_yes_or_no(p) for p in provenances)),
        *_configuration_rows(runs),
        *_data_rows(summary),
        *_time_rows(runs),
    ]
    headers = ["Topic", "Item", "Value"]
    return Table(
        cells=pd.DataFrame(rows, columns=headers),
        alignment=dict(zip(headers, ["left", "left", "long"], strict=True)),
        caption="Where the numbers come from.",
        notes=("Numbers in brackets are numbers of files, where files differ.",),
    )


def _configuration_rows(runs: Sequence[Record]) -> list[tuple[str, str, str]]:
    settings = [run["provenance"]["settings"]["training"] for run in runs]
    names = dict.fromkeys(name for each in settings for name in each)
    return [
        ("Configuration", "presets", ", ".join(dict.fromkeys(run["preset"] for run in runs))),
        ("Configuration", "seeds", ", ".join(map(str, sorted({run["seed"] for run in runs})))),
        *(
            ("Configuration", f"training.{name}", _values(each.get(name) for each in settings))
            for name in names
        ),
    ]


def _data_rows(summary: Record) -> list[tuple[str, str, str]]:
    counts = summary["scene_count"]
    rows = [
        ("Data", "scenes", ", ".join(f"{counts[part]} {part}" for part in ("train", "test", "skipped"))),
        ("Data", "scene size", f"{summary['size']} x {summary['size']} pixels"),
        ("Data", "offset added to DN", _counted(summary["offset"]["scenes"])),
        ("Data", "offset stated by", _counted(summary["offset"]["stated_by"])),
        *(
            ("Data", f"doubt about {len(doubt['scenes'])} scenes", doubt["warning"])
            for doubt in summary["warnings"]
        ),
    ]
    for part in ("train", "test"):
        means = ", ".join(f"{mean:.3f}" for mean in summary[part]["mean"])
        rows.append(("Data", f"means of red, green, blue, {part}", means))
        rows.append(("Data", f"SHA-256 of the array, {part}", summary[part]["sha256"]))
    return rows


def _time_rows(runs: Sequence[Record]) -> list[tuple[str, str, str]]:
    seconds = pd.Series([run["seconds"] for run in runs], dtype=float)
    typical, shortest, longest = map(_span, (seconds.median(), seconds.min(), seconds.max()))
    statuses = Counter(run["status"] for run in runs)
    return [
        ("Run times", "training runs", ", ".join(f"{count} {status}" for status, count in statuses.items())),
        ("Run times", "of a training run", f"{typical} ({shortest} to {longest})"),
        ("Run times", "of all training runs", _span(seconds.sum())),
    ]


def _counted(scenes: Mapping[str, int]) -> str:
    return ", ".join(f"{value} ({count} scenes)" for value, count in scenes.items())


def _yes_or_no(record: Record) -> str | None:
    return {True: "yes", False: "no"}.get(record.get("compiled_kernels", None))


def _values(values: Iterable[object]) -> str:
    """Write the value that all files have, or each value with its number of files, most frequent first."""
    counts = Counter(_NONE if value is None else str(value) for value in values)
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{value} ({count})" for value, count in counts.most_common())


def _span(seconds: float) -> str:
    """Write a time in the unit that suits it."""
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s"
