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
    """

    frames: range
    known: Mask


def tasks(
    condition_on: str,
    part: str,
    frames: Frames,
    masks: Masks,
    present: Bool[np.ndarray, "frames rows columns"],
) -> Iterator[Task]:
    """Predictions that together cover a part of the field.

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
    base = np.zeros_like(masks.observed)
    base[: frames.train] = (
        masks.redrawn if condition_on == "train_redrawn" else masks.observed[: frames.train]
    )
    if condition_on == "all":
        yield Task(numbers, masks.observed & present)
    elif condition_on == "causal":
        for frame in numbers:
            known = np.zeros_like(masks.observed)
            known[: frame + 1] = masks.observed[: frame + 1]
            yield Task(range(frame, frame + 1), known & present)
    else:
        if condition_on == "train_and_part":
            base[numbers.start : numbers.stop] = masks.observed[numbers.start : numbers.stop]
        yield Task(numbers, base & present)
