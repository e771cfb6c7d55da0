"""A field on a grid over time, and the file that keeps it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from spatial_prediction.errors import SceneError
from spatial_prediction.named_arrays import load_arrays, save_arrays


@dataclass(frozen=True)
class Field:
    """Values on a grid over time.

    Attributes:
        values: float64, (frames, rows, columns); NaN where there is no value.
        name: of the variable.
        units: of the values, as its file states them; may be empty.
        source: where it comes from, in words.
        north_first: whether row 0 is the northern edge, so that pictures show it on top.
    """

    values: Float[np.ndarray, "frames rows columns"]
    name: str
    units: str
    source: str
    north_first: bool

    def scale(self, frames: range) -> float:
        """Largest absolute value in some frames: the unit in which errors are given.

        Raises:
            SceneError: there is no value, or nothing but zeros.
        """
        values = self.values[frames.start : frames.stop]
        largest = float(np.abs(values[np.isfinite(values)]).max(initial=0.0))
        if largest == 0.0:
            raise SceneError(
                f"{self.source}: {self.name} is 0 or missing in all of frames {frames.start} to "
                f"{frames.stop - 1}; name another variable or other frames"
            )
        return largest


def save_field(path: Path, field: Field) -> None:
    """Write a field, complete or not at all."""
    header = {key: getattr(field, key) for key in ("name", "units", "source", "north_first")}
    save_arrays(path, {"values": field.values}, header)


def load_field(path: Path) -> Field:
    """Read what :func:`save_field` wrote.

    Raises:
        CheckpointError: the file is missing or damaged.
    """
    arrays, header = load_arrays(path)
    return Field(values=arrays["values"], **header)
