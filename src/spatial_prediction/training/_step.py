"""One training step, and runs of several seeds that take it together."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import optax  # type: ignore[import-untyped]

from spatial_prediction.training._remedies import gradient_norm, last_step_taken

Parameters = Any
Batch = Any
Loss = Callable[[Parameters, Batch], tuple[jax.Array, Parameters | None]]
"""Scalar loss, and a pytree like the parameters with arrays that replace the optimiser's results, or None."""
State = tuple[Parameters, optax.OptState]
Update = Callable[[Parameters, optax.OptState, Batch], tuple[Parameters, optax.OptState, jax.Array]]


def make_update(loss: Loss, optimise: optax.GradientTransformation) -> Update:
    """Compile one step: ``(parameters, optimiser state, batch) -> (parameters, optimiser state, measures)``.

    The measures are the loss before the update and the norm of its gradient over all parameters, shape (2,).
    The buffers of parameters and optimiser state are donated: use the returned ones.
    """
    return jax.jit(_update(loss, optimise), donate_argnums=(0, 1))


@runtime_checkable
class DeviceStates(Protocol):
    """States of several runs on the device, advanced step by step."""

    def advance(self, batches: Mapping[int, Batch]) -> dict[int, jax.Array]:
        """Take one step in each run that has a batch; return its measures."""

    def state(self, index: int) -> State:
        """Return parameters and optimiser state of a run; valid until it is advanced."""


def runs_together(
    loss: Loss, optimise: optax.GradientTransformation, states: Sequence[State]
) -> DeviceStates:
    """Choose how several runs take their steps, depending on the device.

    One run keeps a CPU busy, and XLA convolves slowly there if every example has its own kernel, so the
    runs take turns in one compiled program: each gives the same bits as when it is trained by itself. One
    such network leaves an accelerator idle most of the time, so there a step of all runs is one program:
    each agrees to rounding with the same run trained by itself.
    """
    if len(states) == 1 or jax.default_backend() == "cpu":
        return InTurn(loss, optimise, states)
    return AtOnce(loss, optimise, states)


class InTurn:
    """Runs that take turns in one compiled program."""

    def __init__(
        self,
        loss: Loss,
        optimise: optax.GradientTransformation,
        states: Sequence[State],
    ) -> None:
        self._update = make_update(loss, optimise)
        self._states = list(states)

    def advance(self, batches: Mapping[int, Batch]) -> dict[int, jax.Array]:
        """Take one step in each run that has a batch; return its measures."""
        measures = {}
        for index, batch in batches.items():
            parameters, optimiser_state, measures[index] = self._update(*self._states[index], batch)
            self._states[index] = (parameters, optimiser_state)
        return measures

    def state(self, index: int) -> State:
        """Return parameters and optimiser state of a run; valid until it is advanced."""
        return self._states[index]


class AtOnce:
    """Runs whose steps are one program over a leading axis of all arrays.

    The program computes a step for all runs; the results of those without a batch are discarded.
    """

    def __init__(
        self,
        loss: Loss,
        optimise: optax.GradientTransformation,
        states: Sequence[State],
    ) -> None:
        self._count = len(states)
        self._stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *states)
        update = _update(loss, optimise)

        def where_moving(state: State, batch: Batch, moving: jax.Array) -> tuple[State, jax.Array]:
            *after, measures = update(*state, batch)
            kept = jax.tree.map(lambda new, old: jnp.where(moving, new, old), tuple(after), state)
            return kept, measures

        self._update = jax.jit(jax.vmap(where_moving), donate_argnums=0)

    def advance(self, batches: Mapping[int, Batch]) -> dict[int, jax.Array]:
        """Take one step in each run that has a batch; return its measures."""
        any_batch = next(iter(batches.values()))
        stacked = jnp.stack([jnp.asarray(batches.get(index, any_batch)) for index in range(self._count)])
        moving = jnp.array([index in batches for index in range(self._count)])
        self._stacked, measures = self._update(self._stacked, stacked, moving)
        return {index: measures[index] for index in batches}

    def state(self, index: int) -> State:
        """Return parameters and optimiser state of a run."""
        return jax.tree.map(lambda leaf: leaf[index], self._stacked)


def _update(loss: Loss, optimise: optax.GradientTransformation) -> Update:
    def update(
        parameters: Parameters, optimiser_state: optax.OptState, batch: Batch
    ) -> tuple[Parameters, optax.OptState, jax.Array]:
        (value, kept), gradient = jax.value_and_grad(loss, has_aux=True)(parameters, batch)
        changes, optimiser_state = optimise.update(gradient, optimiser_state, parameters)
        updated = optax.apply_updates(parameters, changes)
        if kept is not None:
            taken = last_step_taken(optimiser_state)  # a skipped batch must not be remembered
            updated = jax.tree.map(
                lambda old, new, instead: new if instead is None else jnp.where(taken, instead, old),
                parameters,
                updated,
                kept,
            )
        return updated, optimiser_state, jnp.stack([value, gradient_norm(gradient)])

    return update
