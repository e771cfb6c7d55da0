"""Where four tiles meet: predictions put together, and how far they deviate from those of one window."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from spatial_prediction.errors import CheckpointError
from spatial_prediction.named_arrays import load_arrays, save_arrays


@dataclass(frozen=True)
class Crossings:
    """The surroundings of the point in which four tiles meet, in several scenes.

    All images are reflectance, float32 (scenes, side, side, 3), with that point in the middle.

    Attributes:
        scenes: their numbers.
        presets: output crop of each preset that has a network; tiles overlap by twice as many input pixels.
        target: what should have come out.
        stitched: by preset, four tiles upscaled separately, cropped and put side by side.
        untiled: by preset, one window so large that none of these pixels sees its border.
    """

    scenes: Sequence[int]
    presets: Mapping[str, int]
    target: np.ndarray
    stitched: Mapping[str, np.ndarray]
    untiled: Mapping[str, np.ndarray]

    def write(self, path: Path, provenance: Mapping[str, Any]) -> None:
        """Write as safetensors, with ``provenance`` in the header."""
        arrays = {"target": self.target}
        for preset in self.presets:
            arrays[f"stitched/{preset}"] = self.stitched[preset]
            arrays[f"untiled/{preset}"] = self.untiled[preset]
        header = {"scenes": list(self.scenes), "presets": dict(self.presets), "provenance": dict(provenance)}
        save_arrays(path, arrays, header)

    @classmethod
    def read(cls, path: str | Path) -> "Crossings":
        """Read what :meth:`write` wrote.

        Raises:
            CheckpointError: the file is missing, damaged or something else.
        """
        arrays, header = load_arrays(path)
        try:
            scenes, presets, target = header["scenes"], header["presets"], arrays["target"]
            stitched = {preset: arrays[f"stitched/{preset}"] for preset in presets}
            untiled = {preset: arrays[f"untiled/{preset}"] for preset in presets}
        except KeyError as error:
            raise CheckpointError(
                f"{path}: lacks {error}, so it holds no crossings of tiles; make it by the rule "
                "evaluate_crossings"
            ) from None
        return cls(scenes, presets, target, stitched, untiled)

    def with_crop(self, output_crop: int) -> "Crossings":
        """Select the presets with an output crop."""
        presets = {preset: crop for preset, crop in self.presets.items() if crop == output_crop}
        return Crossings(
            self.scenes,
            presets,
            self.target,
            {preset: self.stitched[preset] for preset in presets},
            {preset: self.untiled[preset] for preset in presets},
        )

    def deviations(self) -> dict[str, np.ndarray]:
        """Deviation of the stitched tiles from the one window by preset, reflectance (scenes, side, side)."""
        return {
            preset: shift_deviation(self.stitched[preset], self.untiled[preset]) for preset in self.presets
        }


def stitched_tiles(
    tiles: Float[np.ndarray, "4 *scenes height width bands"], margin: int
) -> Float[np.ndarray, "*scenes rows columns bands"]:
    """Crop four tiles by ``margin`` pixels on each side and put them side by side.

    Args:
        tiles: top left, top right, bottom left, bottom right.
        margin: pixels, at least 0 and less than half a tile's height and width.

    Returns:
        2 (height - 2 margin) rows and 2 (width - 2 margin) columns.
    """
    height, width = tiles.shape[-3:-1]
    kept = tiles[..., margin : height - margin, margin : width - margin, :]
    rows = [np.concatenate([kept[first], kept[first + 1]], axis=-2) for first in (0, 2)]
    return np.concatenate(rows, axis=-3)


def shift_deviation(
    prediction: Float[np.ndarray, "*images height width bands"],
    shifted: Float[np.ndarray, "*images height width bands"],
) -> Float[np.ndarray, "*images height width"]:
    """Deviation from shift equivariance: what windows that lie differently predict for the same pixels.

    Args:
        prediction: pixels as one window has them.
        shifted: the same pixels as another has them, in the same unit.

    Returns:
        Root of the mean square of the difference over the bands, in that unit.
    """
    return np.sqrt(np.mean((prediction - shifted) ** 2, axis=-1))


def root_mean_square(deviations: Float[np.ndarray, "*any"]) -> float:
    """Root of the mean square over all pixels and images."""
    return float(np.sqrt(np.mean(deviations**2, dtype=np.float64)))
