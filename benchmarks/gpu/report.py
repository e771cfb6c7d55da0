"""What was measured, as JSON and as Markdown, complete after every section."""

import dataclasses
import math
from pathlib import Path
from typing import Any

from spatial_prediction import files

SHARES = ("of the roofline", "of it, unfused")
"""Columns that are shown in per cent."""


@dataclasses.dataclass
class Section:
    """A section and what came of it.

    Attributes:
        name: as of ``--sections``.
        title: what was done.
        budget: seconds that it had.
        seconds: that it took.
        rows: of its table.
        reason: why rows are missing; None if none are.
    """

    name: str
    title: str = ""
    budget: float = 0.0
    seconds: float = 0.0
    rows: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    reason: str | None = "not begun"


def write(folder: Path, header: dict[str, Any], sections: list[Section]) -> None:
    """Write ``on_a_gpu.json`` and ``on_a_gpu.md``, each complete or not at all."""
    content = {**header, "sections": [dataclasses.asdict(section) for section in sections]}
    files.write_json(folder / "on_a_gpu.json", _finite(content))
    with files.written_aside(folder / "on_a_gpu.md") as temporary:
        temporary.write_text(markdown(header, sections), encoding="utf-8")


def markdown(header: dict[str, Any], sections: list[Section]) -> str:
    """Describe the machine in a line and each section in a table."""
    machine = header["machine"] or {}
    provenance = machine.get("provenance", {})
    facts = {
        "commit": provenance.get("commit"),
        "JAX": provenance.get("packages", {}).get("jax"),
        "backend": machine.get("backend"),
        "driver": machine.get("driver"),
    }
    form = " (tiny form: it works, its figures mean nothing)" if header["tiny"] else ""
    lines = [f"# {machine.get('device', 'No device')}{form}", ""]
    known = [f"{name} {' '.join(value.split())}" for name, value in facts.items() if value]
    lines += [
        f"{', '.join([header['date'], *known])}; {header['seconds']:.0f} of {header['budget']:.0f} s.",
        "",
    ]
    for section in sections:
        lines += [f"## {section.name}", ""]
        if section.title:
            lines += [f"{section.title} ({section.seconds:.0f} of {section.budget:.0f} s)", ""]
        if section.rows:
            lines += [*table(section.rows), ""]
        if section.reason:
            lines += [f"{section.reason[:1].upper()}{section.reason[1:]}.", ""]
    return "\n".join(lines)


def table(rows: list[dict[str, Any]]) -> list[str]:
    """Lines of a table with all columns that any row has."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    cells = [[_shown(name, row.get(name)) for name in columns] for row in rows]
    return ["| " + " | ".join(each) + " |" for each in (columns, ["---"] * len(columns), *cells)]


def _shown(column: str, value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, float):
        return str(value).replace("|", "/").replace("\n", " ")
    if column in SHARES:
        return f"{value:.2%}" if value < 0.1 else f"{value:.0%}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _finite(content: Any) -> Any:
    """Replace what JSON does not know by None."""
    if isinstance(content, dict):
        return {key: _finite(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_finite(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content
