"""What a prediction may know: the observations that it is conditioned on.

- ``train``: the observed pixels of the training frames. The reference study's evaluation, but for its masks.
- ``train_redrawn``: the same with masks drawn anew, which is what the reference study really does.
- ``train_and_part``: also the observed pixels of all frames of the part that is evaluated.
- ``causal``: the observed pixels of all frames up to the one that is predicted.
- ``all``: the observed pixels of all frames (smoothing).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.studies.interpolation.config import CONDITIONING, Frames
from spatial_prediction.studies.interpolation.masks import Mask, Masks


@dataclass(frozen=True)
class Task:
    """One prediction to make.

    Attributes:
        frames: numbers of the frames to predict.
        known: pixels that may be used.
        causal: whether each frame may use those of no later one.
    """

    frames: range
    known: Mask
    causal: bool = False

    def by_frame(self) -> Iterator["Task"]:
        """The same, frame by frame, each with exactly what it may use."""
        for frame in self.frames:
            known = self.known.copy()
            if self.causal:
                known[frame + 1 :] = False
            yield Task(range(frame, frame + 1), known)


def task(
    condition_on: str,
    part: str,
    frames: Frames,
    masks: Masks,
    present: Bool[np.ndarray, "frames rows columns"],
) -> Task:
    """The prediction of a part of the field.

    Args:
        condition_on: one of ``CONDITIONING``.
        part: ``validation`` or ``test`` (or ``train``, which is then reconstructed).
        frames: lengths of the parts.
        masks: pixels that are observed.
        present: pixels that have a value.

    Raises:
        ConfigurationError: ``condition_on`` is none of these.
    """
    if condition_on not in CONDITIONING:
        raise ConfigurationError(
            f"condition_on: is {condition_on!r}; must be one of {', '.join(CONDITIONING)}"
        )
    numbers = frames.of(part)
    known = masks.observed.copy()
    match condition_on:
        case "causal":
            known[numbers.stop :] = False
        case "train_and_part":
            known[frames.train : numbers.start] = False
            known[max(numbers.stop, frames.train) :] = False
        case "train":
            known[frames.train :] = False
        case "train_redrawn":
            known[frames.train :] = False
            known[: frames.train] = masks.redrawn
    return Task(numbers, known & present, causal=condition_on == "causal")
