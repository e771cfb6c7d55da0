"""Learning rate over the course of training, Adam, and remedies against divergence."""

import optax  # type: ignore[import-untyped]

from spatial_prediction.training._remedies import clip_norm, skip_spikes
from spatial_prediction.training_settings import TrainingSettings


def learning_rate(settings: TrainingSettings) -> optax.Schedule:
    """Piecewise linear: up from the initial to the full rate, constant, then down to 0 at the last step."""
    return optax.join_schedules(
        [
            optax.linear_schedule(
                settings.initial_learning_rate, settings.learning_rate, settings.warmup_steps
            ),
            optax.linear_schedule(settings.learning_rate, 0.0, settings.steps - settings.decay_start),
        ],
        boundaries=[settings.decay_start],
    )


def optimizer(settings: TrainingSettings) -> optax.GradientTransformation:
    """Adam with the schedule of :func:`learning_rate` and the remedies that are switched on."""
    optimise = optax.adam(
        learning_rate(settings),
        b1=settings.adam_beta_1,
        b2=settings.adam_beta_2,
        eps=settings.adam_epsilon,
    )
    if settings.clip_gradient_norm > 0:
        optimise = optax.chain(clip_norm(settings.clip_gradient_norm), optimise)
    if settings.skip_gradient_spikes > 0:
        optimise = skip_spikes(optimise, settings.skip_gradient_spikes)
    return optimise
