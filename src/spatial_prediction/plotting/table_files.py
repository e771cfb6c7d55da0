"""A table of formatted text, and the files that it is written to: CSV, HTML, Markdown and LaTeX."""

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from spatial_prediction import files
from spatial_prediction.plotting import formatting

_LATEX_ALIGNMENT = {"left": "l", "right": "r", "long": r"p{0.5\linewidth}"}
_HTML_ALIGNMENT = {
    "left": "text-align: left",
    "right": "text-align: right",
    "long": "text-align: left; white-space: normal",
}
_MARKDOWN_ALIGNMENT = {"left": ":---", "right": "---:", "long": ":---"}


@dataclass(frozen=True)
class Table:
    """A table of formatted text.

    Attributes:
        cells: text of every cell; the column names are the headers, units included.
        alignment: ``"left"``, ``"right"`` or ``"long"`` (left, with line breaks) for each column.
        caption: one sentence that says what the table shows.
        notes: further sentences, printed below the table.
        italic: (row position, header) of the cells in italics, which CSV does not mark.
        warned: (row position, header) of the cells in bold, as a warning to the reader.
        warnings: sentences printed above the table; CSV leaves them out.
    """

    cells: pd.DataFrame
    alignment: Mapping[str, str]
    caption: str
    notes: tuple[str, ...] = ()
    italic: frozenset[tuple[int, str]] = frozenset()
    warned: frozenset[tuple[int, str]] = frozenset()
    warnings: tuple[str, ...] = ()


def write_table(table: Table, path_without_suffix: str | Path) -> list[Path]:
    """Write a table as ``.csv``, ``.html``, ``.md`` and ``.tex``, each file complete or not at all.

    Args:
        table: the table. CSV holds only the cells; HTML is a complete page; the LaTeX is a float that needs
            no package.
        path_without_suffix: path to which each suffix is added.

    Returns:
        The paths written.
    """
    contents = {
        "csv": table.cells.to_csv(index=False),
        "html": _as_html(table),
        "md": _as_markdown(table),
        "tex": _as_latex(table),
    }
    paths = [Path(f"{path_without_suffix}.{suffix}") for suffix in contents]
    for path, content in zip(paths, contents.values(), strict=True):
        with files.written_aside(path) as temporary:
            temporary.write_text(content, encoding="utf-8")
    return paths


def _as_markdown(table: Table) -> str:
    headers = list(table.cells.columns)
    lines = [
        [formatting.markdown(header) for header in headers],
        [_MARKDOWN_ALIGNMENT[table.alignment[header]] for header in headers],
        *_marked_up(table, formatting.markdown),
    ]
    body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    notes = "\n".join(f"- {formatting.markdown(note)}" for note in table.notes)
    warnings = "\n".join(f"> **Warning:** {formatting.markdown(text)}\n" for text in table.warnings)
    parts = (formatting.markdown(table.caption), warnings.rstrip("\n"), body, notes)
    return "\n\n".join(part for part in parts if part) + "\n"


def _as_html(table: Table) -> str:
    headers = [f"<th>{html.escape(header)}</th>" for header in table.cells.columns]
    rows = [[f"<td>{cell}</td>" for cell in cells] for cells in _marked_up(table, _html)]
    lines = "\n".join(f"<tr>{''.join(cells)}</tr>" for cells in (headers, *rows))
    notes = "\n".join(f"<p>{html.escape(note)}</p>" for note in table.notes)
    warnings = "".join(
        f'<p class="warning"><b>Warning:</b> {html.escape(text)}</p>\n' for text in table.warnings
    )
    alignment = "".join(
        f":is(td, th):nth-child({column}) {{ {_HTML_ALIGNMENT[table.alignment[header]]} }}\n"
        for column, header in enumerate(table.cells.columns, 1)
    )
    caption = html.escape(table.caption)
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{caption}</title>
<style>
body {{ font: 14px sans-serif; margin: 1.5em; color: #111; background: #fff }}
table {{ border-collapse: collapse; border-bottom: 2px solid }}
td, th {{ padding: 0.25em 0.6em; vertical-align: top; white-space: nowrap }}
th {{ border-top: 2px solid; border-bottom: 1px solid; vertical-align: bottom; white-space: normal }}
p {{ margin: 0.5em 0; max-width: 50em; color: #444 }}
p.warning {{ border-left: 0.4em solid #d55e00; background: #fdf0e6; color: #111; padding: 0.5em 0.8em }}
td b {{ background: #fdf0e6 }}
{alignment}</style>
<h1 style="font-size: 1.2em">{caption}</h1>
{warnings}<table>
{lines}
</table>
{notes}
</html>
"""


def _html(text: str, *, italic: bool, bold: bool = False) -> str:
    marked = f"<i>{html.escape(text)}</i>" if italic else html.escape(text)
    return f"<b>{marked}</b>" if bold else marked


def _as_latex(table: Table) -> str:
    headers = list(table.cells.columns)
    rows = [r" & ".join(cells) + r" \\" for cells in _marked_up(table, formatting.latex)]
    texts = [*(f"Warning: {text}" for text in table.warnings), *table.notes]
    notes = [rf"\par {{\footnotesize {formatting.latex(text)}}}" for text in texts]
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{formatting.latex(table.caption)}}}",
        rf"\begin{{tabular}}{{{''.join(_LATEX_ALIGNMENT[table.alignment[header]] for header in headers)}}}",
        r"\hline",
        " & ".join(formatting.latex(header) for header in headers) + r" \\",
        r"\hline",
        *rows,
        r"\hline",
        r"\end{tabular}",
        *notes,
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _marked_up(table: Table, markup: Callable[..., str]) -> list[list[str]]:
    return [
        [
            markup(
                text,
                italic=(row, header) in table.italic and text != formatting.MISSING,
                bold=(row, header) in table.warned,
            )
            for header, text in zip(table.cells.columns, cells, strict=True)
        ]
        for row, cells in enumerate(table.cells.itertuples(index=False, name=None))
    ]
