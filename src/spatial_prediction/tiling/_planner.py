"""The cheapest way to tile that is good enough, from a table of what was measured."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True)
class Measurement:
    """A line of the table.

    Attributes:
        tile: input pixels along each side that a tile keeps.
        strategy: its name, with its options if several lines share it.
        overlap: input pixels on each side.
        seam_deviation: how much of a seam there was; any figure of which less is better.
        relative_cost: time per image, as a multiple of that of tiles that abut.
    """

    tile: int
    strategy: str
    overlap: int
    seam_deviation: float
    relative_cost: float

    def __str__(self) -> str:
        return f"{self.strategy!r} with an overlap of {self.overlap} pixels"


@dataclass(frozen=True)
class Choice:
    """What was chosen.

    Attributes:
        measurement: its line of the table.
        reason: why, in a sentence.
    """

    measurement: Measurement
    reason: str


def relative_work(tile: int, overlap: int) -> float:
    """Return ((t + 2 h) / t)^2: pixels read for each kept, by tiles of t and an overlap of h pixels.

    What tiles cost, as far as time goes with pixels; those at the border of an image read no less.
    """
    return ((tile + 2 * overlap) / tile) ** 2


def cheapest_strategy(table: Any, *, tile: int, tolerance: float) -> Choice:
    """Choose the cheapest strategy whose seams are within the tolerance.

    Args:
        table: Measurements, mappings with their fields, or a pandas DataFrame with such columns; other
            columns do not matter.
        tile: only lines of this tile size are compared.
        tolerance: greatest ``seam_deviation``, in its units.

    Raises:
        ValueError: the table has no line of that tile size or lacks a column, or no strategy is good enough.
    """
    lines = _measurements(table)
    of_size = [line for line in lines if line.tile == tile]
    if not of_size:
        sizes = sorted({line.tile for line in lines})
        raise ValueError(f"tile {tile} was not measured; use one of {sizes}")
    good = [line for line in of_size if line.seam_deviation <= tolerance]
    if not good:
        best = min(of_size, key=lambda line: line.seam_deviation)
        raise ValueError(
            f"tolerance {tolerance:g} is met by no strategy at tile {tile}; the least seam deviation is "
            f"{best.seam_deviation:g}, by {best}: allow that, or measure larger overlaps"
        )
    chosen = min(good, key=lambda line: (line.relative_cost, line.seam_deviation))
    cheaper = [line for line in of_size if line.relative_cost < chosen.relative_cost]
    reason = (
        f"{chosen} has a seam deviation of {chosen.seam_deviation:.3g}, within {tolerance:g}, and costs "
        f"{chosen.relative_cost:.3g} times as much as tiles that abut"
    )
    if cheaper:
        nearest = min(cheaper, key=lambda line: line.seam_deviation)
        reason += f"; of what costs less, {nearest} comes nearest, with {nearest.seam_deviation:.3g}"
    else:
        reason += "; nothing costs less"
    return Choice(chosen, reason + ".")


def _measurements(table: Any) -> list[Measurement]:
    rows: Iterable[Any] = table.to_dict("records") if hasattr(table, "columns") else table
    return [row if isinstance(row, Measurement) else _measurement(row) for row in rows]


def _measurement(row: Mapping[str, Any]) -> Measurement:
    names = [field.name for field in fields(Measurement)]
    missing = [name for name in names if name not in row]
    if missing:
        raise ValueError(f"the table lacks {missing[0]!r}; it must have the columns {', '.join(names)}")
    return Measurement(**{name: row[name] for name in names})
