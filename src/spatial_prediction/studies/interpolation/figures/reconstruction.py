"""A reconstructed field with its truth, and the pictures of one frame of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from spatial_prediction.named_arrays import load_arrays
from spatial_prediction.studies.interpolation.config import Frames
from spatial_prediction.studies.interpolation.fields.field import load_field
from spatial_prediction.studies.interpolation.figures import looks

PANELS = ("Truth", "Reconstruction", "Standard deviation", "Absolute error")


@dataclass(frozen=True)
class Reconstruction:
    """A field, what was known of it, and what was made of that; all arrays (frames, rows, columns).

    Attributes:
        truth: in the field's units.
        mean: likewise.
        deviation: standard deviation of an observation, likewise.
        known: pixels that the prediction was given.
        frames: lengths of the parts.
        parts: those that were reconstructed; elsewhere mean and deviation are NaN.
        model: name.
        mask: name of the masks.
        units: of the field.
        north_first: whether row 0 is the northern edge.
    """

    truth: Float[np.ndarray, "frames rows columns"]
    mean: Float[np.ndarray, "frames rows columns"]
    deviation: Float[np.ndarray, "frames rows columns"]
    known: Bool[np.ndarray, "frames rows columns"]
    frames: Frames
    parts: tuple[str, ...]
    model: str
    mask: str
    units: str
    north_first: bool

    @property
    def shown(self) -> list[int]:
        """Numbers of the frames that were reconstructed."""
        return [frame for part in self.parts for frame in self.frames.of(part)]

    def panels(self, frame: int) -> dict[str, np.ndarray]:
        """Images of a frame by title, north on top."""
        images = (
            self.truth[frame],
            self.mean[frame],
            self.deviation[frame],
            np.abs(self.mean[frame] - self.truth[frame]),
        )
        return {
            title: looks.upright(image, self.north_first) for title, image in zip(PANELS, images, strict=True)
        }

    def limits(self, frames: Sequence[int]) -> dict[str, tuple[float, float]]:
        """Colour limits of each panel, common to some frames; truth and reconstruction share theirs."""
        shown = list(frames)
        field = looks.limits([self.truth[shown], self.mean[shown]])
        deviation = looks.limits([self.deviation[shown]])
        error = looks.limits([np.abs(self.mean - self.truth)[shown]])
        return dict(zip(PANELS, (field, field, (0.0, deviation[1]), (0.0, error[1])), strict=True))


COLOURS = dict(
    zip(
        PANELS,
        (looks.FIELD_COLOURS, looks.FIELD_COLOURS, looks.SPREAD_COLOURS, looks.ERROR_COLOURS),
        strict=True,
    )
)


def read_reconstruction(path: Path, field_path: Path) -> Reconstruction:
    """Read a reconstruction (``evaluate_process``) and the field it is of.

    Raises:
        CheckpointError: a file is missing or damaged.
    """
    arrays, header = load_arrays(path)
    field = load_field(field_path)
    frames = Frames(**header["frames"])
    return Reconstruction(
        truth=field.values[: frames.total],
        mean=arrays["mean"].astype(np.float64),
        deviation=np.sqrt(arrays["variance"].astype(np.float64)),
        known=arrays["known"].astype(bool),
        frames=frames,
        parts=tuple(header["parts"]),
        model=header["model"],
        mask=header["mask"],
        units=field.units,
        north_first=field.north_first,
    )


def draw_image(axes: Axes, image: np.ndarray, title: str, limits: tuple[float, float]) -> AxesImage:
    """Draw one panel without ticks."""
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    return axes.imshow(image, cmap=COLOURS[title], vmin=limits[0], vmax=limits[1], interpolation="nearest")
