"""Settings of a network's training. Imports nothing heavy, so that a dry run needs no JAX."""

import dataclasses

from spatial_prediction.errors import ConfigurationError

COMPUTE_DTYPES = ("float32", "bfloat16")


@dataclasses.dataclass(frozen=True)
class TrainingSettings:
    """How a network is trained; the defaults are the published ones.

    Attributes:
        steps: updates in all.
        batch_size: tiles per update.
        low_res_size: rows and columns of the network's input.
        initial_learning_rate: rate at step 0.
        learning_rate: rate from ``warmup_steps`` to ``decay_start``.
        warmup_steps: steps of the linear rise.
        decay_start: step at which the linear fall to zero begins.
        adam_beta_1: decay of Adam's first moment.
        adam_beta_2: decay of Adam's second moment.
        adam_epsilon: added to Adam's denominator.
        test_every: steps between measurements of the test loss.
        checkpoint_every: steps between checkpoints.
        divergence_loss: a run whose loss exceeds this has diverged.
        divergence_grace_steps: steps at the start in which it may.
        clip_gradient_norm: gradients longer than this are scaled down to it; 0 leaves them.
        skip_gradient_spikes: steps whose gradient is this many times the usual length are left out; 0 is off.
        compute_dtype: float32, or bfloat16 for feature maps and products while parameters stay float32.
    """

    steps: int = 1_500_000
    batch_size: int = 64
    low_res_size: int = 48
    initial_learning_rate: float = 5e-6
    learning_rate: float = 0.014
    warmup_steps: int = 100
    decay_start: int = 1_000_000
    adam_beta_1: float = 0.9
    adam_beta_2: float = 0.999
    adam_epsilon: float = 1e-3
    test_every: int = 1000
    checkpoint_every: int = 10_000
    divergence_loss: float = 1e6
    divergence_grace_steps: int = 100
    clip_gradient_norm: float = 0.0
    skip_gradient_spikes: float = 0.0
    compute_dtype: str = "float32"

    def __post_init__(self) -> None:
        if self.compute_dtype not in COMPUTE_DTYPES:
            raise ConfigurationError(
                f"training.compute_dtype is {self.compute_dtype!r}; use {' or '.join(COMPUTE_DTYPES)}"
            )
        if not 0 < self.warmup_steps <= self.decay_start < self.steps:
            raise ConfigurationError(
                f"training: warmup_steps {self.warmup_steps}, decay_start {self.decay_start} and steps "
                f"{self.steps} must follow one another (0 < warmup_steps <= decay_start < steps)"
            )
