"""Names and settings of the interpolation study; imports nothing heavy."""

from dataclasses import dataclass

from spatial_prediction.errors import ConfigurationError

PARTS = ("train", "validation", "test")
"""Parts of a field, consecutive in time."""

MASK_TYPES = ("fixed", "dynamic")
"""One network of stations for all frames, or another draw of pixels for each frame."""

STREAMS = ("independent", "reference")
"""How masks are drawn: see ``masks.draw_masks``."""

CONDITIONING = ("train", "train_redrawn", "train_and_part", "causal", "all")
"""What a prediction may know; see ``protocols``."""

SCALINGS = ("standard", "maximum")
"""Targets: of unit variance about their mean, or divided by the field's maximum as in the reference study."""

OPTIMISERS = ("lbfgs", "adam")

STATIC_PRODUCT, STATIC_DRIFTING, STATIC_MODULATED, STATIC_COASTAL = WEATHER_MODELS = (
    "static_product", "static_drifting", "static_modulated", "static_coastal",
)  # fmt: skip
"""Models of a static image and weather: which changes; which also drifts with a steady wind; which is also
more lively at some pixels than at others; which is also less alike at pixels that differ in this, as across a
coast. The names of other models are TIME_KERNEL-SPACE_KERNEL."""

OF_AMPLITUDES = (STATIC_MODULATED, STATIC_COASTAL)
"""Those that know how lively each pixel is."""

AVERAGE = "average"
"""The mean of the predictions by all models of weather that are asked for."""

LARGEST_GRID = 6000
"""Pixels and frames together that the structured solver is asked for: its matrices have that size."""


@dataclass(frozen=True)
class Frames:
    """How many frames, from the first on, are for training, for choosing among models, and for testing.

    Attributes:
        train: frames for training.
        validation: frames after them, which choose among models.
        test: frames after those, which are only reported.
    """

    train: int
    validation: int
    test: int

    @property
    def total(self) -> int:
        """Frames of all parts."""
        return self.train + self.validation + self.test

    def of(self, part: str) -> range:
        """Numbers of a part's frames."""
        ends = {"train": self.train, "validation": self.train + self.validation, "test": self.total}
        return range(ends[part] - getattr(self, part), ends[part])

    def part_of(self, frame: int) -> str:
        """Part that a frame belongs to."""
        return next(part for part in PARTS if frame in self.of(part))

    def check(self, available: int) -> None:
        """Raise ConfigurationError where a field has fewer frames than the parts have together."""
        if available < self.total:
            raise ConfigurationError(
                f"interpolation.frames: {self.train} + {self.validation} + {self.test} frames are asked for, "
                f"and the field has {available}; lower the numbers"
            )


@dataclass(frozen=True)
class MaskSettings:
    """How pixels to observe are drawn.

    Attributes:
        mask_type: ``fixed`` or ``dynamic`` in training.
        test_mask_type: the same on validation and test frames.
        probability: that a pixel is hidden, 0 to below 1.
        seed: of the draws.
        stream: ``independent`` draws for each part, or the ``reference`` study's one legacy stream.
    """

    mask_type: str
    test_mask_type: str
    probability: float
    seed: int
    stream: str = "independent"

    @property
    def name(self) -> str:
        """Name under which results on such masks stand."""
        return f"{self.mask_type}_{self.probability:g}_seed{self.seed}"


@dataclass(frozen=True)
class FitSettings:
    """How hyperparameters are fitted.

    Attributes:
        optimiser: ``lbfgs`` or ``adam``.
        steps: at most so many.
        learning_rate: of Adam.
        scaling: of the targets, ``standard`` or ``maximum``.
        restarts: starts of the optimiser, the first at sensible values, the others drawn around them.
        seed: of those draws.
        dense_observations: most observations that the static field with weather is fitted to, in whole blocks
            of frames; predictions are given all.
    """

    optimiser: str = "lbfgs"
    steps: int = 100
    learning_rate: float = 0.1
    scaling: str = "standard"
    restarts: int = 1
    seed: int = 0
    dense_observations: int = 1500


def kernels_of(model: str) -> tuple[str, str]:
    """Time kernel and space kernel of a model's name, such as ``matern-rbf``.

    Raises:
        ConfigurationError: the name is not made of two.
    """
    time, dash, space = model.partition("-")
    if not dash:
        raise ConfigurationError(
            f"model: {model!r} is no pair of kernels; write time kernel and space kernel as in matern-rbf"
        )
    return time, space
