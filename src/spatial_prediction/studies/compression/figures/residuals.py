"""Residuals of a predictor on a cube, as figures read them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Integer

from spatial_prediction.named_arrays import load_arrays


@dataclass(frozen=True)
class Residuals:
    """What a predictor misses.

    Attributes:
        cube: its name.
        codec: name of the predictor.
        magnitudes: of residuals in the shown bands, DN.
        samples: of these bands.
        shown: their numbers, from 0.
        band_bits: bits that a sample of each band takes.
    """

    cube: str
    codec: str
    magnitudes: Integer[np.ndarray, "rows columns shown"]
    samples: Integer[np.ndarray, "rows columns shown"]
    shown: Integer[np.ndarray, " shown"]
    band_bits: Float[np.ndarray, " bands"]


def read_residuals(paths: Sequence[Path]) -> list[Residuals]:
    """Read what ``evaluate_residuals`` wrote, in the order given.

    Raises:
        CheckpointError: a file is missing or damaged.
    """
    read = [load_arrays(path) for path in paths]
    return [Residuals(header["cube"], header["codec"], **arrays) for arrays, header in read]
