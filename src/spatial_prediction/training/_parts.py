"""Losses over a large batch whose gradients are taken in parts, so that what they need stays in the cache."""

from typing import Any

import jax
import jax.numpy as jnp

from spatial_prediction.training._step import Batch, Loss, Parameters


def mean_over_parts(loss: Loss, most: int) -> Loss:
    """Compute a loss and its gradient as the means over equal parts of the batch, one after the other.

    Less memory is needed, and the maps of a part may stay in the cache from the forward pass to the gradient.
    For losses that are a mean over the examples of a batch, each of which contributes by itself; then the
    results agree to rounding. They do not depend on the number of threads.

    Args:
        loss: loss of parameters and a batch, whose arrays have the examples along their first axes. It must
            return no arrays that replace the optimiser's results.
        most: examples of a part, at most. A batch without a divisor between half of that and all of it is
            one part.

    Returns:
        The same loss, with gradients by the parameters, once, in reverse mode; none by the batch.
    """

    def parts_of(batch: Batch) -> Batch:
        examples = jax.tree.leaves(batch)[0].shape[0]
        size = part_size(examples, most)
        return jax.tree.map(lambda leaf: leaf.reshape(examples // size, size, *leaf.shape[1:]), batch)

    def value(parameters: Parameters, part: Batch) -> jax.Array:
        error, kept = loss(parameters, part)
        if kept is not None:
            raise TypeError("a loss that remembers its batch cannot be taken in parts")
        return error

    def mean(function: Any, parameters: Parameters, batch: Batch) -> Any:
        parts = parts_of(batch)
        count = jax.tree.leaves(parts)[0].shape[0]
        if count == 1:
            return function(parameters, batch)

        def add(total: Any, part: Batch) -> tuple[Any, None]:
            return jax.tree.map(jnp.add, total, function(parameters, part)), None

        shapes = jax.eval_shape(function, parameters, jax.tree.map(lambda leaf: leaf[0], parts))
        nothing = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)
        total, _ = jax.lax.scan(add, nothing, parts)
        return jax.tree.map(lambda leaf: leaf / count, total)

    @jax.custom_vjp
    def computed(parameters: Parameters, batch: Batch) -> jax.Array:
        return mean(value, parameters, batch)

    def forward(parameters: Parameters, batch: Batch) -> tuple[jax.Array, Parameters]:
        return mean(jax.value_and_grad(value), parameters, batch)

    def backward(gradient: Parameters, cotangent: jax.Array) -> tuple[Parameters, None]:
        return jax.tree.map(lambda leaf: (cotangent * leaf).astype(leaf.dtype), gradient), None

    computed.defvjp(forward, backward)
    return lambda parameters, batch: (computed(parameters, batch), None)


def part_size(examples: int, most: int) -> int:
    """Return the largest divisor of ``examples`` from half of ``most`` to ``most``, or ``examples``."""
    sizes = range(min(most, examples), (most + 1) // 2 - 1, -1)
    return next((size for size in sizes if examples % size == 0), examples)
