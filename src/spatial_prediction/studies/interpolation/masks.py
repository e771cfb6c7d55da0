"""Which pixels of which frame are observed: drawn once, stored, and used by every fit and evaluation."""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.named_arrays import load_arrays, save_arrays
from spatial_prediction.studies.interpolation.config import PARTS, STREAMS, Frames, MaskSettings

Mask = Bool[np.ndarray, "frames rows columns"]


@dataclass(frozen=True)
class Masks:
    """Observed pixels.

    Attributes:
        observed: for all frames, those of training, validation and test one after another.
        redrawn: the training frames' drawn anew from the seed that follows, as the reference study does when
            it evaluates.
    """

    observed: Mask
    redrawn: Bool[np.ndarray, "train rows columns"]


def draw_masks(frames: Frames, rows: int, columns: int, settings: MaskSettings) -> Masks:
    """Draw masks, each pixel observed with probability ``1 - settings.probability``.

    The ``independent`` stream gives every part of the field a generator of its own, so that none depends on
    the sizes of the others; ``fixed`` masks of all parts are one network of stations. The ``reference``
    stream is the reference study's: NumPy's legacy generator, one draw a mask, frame by frame and part by
    part; its ``fixed`` masks are another network for each part.

    Raises:
        ConfigurationError: no pixel of the training frames is observed, or the stream is not known.
    """
    if settings.stream not in STREAMS:
        raise ConfigurationError(f"masks.stream: is {settings.stream!r}; must be one of {', '.join(STREAMS)}")
    draw = _reference if settings.stream == "reference" else _independent
    observed = draw(frames, rows, columns, settings, settings.seed)
    redrawn = draw(frames, rows, columns, settings, settings.seed + 1)[: frames.train]
    for mask, which in ((observed[: frames.train], "training"), (redrawn, "redrawn training")):
        if not mask.any():
            raise ConfigurationError(
                f"masks.probability: {settings.probability} leaves none of {mask.size} pixels of the {which} "
                "frames observed; lower it, or take another seed"
            )
    return Masks(observed, redrawn)


def _reference(frames: Frames, rows: int, columns: int, settings: MaskSettings, seed: int) -> Mask:
    generator = np.random.RandomState(seed)
    shares = [settings.probability, 1 - settings.probability]

    def one() -> np.ndarray:
        return generator.choice(2, size=(rows, columns), p=shares).astype(bool)

    parts = []
    for part in PARTS:
        count = len(frames.of(part))
        kind = settings.mask_type if part == "train" else settings.test_mask_type
        parts += [one() for _ in range(count)] if kind == "dynamic" else [one()] * count
    return np.stack(parts)


def _independent(frames: Frames, rows: int, columns: int, settings: MaskSettings, seed: int) -> Mask:
    def drawn(stream: int, count: int) -> np.ndarray:
        generator = np.random.default_rng([seed, stream])
        return generator.random((count, rows, columns)) >= settings.probability

    stations = drawn(len(PARTS), 1)
    parts = []
    for stream, part in enumerate(PARTS):
        count = len(frames.of(part))
        kind = settings.mask_type if part == "train" else settings.test_mask_type
        parts.append(drawn(stream, count) if kind == "dynamic" else np.repeat(stations, count, axis=0))
    return np.concatenate(parts)


def save_masks(path: Path, masks: Masks, settings: MaskSettings) -> None:
    """Write masks and the settings they were drawn by."""
    arrays = {"observed": masks.observed, "redrawn": masks.redrawn}
    save_arrays(path, {name: mask.astype(np.uint8) for name, mask in arrays.items()}, asdict(settings))


def load_masks(path: Path) -> tuple[Masks, MaskSettings]:
    """Read what :func:`save_masks` wrote.

    Raises:
        CheckpointError: the file is missing or damaged.
    """
    arrays, header = load_arrays(path)
    masks = Masks(*(arrays[name].astype(bool) for name in ("observed", "redrawn")))
    return masks, MaskSettings(**header)
