"""Remedies against divergence: clipped gradients, and skipped steps."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax  # type: ignore[import-untyped]

SMOOTHING = 0.99
"""Share of the past in the running mean of gradient norms."""

MOST_SKIPPED_IN_A_ROW = 10
"""Spikes skipped in a row; one more is not a spike but the new scale of gradients."""


def gradient_norm(gradient: optax.Updates) -> jax.Array:
    """Compute the Euclidean norm over all leaves, a scalar of at least float32.

    Squares neither underflow nor overflow: the norm is 0 only if the gradient is, and infinite only if
    an element is or the norm exceeds the largest number. It is NaN if an element is.
    """
    largest, relative = _scaled_norm(gradient)
    return largest * relative


def _scaled_norm(gradient: optax.Updates) -> tuple[jax.Array, jax.Array]:
    """Return two factors of the norm: the largest magnitude (1 if that is 0 or not finite), and the rest."""
    magnitudes = [jnp.abs(leaf) for leaf in jax.tree.leaves(gradient)]
    dtype = np.result_type(np.float32, *(each.dtype for each in magnitudes))
    magnitudes = [each.astype(dtype) for each in magnitudes]
    largest = jnp.zeros((), dtype)
    for each in magnitudes:
        largest = jnp.maximum(largest, jnp.max(each, initial=0))
    largest = jnp.where((largest > 0) & jnp.isfinite(largest), largest, 1)
    squares = jnp.stack([jnp.zeros((), dtype), *(jnp.sum((each / largest) ** 2) for each in magnitudes)])
    return largest, jnp.sqrt(jnp.sum(squares))


def clip_norm(longest: float) -> optax.GradientTransformation:
    """Scale gradients whose norm exceeds ``longest`` down to it, even if the norm itself overflows.

    A gradient that is not finite has no direction and is left as it is; the run then diverges.
    """

    def update(gradient: optax.Updates, state: Any, _: Any = None) -> tuple[optax.Updates, Any]:
        largest, relative = _scaled_norm(gradient)
        too_long = jnp.isfinite(relative) & (relative > longest / largest)
        factor = longest / jnp.where(too_long, relative, 1)

        def clipped(leaf: jax.Array) -> jax.Array:
            # two steps, because the product of the two factors is 0 where the norm overflows
            short = leaf.astype(jnp.promote_types(leaf.dtype, largest.dtype)) / largest * factor
            return jnp.where(too_long, short.astype(leaf.dtype), leaf)

        return jax.tree.map(clipped, gradient), state

    return optax.GradientTransformation(lambda _: optax.EmptyState(), update)


class SpikeState(NamedTuple):
    """State of :func:`skip_spikes`.

    Attributes:
        mean_norm: running mean of the norms, which started at 0.
        norms: number of norms in it.
        in_a_row: spikes skipped since the last step that was taken.
        taken: whether the last step was taken.
        inner: the optimiser's state.
    """

    mean_norm: jax.Array
    norms: jax.Array
    in_a_row: jax.Array
    taken: jax.Array
    inner: optax.OptState


def skip_spikes(inner: optax.GradientTransformation, factor: float) -> optax.GradientTransformation:
    """Skip every update whose gradient norm exceeds ``factor`` times the running mean, or is not finite.

    Such a step changes neither the parameters nor the state of ``inner``; the schedule does not advance.
    Each skipped norm that is finite enters the mean as ``factor`` times the mean, and after
    ``MOST_SKIPPED_IN_A_ROW`` of them in a row the next step is taken and the mean starts anew
    with it. So the mean follows a lasting change of scale, and a first gradient that is far too short does
    not block training. A gradient of zeros does not enter the mean.
    """

    def initial(parameters: optax.Params) -> SpikeState:
        return SpikeState(  # separate arrays, because a step donates their memory
            mean_norm=jnp.zeros(()),
            norms=jnp.zeros((), jnp.int32),
            in_a_row=jnp.zeros((), jnp.int32),
            taken=jnp.ones((), bool),
            inner=inner.init(parameters),
        )

    def update(
        gradient: optax.Updates, state: SpikeState, parameters: optax.Params | None = None
    ) -> tuple[optax.Updates, SpikeState]:
        norm = gradient_norm(gradient).astype(state.mean_norm.dtype)
        finite = jnp.isfinite(norm)
        # The mean so far, corrected for its start at 0; where there is none, any norm is accepted.
        mean = state.mean_norm / (1 - SMOOTHING ** jnp.maximum(state.norms, 1))
        limit = jnp.where(mean > 0, factor * mean, norm)
        anew = finite & (norm > limit) & (state.in_a_row >= MOST_SKIPPED_IN_A_ROW)
        taken = finite & (norm <= limit) | anew

        changes, after = inner.update(gradient, state.inner, parameters)
        changes = jax.tree.map(lambda change: jnp.where(taken, change, 0), changes)
        kept = jax.tree.map(lambda new, old: jnp.where(taken, new, old), after, state.inner)

        counted = finite & (norm > 0)
        past, norms = jnp.where(anew, 0, state.mean_norm), jnp.where(anew, 0, state.norms)
        seen = SMOOTHING * past + (1 - SMOOTHING) * jnp.where(anew, norm, jnp.minimum(norm, limit))
        return changes, SpikeState(
            mean_norm=jnp.where(counted, seen, state.mean_norm),
            norms=norms + counted,
            in_a_row=jnp.where(taken, 0, state.in_a_row + finite),
            taken=taken,
            inner=kept,
        )

    return optax.GradientTransformation(initial, update)


def last_step_taken(state: optax.OptState) -> jax.Array | bool:
    """Return whether an optimiser's last step was taken; without :func:`skip_spikes` it always is."""
    return state.taken if isinstance(state, SpikeState) else True
