"""Learning rate over the course of training, Adam, and remedies against divergence."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax  # type: ignore[import-untyped]

from spatial_prediction.config import TrainingSettings

SMOOTHING = 0.99
"""Share of the past in the running mean of gradient norms."""


def learning_rate(settings: TrainingSettings) -> optax.Schedule:
    """Piecewise linear: up from the initial to the full rate, flat, then down to zero at the last step."""
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
    """Adam with the learning rate of :func:`learning_rate`, and the remedies that are switched on."""
    optimise = optax.adam(
        learning_rate(settings),
        b1=settings.adam_beta_1,
        b2=settings.adam_beta_2,
        eps=settings.adam_epsilon,
    )
    if settings.clip_gradient_norm > 0:
        optimise = optax.chain(optax.clip_by_global_norm(settings.clip_gradient_norm), optimise)
    if settings.skip_gradient_spikes > 0:
        optimise = skip_spikes(optimise, settings.skip_gradient_spikes)
    return optimise


class SpikeState(NamedTuple):
    """State of :func:`skip_spikes`: running mean of the norms taken, their number, the optimiser's state."""

    mean_norm: jax.Array
    norms: jax.Array
    inner: optax.OptState


def skip_spikes(inner: optax.GradientTransformation, factor: float) -> optax.GradientTransformation:
    """Leave out every update whose gradient norm exceeds ``factor`` times the running mean, or is no number.

    Such a step changes neither the parameters nor the state of ``inner``; the schedule stands still for it.
    Each skipped norm that is a number still counts as ``factor`` times the mean, so that a lasting change
    of scale is followed.
    """

    def initial(parameters: optax.Params) -> SpikeState:
        return SpikeState(jnp.zeros(()), jnp.zeros((), jnp.int32), inner.init(parameters))

    def update(
        gradient: optax.Updates, state: SpikeState, parameters: optax.Params | None = None
    ) -> tuple[optax.Updates, SpikeState]:
        norm = optax.tree.norm(gradient)
        # The mean so far, freed of the zero it began with; the first norm is compared with itself.
        mean = state.mean_norm / (1 - SMOOTHING ** jnp.maximum(state.norms, 1))
        limit = jnp.where(state.norms > 0, factor * mean, norm)
        taken = norm <= limit  # false for what is no number
        usable = jnp.isfinite(norm)
        changes, after = inner.update(gradient, state.inner, parameters)
        changes = jax.tree.map(lambda change: jnp.where(taken, change, 0), changes)
        kept = jax.tree.map(lambda new, old: jnp.where(taken, new, old), after, state.inner)
        seen = SMOOTHING * state.mean_norm + (1 - SMOOTHING) * jnp.minimum(norm, limit)
        mean_norm = jnp.where(usable, seen, state.mean_norm)
        return changes, SpikeState(mean_norm, state.norms + usable, kept)

    return optax.GradientTransformation(initial, update)
