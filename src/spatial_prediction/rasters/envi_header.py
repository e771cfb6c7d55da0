"""The text header of ENVI rasters: ``name = value`` lines, lists in braces."""

import re
from collections.abc import Mapping
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
    text = path.read_bytes().decode("utf-8", errors="replace").replace("\r\n", "\n")
    first, _, rest = text.partition("\n")
    if first.strip() != "ENVI":
        raise SceneError(f"{path.name} does not begin with the line ENVI: no header of ENVI; write it again")
    header: dict[str, str] = {}
    for name, value in _ENTRY.findall(rest):
        key = " ".join(name.lower().split())
        if key in header and header[key] != value.strip("{} \t\r\n"):
            raise SceneError(f"{path.name} says {key} twice; remove one")
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
