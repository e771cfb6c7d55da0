"""The text header of ENVI rasters: ``name = value`` lines, lists in braces."""

import functools
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from affine import Affine

from spatial_prediction.errors import SceneError
from spatial_prediction.rasters.attributes import one_number, shown

LARGEST_HEADER = 16 * 1024**2
"""Bytes; a header of thousands of bands has some hundred thousand."""

_ENTRY = re.compile(
    r"^[ \t]*([^=;{}\r\n][^={}\r\n]*?)[ \t]*=[ \t]*(\{[^{}]*\}|[^{}\r\n]*?)[ \t]*$", re.MULTILINE
)


def read_header(path: Path) -> dict[str, str]:
    """Read a header: names in small letters, values as text without braces.

    Raises:
        SceneError: it is none.
    """
    if path.stat().st_size > LARGEST_HEADER:
        raise SceneError(f"{path.name} has {path.stat().st_size} bytes, too many for an ENVI header")
    return parsed_header(path.read_bytes().decode("utf-8", errors="replace"), path.name)


def parsed_header(text: str, name_of_file: str) -> dict[str, str]:
    """Read the text of a header: names in small letters, values as text without braces.

    Raises:
        SceneError: it is none; the message names the file.
    """
    first, _, rest = text.replace("\r\n", "\n").partition("\n")
    if first.strip() != "ENVI":
        raise SceneError(
            f"{name_of_file} does not begin with the line ENVI: no header of ENVI; write it again"
        )
    header: dict[str, str] = {}
    for name, value in _ENTRY.findall(rest):
        key = " ".join(name.lower().split())
        if key in header and header[key] != value.strip("{} \t\r\n"):
            raise SceneError(f"{name_of_file} says {key} twice; remove one")
        header[key] = value.strip("{} \t\r\n")
    return header


def texts(header: Mapping[str, str], name: str, count: int, *, strict: bool = True) -> list[str]:
    """Give a list that has an entry for each band; [] where there is none.

    Args:
        header: as read.
        name: of the list.
        count: number of bands.
        strict: refuse another number of entries; otherwise, as for names with commas in them, they count
            as none.

    Raises:
        SceneError: it has another number of entries.
    """
    found = [each.strip() for each in header.get(name, "").split(",")]
    if found == [""] or (len(found) != count and not strict):
        return []
    if len(found) != count:
        raise SceneError(f"the header's {name} has {len(found)} entries for {count} bands; correct it")
    return found


def header_transform(header: Mapping[str, str]) -> Affine | None:
    """Give the transform of pixel corners that ``map info`` states; None where there is none.

    ``map info`` is a name, the reference pixel (column and row, 1.0 being the outer edge of the first one),
    its x and y, and the size of a pixel; ``rotation=`` may follow, in degrees counter-clockwise.
    """
    if "map info" not in header:
        return None
    words = [word.strip() for word in header["map info"].split(",")]
    if len(words) < 7:
        raise SceneError(f"the header's map info has {len(words)} entries, at least 7 are due; correct it")
    if words[0].lower() == "arbitrary":
        return None
    column, row, x, y, width, height = (one_number("map info", word) for word in words[1:7])
    turned = [re.fullmatch(r"rotation\s*=\s*(\S+)", word, re.IGNORECASE) for word in words[7:]]
    rotation = next((one_number("map info", found[1]) for found in turned if found), 0.0)
    if width == 0 or height == 0:
        raise SceneError(
            f"the header's map info has pixels of no size ({shown(header['map info'])}); correct it"
        )
    return (
        Affine.translation(x, y)
        * Affine.rotation(rotation)
        * Affine.scale(width, -height)
        * Affine.translation(1 - column, 1 - row)
    )


def rows_cut_out(text: str, rows: slice, *, whole: bool) -> str:
    """Give the text of the header of some rows of a raster: number of lines, and where the first one lies.

    Everything else stays as it is written; of the whole raster, all does.
    """
    if whole:
        return text
    text = _with_value(text, "lines", lambda _: str(rows.stop - rows.start))
    text = _with_value(text, "y start", lambda value: f"{one_number('y start', value) + rows.start:.15g}")
    for name, first, step in _LINE_NUMBERS:
        text = _with_value(text, name, functools.partial(_shifted, first=first, step=step, by=rows.start))
    return text


_LINE_NUMBERS = (("map info", 2, 1000), ("geo points", 1, 4), ("rpc info", 0, 1000))
"""Lists with numbers of lines: their names, the first such entry and how many entries later the next is."""


def _shifted(value: str, *, first: int, step: int, by: int) -> str:
    words = value.strip("{}").split(",")
    for place in range(first, len(words), step):
        number = one_number("a line number", words[place]) - by
        words[place] = f" {int(number) if number.is_integer() else number}"
    return "{" + ",".join(words) + "}"


def _with_value(text: str, name: str, changed: Callable[[str], str]) -> str:
    """Change the value of an entry, in braces where it has them, if the header has the entry."""
    spelled = r"[ \t]+".join(name.split())
    entry = re.compile(
        rf"^([ \t]*{spelled}[ \t]*=[ \t]*)(\{{[^{{}}]*\}}|[^{{}}\r\n]*?)([ \t]*\r?)$",
        re.MULTILINE | re.IGNORECASE,
    )
    return entry.sub(lambda found: found[1] + changed(found[2]) + found[3], text)
